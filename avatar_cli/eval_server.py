"""Options of `avatar eval` that say which server is asked, and how."""

from __future__ import annotations

from typing import Annotated

import typer

BaseUrl = Annotated[
    str | None, typer.Option(help="Address of the server, such as http://127.0.0.1:8000/v1.")
]
ServedModel = Annotated[str | None, typer.Option(help="Name that the server knows the model by.")]
ApiKeyEnv = Annotated[
    str | None, typer.Option(help="Environment variable that holds the server's key.")
]
Timeout = Annotated[float | None, typer.Option(min=1, help="Seconds for one answer of the server.")]
