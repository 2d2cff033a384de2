"""The result directory of an evaluation: where it is, whose it is, whether it may be written."""

from __future__ import annotations

import re
from pathlib import Path

from avatar_core.benchmarks import Benchmark
from avatar_core.config.evaluate import FREE_ON_RESUME, EvalConfig
from avatar_core.config.resolve import flatten
from avatar_core.errors import UsageError
from avatar_core.files import read_json
from avatar_core.manifest import CHECKPOINTS
from avatar_core.records import read_manifest
from avatar_core.run_directory import CONFIG, has_begun

ROOT = Path("runs") / "eval"


def result_directory(config: EvalConfig, benchmark: Benchmark) -> Path:
    """Where the results of one benchmark go.

    Without `out` it is runs/eval/<model>/<benchmark>, with what differs from the benchmark's
    defaults and what was blanked in its name, so that measurements of one model that are to be
    compared lie side by side.
    """
    name = _as_file_name(benchmark.name)
    if config.out is not None:
        return config.out if len(config.names) == 1 else config.out / name
    model = config.served.model if config.backend == "openai" else _local_name(config.model)
    chosen = (
        (config.split, benchmark.splits),
        (config.subset, benchmark.subsets),
        (config.mode, benchmark.modes),
        (config.prompt, benchmark.styles),
    )
    parts = [name, *([f"stage{config.stage}"] if config.stage else [])]
    parts += [value for value, known in chosen if value is not None and value != known[0]]
    parts += ["question-only"] if config.question_only else []
    parts += [f"limit{config.limit}"] if config.limit else []
    parts += [f"seed{config.sample_seed}"] if config.sample_seed is not None else []
    parts += [f"no-{modality}" for modality in config.blank]
    return ROOT / (_as_file_name(model) or "model") / "-".join(parts)


def _as_file_name(name: str) -> str:
    """A hub id, or the path of a file of samples, as the name of one directory."""
    return re.sub(r"[^\w.-]+", "--", name).strip(".-")


def _local_name(model: str) -> str:
    """A hub id as it is, a directory by its last part, a checkpoint with the name of its run."""
    directory = Path(model)
    name = directory.resolve().name if directory.is_dir() else model
    if directory.resolve().parent.name == CHECKPOINTS:
        return f"{directory.resolve().parents[1].name}-{name}"
    return name


def check_directory(directory: Path, config: EvalConfig) -> None:
    """Accept a directory that is absent, empty, or holds this very evaluation; writes nothing.

    Args:
        directory: where results go.
        config: resolved configuration of one benchmark.

    Raises:
        UsageError: it holds something else, or cannot be written.
    """
    if not has_begun(directory, "evaluation"):
        return
    changes = changed_settings(directory / CONFIG, config)
    if changes:
        raise UsageError(
            f"--out {directory}: holds another evaluation ({'; '.join(changes[:5])}); "
            "choose another directory or restore the settings"
        )


def check_weights(directory: Path, fingerprint: str | None) -> None:
    """Refuse to go on with answers of other weights.

    Raises:
        UsageError: the model of that name has changed since.
    """
    stored = read_manifest(directory)
    if stored is not None and stored.model_fingerprint != fingerprint:
        raise UsageError(
            f"--out {directory}: holds answers of other weights of {stored.model}; "
            "choose another directory, or start over with --no-resume"
        )


def changed_settings(stored: Path, config: EvalConfig) -> list[str]:
    """Settings that differ from a stored configuration and may not, as `key: old -> new`."""
    document = read_json(stored)
    if not isinstance(document, dict) or "names" not in document:
        raise UsageError(
            f"{stored}: is not the configuration of an evaluation; choose another --out"
        )
    old, new = flatten(document), flatten(config.model_dump(mode="json"))
    return [
        f"{key}: {old.get(key)} -> {new.get(key)}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and key not in FREE_ON_RESUME
    ]
