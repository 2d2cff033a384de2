"""What `avatar infer --batch` does: answer the questions of a file, and say how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avatar_cli.eval_run import UNTRAINED
from avatar_cli.library_loading import libraries
from avatar_cli.options import Output

if TYPE_CHECKING:
    from avatar_core.inference.batch import BatchResult

REMEDY = "use a smaller --batch-size, --max-frames, --max-pixels or --max-new-tokens"


def answer_all(settings: dict[str, Any], output: Output) -> None:
    """Answer the questions of a file into another.

    Args:
        settings: fields of `BatchConfig`; `None` for those that were not given.
        output: how to print.
    """
    from avatar_core.config.inference import BatchConfig
    from avatar_core.config.resolve import validate
    from avatar_core.errors import UsageError, memory_errors
    from avatar_core.files import user_path
    from avatar_core.inference.files import model_of
    from avatar_core.run_settings import run_settings

    if settings["out"] is None:
        raise UsageError("--batch needs --out FILE.jsonl, where the answers go")
    config = validate(
        BatchConfig, {key: value for key, value in settings.items() if value is not None}
    )
    if not user_path(config.file, "--batch").is_file():
        raise UsageError(f"--batch {config.file}: no such file; give a JSONL file of questions")
    if config.model is not None:
        user_path(config.model, "--model")

    # Said before the seconds that the model's libraries take to load.
    run_settings(model_of(config))

    from avatar_cli.render import note
    from avatar_cli.render_eval import item_progress

    with libraries(model_of(config), output):
        from avatar_core.inference.batch import answer_file, refuse_failures

    with memory_errors(REMEDY), item_progress(output) as progress:
        result = answer_file(config, progress)
    show_result(result, output)
    if model_of(config) == "tiny":
        note(UNTRAINED, output)
    refuse_failures(result)


def show_result(result: BatchResult, output: Output) -> None:
    """Print how many questions were answered, and the share of right answers where it is known."""
    from avatar_cli.render import console, count, emit_json, percent, safe
    from avatar_core.plural import counted

    total, failed, correct = len(result.rows), result.failed, result.correct
    if output.as_json:
        figures = {"rows": total, "answered": total - failed, "failed": failed}
        scored = {"scored": correct.scored, "accuracy": correct.accuracy}
        emit_json({**figures, "resumed": result.resumed, **scored, "out": str(result.out)})
    else:
        earlier = f", {count(result.resumed)} of them before" if result.resumed else ""
        said = f"answered {count(total - failed)} of {counted(total, 'row')}{earlier}"
        lost = f"; {count(failed)} failed" if failed else ""
        console().print(safe(f"{said}{lost}; answers in {result.out}"), soft_wrap=True)
        if correct.scored:
            over = f"{counted(correct.scored, 'row')} with a solution"
            console().print(f"accuracy {percent(correct.accuracy)} over {over}")
