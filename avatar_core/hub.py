"""What the hub's library raises when the hub cannot be used."""

from __future__ import annotations

from typing import cast


def hub_errors() -> tuple[type[Exception], ...]:
    """Errors of a request to the hub: a bad name, no such thing, no way there, a full disk."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # Its bases: the errors of the transport, which is not the same in all releases of the library;
    # its accelerated transfer raises nothing more special than a RuntimeError in some.
    transport = cast("tuple[type[Exception], ...]", HfHubHTTPError.__bases__)
    return (HFValidationError, OSError, RuntimeError, *transport)
