"""What `avatar eval` does with its options: list the benchmarks, or score a model on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avatar_cli.library_loading import libraries
from avatar_cli.options import Output

UNTRAINED = "tiny is untrained: its answers mean nothing; name a run with --model"
REMEDY = "use a smaller --batch-size or --max-new-tokens"
SERVED = {
    "base_url": "url",
    "served_model": "model",
    "api_key_env": "api_key_env",
    "timeout": "timeout_seconds",
}
"""Options of a server, and what they are called in its section of the configuration."""


def list_benchmarks(output: Output) -> None:
    """Print the benchmarks that there are."""
    from avatar_cli.render import console, emit_json
    from avatar_cli.render_eval import benchmark_document, benchmark_table, dataset_table
    from avatar_core.benchmarks import available

    if output.as_json:
        emit_json(benchmark_document(available().values()))
    else:
        console().print(benchmark_table(available().values()))
        console().print(dataset_table(available().values()))


def score(settings: dict[str, Any], baseline: Path | None, output: Output) -> None:
    """Score a model on the benchmarks of the settings and print the result.

    Args:
        settings: values of the options by name; `None` for those that were not given.
        baseline: earlier result to compare with.
        output: how to print.
    """
    from avatar_cli.eval_download import fetch_missing
    from avatar_core.config.evaluate import EvalConfig
    from avatar_core.config.resolve import validate
    from avatar_core.errors import memory_errors
    from avatar_core.evaluation.compare import read_baseline
    from avatar_core.evaluation.jobs import check_request
    from avatar_core.evaluation.scenes import SCENES
    from avatar_core.evaluation.selecting import check_selection, load_items
    from avatar_core.files import user_path
    from avatar_core.run_settings import run_settings

    given = {**settings, "baseline": baseline}
    for name in ("model", "data_root", "out", "baseline"):
        if given.get(name) is not None:
            user_path(given[name], f"--{name.replace('_', '-')}")
    config = validate(EvalConfig, told(settings))
    # Said before the seconds that the model's libraries take to load.
    asked = check_selection(config)
    if config.backend == "hf":
        check_request(config, run_settings(config.model))
    if baseline is not None:
        read_baseline(baseline, config.names)
    fetch_missing(config, output)
    items = {one.name: load_items(config, one) for one in asked if one is not SCENES}

    from avatar_cli.render import note
    from avatar_cli.render_eval import item_progress, show_evaluations

    with libraries(config.model if config.backend == "hf" else None, output):
        from avatar_core.evaluation.run import measure, refuse_failures

    with memory_errors(REMEDY), item_progress(output) as progress:
        result = measure(config, baseline=baseline, progress=progress, items=items)
    show_evaluations(result.evaluations, result.gain, output)
    if config.model == "tiny" and config.backend == "hf":
        note(UNTRAINED, output)
    # The tables come first: who may not use the score still sees why.
    refuse_failures(result, config)


def told(settings: dict[str, Any]) -> dict[str, Any]:
    """Options that were given, those of the server under the name of their section.

    >>> told({"limit": 3, "split": None, "base_url": "http://127.0.0.1:8000/v1"})
    {'limit': 3, 'served': {'url': 'http://127.0.0.1:8000/v1'}}
    """
    given = {key: value for key, value in settings.items() if value is not None}
    served = {SERVED[key]: given.pop(key) for key in SERVED if key in given}
    return {**given, **({"served": served} if served else {})}
