"""`avatar infer`: questions about a clip, one, several in a row, or a file of them."""

from __future__ import annotations

from avatar_cli.infer_options import (
    Also,
    Audio,
    Batch,
    BatchSize,
    End,
    Fps,
    Interactive,
    MaxFrames,
    MaxNewTokens,
    MaxPixels,
    Model,
    Out,
    Question,
    Resume,
    Samples,
    Start,
    Stream,
    System,
    Video,
)
from avatar_cli.options import Output, with_output


@with_output
def infer_command(
    output: Output,
    video: Video = None,
    question: Question = None,
    also: Also = None,
    model: Model = None,
    start: Start = None,
    end: End = None,
    audio: Audio = None,
    fps: Fps = None,
    max_frames: MaxFrames = None,
    max_pixels: MaxPixels = None,
    stream: Stream = None,
    max_new_tokens: MaxNewTokens = None,
    system: System = None,
    samples: Samples = None,
    interactive: Interactive = False,
    batch: Batch = None,
    out: Out = None,
    batch_size: BatchSize = None,
    resume: Resume = True,
) -> None:
    """Answer questions about a clip; the reasoning is dimmed, the answer bold.

    Without QUESTION it asks for questions, one after the other, about a clip that is read once.
    """
    from avatar_core.errors import UsageError

    common = {
        "model": model,
        "audio": audio,
        "fps": fps,
        "max_frames": max_frames,
        "max_pixels": max_pixels,
        "max_new_tokens": max_new_tokens,
        "system_prompt": system,
    }
    one = {"video": video, "also": also, "start": start, "end": end, "samples": samples}
    many = {"out": out, "batch_size": batch_size, "resume": None if resume else False}
    if batch is None:
        refuse = [_flag(name) for name, value in many.items() if value is not None]
        if refuse or video is None:
            needs = f"{refuse[0]} is for --batch" if refuse else "VIDEO is missing"
            raise UsageError(f"{needs}; give a file and a question, or --batch FILE.jsonl")
        from avatar_cli.infer_run import answer

        answer({**common, **one}, question, interactive, stream, output)
        return
    asked = {**one, "question": question, "stream": stream, "interactive": interactive or None}
    if given := [_flag(name) for name, value in asked.items() if value is not None]:
        raise UsageError(f"{given[0]} is for one clip, not for --batch; leave it out")
    from avatar_cli.infer_batch import answer_all

    answer_all({**common, **many, "file": batch}, output)


def _flag(name: str) -> str:
    """An option or argument as it is typed."""
    return name.upper() if name in {"video", "question"} else f"--{name.replace('_', '-')}"
