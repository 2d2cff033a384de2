"""Options of `avatar eval`: what is asked, of whom, and where the answers go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

BaseUrl = Annotated[
    str | None, typer.Option(help="Address of the server, such as http://127.0.0.1:8000/v1.")
]
ServedModel = Annotated[str | None, typer.Option(help="Name that the server knows the model by.")]
ApiKeyEnv = Annotated[
    str | None, typer.Option(help="Environment variable that holds the server's key.")
]
Timeout = Annotated[float | None, typer.Option(min=1, help="Seconds for one answer of the server.")]
DataRoot = Annotated[
    Path | None,
    typer.Option(help="Its files, or a folder per benchmark. [default: $AVATAR_DATA/<name>]"),
]
SplitName = Annotated[
    str | None, typer.Option(help="Split of the benchmark. [default: its main one]")
]
Subset = Annotated[
    str | None, typer.Option(help="Part of the benchmark, such as mc. [default: its own]")
]
Mode = Annotated[
    str | None, typer.Option(help="cg_av_counting: long, ref or clue. [default: long]")
]
QuestionOnly = Annotated[bool, typer.Option("--question-only", help="Ask without media.")]
Wording = Annotated[
    Literal["official", "authors", "think"] | None,
    typer.Option(help="Wording of the question. [default: official, where there is one]"),
]
Stage = Annotated[
    int | None,
    typer.Option(min=1, max=3, help="Stage of scenes (default: all mixed) or of a file's rows."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Most items. [default: all; of scenes 200]")]
SampleSeed = Annotated[
    int | None, typer.Option(min=0, help="Choose other items. [default: the first ones]")
]
BatchSize = Annotated[
    str, typer.Option(help="Items (for a server: requests) at the same time; auto: what fits.")
]
Audio = Annotated[
    Literal["auto", "on", "off"] | None,
    typer.Option(help="Sound: if any, required, or ignored. [default: as trained]"),
]
Blank = Annotated[
    list[str] | None,
    typer.Option(help="frames or sound: darkness or silence instead; may be repeated."),
]
MaxNewTokens = Annotated[
    int | None, typer.Option(min=1, help="Length limit of an answer. [default: as trained]")
]
Backend = Annotated[Literal["hf", "openai"], typer.Option(help="Answer here, or ask a server.")]
AllowMissing = Annotated[
    bool, typer.Option(help="Give a score although items failed or have no media.")
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Download and unpack missing data without asking.")
]
OutDirectory = Annotated[
    Path | None,
    typer.Option(
        help="Results, of several names a folder each. [default: runs/eval/<model>/<name>]"
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Keep the items already answered.")
]
BaselineDirectory = Annotated[
    Path | None, typer.Option(help="Earlier result to compare with, item by item.")
]
Fps = Annotated[
    float | None, typer.Option(help="Frames sampled per second of video. [default: as trained]")
]
MaxFrames = Annotated[
    int | None, typer.Option(help="Most frames of a video. [default: as trained]")
]
MaxPixels = Annotated[
    int | None, typer.Option(help="Most pixels of a frame. [default: as trained]")
]
