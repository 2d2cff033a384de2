"""`avatar infer`: one clip, one question, one answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from avatar_cli.options import Output, with_output

if TYPE_CHECKING:
    from collections.abc import Generator

    from avatar_core.inference import Answer

REMEDY = "use a smaller --max-frames, --max-pixels, --max-new-tokens or --samples"


@with_output
def infer_command(
    output: Output,
    video: Annotated[Path, typer.Argument(help="Video, audio or image file.")],
    question: Annotated[str, typer.Argument(help="What to ask about it.")],
    model: Annotated[
        str | None,
        typer.Option(help="tiny, a run or a hub id. [default: $AVATAR_MODEL or yogkul2000/AVATAR]"),
    ] = None,
    start: Annotated[float | None, typer.Option(min=0, help="First second.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="Last second.")] = None,
    audio: Annotated[
        Literal["auto", "on", "off"] | None,
        typer.Option(help="Sound: if any, required, or ignored. [default: as trained]"),
    ] = None,
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
        int | None, typer.Option(min=1, help="Length limit of the answer. [default: as trained]")
    ] = None,
    system: Annotated[str | None, typer.Option(help="System prompt. [default: as trained]")] = None,
    samples: Annotated[
        int, typer.Option(min=1, help="Answers to draw; the most frequent one is given.")
    ] = 1,
) -> None:
    """Answer a question about a clip; the reasoning is dimmed, the answer bold."""
    from avatar_core.config.inference import InferConfig
    from avatar_core.config.resolve import validate
    from avatar_core.errors import UsageError, memory_errors
    from avatar_core.files import user_path

    settings = {
        "video": video,
        "question": question,
        "model": model,
        "start": start,
        "end": end,
        "audio": audio,
        "fps": fps,
        "max_frames": max_frames,
        "max_pixels": max_pixels,
        "max_new_tokens": max_new_tokens,
        "system_prompt": system,
        "samples": samples,
    }
    config = validate(InferConfig, settings)
    if not user_path(video, "VIDEO").exists():
        raise UsageError(f"{video}: no such file; give a video, sound or image")
    if not question.strip():
        raise UsageError("the question is empty; say what to ask about the file")
    if model is not None:
        user_path(model, "--model")

    from avatar_core.inference import stream_answer

    with memory_errors(REMEDY):
        _show(stream_answer(config), output, stream)


def _show(pieces: Generator[str, None, Answer], output: Output, stream: bool | None) -> None:
    """Print an answer as JSON, piece by piece, or whole."""
    from avatar_cli.render import console, emit_json
    from avatar_cli.render_answer import TagReader, print_answer, print_styled
    from avatar_core.inference import finish

    screen = console()
    streaming = not output.as_json and (screen.is_terminal if stream is None else stream)
    reader = TagReader()

    def take(piece: str) -> None:
        if streaming:
            print_styled(screen, reader.feed(piece))

    answer = finish(pieces, take)
    if output.as_json:
        emit_json(answer.to_document())
    elif streaming:
        print_styled(screen, reader.rest())
        screen.print()
    else:
        print_answer(screen, answer.reasoning, answer.answer)
    if answer.truncated and not output.quiet:
        note = "the text stopped at the length limit; raise --max-new-tokens for more"
        console(stderr=True).print(note)
