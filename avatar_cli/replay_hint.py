"""`avatar replay hint`: hints from a teacher model for prompts that a run is stuck on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avatar_cli.options import Output, with_output

if TYPE_CHECKING:
    from avatar_core.rewards.judging.served import ServedModel
    from avatar_core.teaching.hints import Lesson
    from avatar_core.types import Sample

HINTS = "hints.jsonl"


@with_output
def hint_command(
    output: Output,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run.")],
    teacher_url: Annotated[
        str, typer.Option(metavar="URL", help="Base address of an OpenAI-compatible server.")
    ],
    teacher_model: Annotated[
        str, typer.Option(metavar="NAME", help="Name that the server knows the teacher by.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSONL of hints. [default: RUN/hints.jsonl]")
    ] = None,
    teacher_key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Environment variable that holds the server's key."),
    ] = None,
) -> None:
    """Have a teacher write a hint for each prompt stuck in the hard tier.

    Stuck: hard at its last visit, and no right answer in its last three. A hint that gives the
    answer away is refused. Prompts that the file has already are not asked about again.
    """
    from avatar_cli.render import console, emit_json, safe
    from avatar_core.files import user_path
    from avatar_core.records import SCHEMA
    from avatar_core.reporting.records_io import load_run
    from avatar_core.reporting.settings import train_config
    from avatar_core.reporting.stuck import stuck_prompts

    path = user_path(out or run / HINTS, "--out")
    records = load_run(run)
    config = train_config(records)
    stuck = [prompt.prompt_id for prompt in stuck_prompts(records.groups)]

    from avatar_core.teaching.hints import Lesson, open_teacher, samples_by_id

    teacher = open_teacher(teacher_url, teacher_model, teacher_key_env)
    samples = samples_by_id(config) if stuck else {}
    found = [samples[name] for name in stuck if name in samples]
    asked = [sample for sample in found if sample.hint is None]
    lesson = _ask(asked, teacher, teacher_model, path, output) if asked else Lesson(0, 0, 0)
    counts = {
        "stuck": len(stuck),
        **lesson._asdict(),
        "hinted_in_data": len(found) - len(asked),
        "not_in_data": len(stuck) - len(found),
    }
    if output.as_json:
        emit_json({"schema": SCHEMA, "path": str(run), "out": str(path), **counts})
    else:
        told = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in counts.items())
        console().print(safe(f"{path}: {told}"), soft_wrap=True)


def _ask(
    samples: Sequence[Sample], teacher: ServedModel, name: str, path: Path, output: Output
) -> Lesson:
    from avatar_cli.render import progress_bar
    from avatar_core.teaching.hints import write_hints

    with progress_bar(output) as bar:
        task = bar.add_task("asking the teacher", total=len(samples), note="")
        return write_hints(
            samples, teacher, name, path, lambda done: bar.update(task, completed=done)
        )
