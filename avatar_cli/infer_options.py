"""Options of `avatar infer`: what is shown, how it is asked, and where many answers go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Video = Annotated[Path | None, typer.Argument(help="Video, audio or image file.")]
Question = Annotated[
    str | None,
    typer.Argument(help="What to ask about it; - reads it from stdin. [default: ask for it]"),
]
Also = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="One more file to show behind VIDEO; may be repeated."),
]
Model = Annotated[
    str | None,
    typer.Option(help="tiny, a run or a hub id. [default: $AVATAR_MODEL or yogkul2000/AVATAR]"),
]
Start = Annotated[float | None, typer.Option(min=0, help="First second of VIDEO.")]
End = Annotated[float | None, typer.Option(min=0, help="Last second of VIDEO.")]
Audio = Annotated[
    Literal["auto", "on", "off"] | None,
    typer.Option(help="Sound: if any, required, or ignored. [default: as trained]"),
]
Fps = Annotated[float | None, typer.Option(min=0, help="Frames sampled per second.")]
MaxFrames = Annotated[int | None, typer.Option(min=2, help="Most frames.")]
MaxPixels = Annotated[int | None, typer.Option(min=784, help="Most pixels a frame.")]
Stream = Annotated[
    bool | None,
    typer.Option(
        "--stream/--no-stream", help="Show the text while it is made. [default: on a terminal]"
    ),
]
MaxNewTokens = Annotated[
    int | None, typer.Option(min=1, help="Length limit of the answer. [default: as trained]")
]
System = Annotated[str | None, typer.Option(help="System prompt. [default: as trained]")]
Samples = Annotated[
    int | None,
    typer.Option(min=1, help="Answers to draw; the most frequent one is given. [default: 1]"),
]
Interactive = Annotated[
    bool,
    typer.Option(
        "--interactive",
        help="Ask for further questions until an empty line, piped ones to the end.",
    ),
]
Batch = Annotated[
    Path | None, typer.Option(metavar="FILE.jsonl", help="Answer every row of a file of questions.")
]
Out = Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="With --batch: the answers.")]
BatchSize = Annotated[
    int | None,
    typer.Option(min=1, help="With --batch: rows answered together. [default: what fits]"),
]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="With --batch: keep the answers in --out.")
]
