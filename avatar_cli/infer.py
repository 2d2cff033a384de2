"""`avatar infer`: one clip, one question, one answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from avatar_cli.options import Output, with_output


@with_output
def infer_command(
    output: Output,
    video: Annotated[Path, typer.Argument(help="Video, audio or image file.")],
    question: Annotated[str, typer.Argument(help="What to ask about it.")],
    model: Annotated[
        str, typer.Option(envvar="AVATAR_MODEL", help="tiny, a directory or a hub id.")
    ] = "yogkul2000/AVATAR",
    start: Annotated[float | None, typer.Option(min=0, help="First second.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="Last second.")] = None,
    audio: Annotated[
        Literal["auto", "on", "off"], typer.Option(help="Sound: if any, required, or ignored.")
    ] = "auto",
    fps: Annotated[float | None, typer.Option(min=0, help="Frames sampled per second.")] = None,
    max_frames: Annotated[int | None, typer.Option(min=2, help="Most frames.")] = None,
    max_pixels: Annotated[int | None, typer.Option(min=784, help="Most pixels a frame.")] = None,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream", help="Show the text while it is made. [default: on a terminal]"
        ),
    ] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="Length limit of the answer.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="System prompt.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="Answers to draw.")] = 1,
) -> None:
    """Answer a question about a clip; the reasoning is dimmed, the answer bold."""
    from avatar_core.inference import infer

    from avatar_cli.render import emit_json

    answer = infer(
        video,
        question,
        model=model,
        start=start,
        end=end,
        audio=audio,
        fps=fps,
        max_frames=max_frames,
        max_pixels=max_pixels,
        stream=stream,
        max_new_tokens=max_new_tokens,
        system=system,
        samples=samples,
    )
    if output.as_json:
        emit_json(answer.to_document())
