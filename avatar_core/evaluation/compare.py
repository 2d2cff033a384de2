"""An evaluation against an earlier one of the same items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core.benchmarks.registry import FiguresOfMedia
from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import UsageError
from avatar_core.evaluation.directory import changed_settings
from avatar_core.evaluation.intervals import Interval, mcnemar
from avatar_core.evaluation.ledger import read_rows
from avatar_core.evaluation.tally import ACCURACY, Measure, headline, paired_gain
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import read_json, user_path
from avatar_core.run_directory import CONFIG, RESULTS


class Baseline(NamedTuple):
    """An earlier evaluation to compare with."""

    directory: Path
    """Where it is."""
    rows: Mapping[str, EvalRow]
    """Its rows by id, as they were when it was read."""
    question_only: bool
    """It was asked without media."""
    changes: tuple[str, ...] = ()
    """Settings besides the model that differ from the later one, as `key: old -> new`."""


class Gain(NamedTuple):
    """What changed between two evaluations."""

    baseline: Path
    """Directory of the earlier one."""
    before: float | None
    """Its main figure."""
    after: float | None
    """Main figure of the later one."""
    gain: float
    """`after` minus `before`, on the same items."""
    interval: Interval | None
    """95 % interval of the paired difference."""
    gained: int
    """Items that were wrong and are right."""
    lost: int
    """Items that were right and are wrong."""
    p_value: float
    """Of the two-sided exact McNemar test of these two."""
    figures: Mapping[str, float | None]
    """Further figures of the comparison."""
    changes: tuple[str, ...] = ()
    """Settings besides the model that differ, as `key: old -> new`."""


def read_baseline(directory: Path, names: Sequence[str]) -> Baseline:
    """An earlier evaluation of the one benchmark that is asked for.

    Args:
        directory: its result directory.
        names: benchmarks asked for.

    Raises:
        UsageError: there is no evaluation of that benchmark in it, or several are asked for.
        DataError: one of its rows is damaged.
    """
    if len(names) != 1:
        raise UsageError("--baseline compares one benchmark; name one, not " + " ".join(names))
    if not user_path(directory, "--baseline").is_dir():
        raise UsageError(f"--baseline {directory}: no such directory; give an evaluation directory")
    rows = read_rows(directory)
    if not rows or not (directory / CONFIG).is_file():
        missing = CONFIG if rows else RESULTS
        raise UsageError(
            f"--baseline {directory}: holds no {missing}; give an evaluation directory"
        )
    document = read_json(directory / CONFIG)
    held = document.get("names") if isinstance(document, dict) else None
    if held != list(names):
        found = " ".join(map(str, held)) if isinstance(held, list) else "no benchmark"
        raise UsageError(
            f"--baseline {directory}: is of {found}, not of {names[0]}; "
            "give an evaluation of the same benchmark"
        )
    return Baseline(directory, rows, document.get("question_only") is True)


def check_items(baseline: Baseline, asked: Mapping[str, str]) -> None:
    """Refuse a baseline whose items are not those that are asked.

    Args:
        baseline: the earlier evaluation.
        asked: reference answers of the later one by id.

    Raises:
        UsageError: the two are not of the same items; says how many they share.
    """
    if baseline.rows.keys() != asked.keys():
        shared = len(baseline.rows.keys() & asked.keys())
        raise UsageError(
            f"--baseline {baseline.directory}: is not of the items asked: of its "
            f"{len(baseline.rows)} it shares {shared} with these {len(asked)}; "
            "evaluate both with the same --limit, --split, --stage and --sample-seed"
        )
    differing = [key for key, gold in asked.items() if baseline.rows[key].gold != gold]
    if differing:
        raise UsageError(
            f"--baseline {baseline.directory}: {len(differing)} of its {len(asked)} items have "
            f"another reference answer, such as {differing[0]}; evaluate both with the same files "
            "and the same --mode"
        )


def settings_changed(baseline: Baseline, config: EvalConfig) -> tuple[str, ...]:
    """Settings that a comparison is also of, besides the model: `key: old -> new`."""
    found = changed_settings(baseline.directory / CONFIG, config)
    return tuple(one for one in found if not one.startswith(("model:", "served.model:")))


def gain_over(
    baseline: Baseline,
    rows: Sequence[EvalRow],
    clusters: Mapping[str, str],
    measure: Measure = ACCURACY,
    figures_of_media: FiguresOfMedia | None = None,
) -> Gain:
    """Paired comparison with an earlier evaluation.

    Args:
        baseline: the earlier one, of the same items; see `check_items`.
        rows: rows of the later one.
        clusters: media of each item by id.
        measure: what the headline is.
        figures_of_media: of the benchmark, where the earlier one was asked without media and the
            later one with them.
    """
    earlier = [baseline.rows[row.id] for row in rows]
    gain, interval = paired_gain(earlier, rows, clusters, measure)
    changes = [(bool(a.correct), bool(b.correct)) for a, b in zip(earlier, rows, strict=True)]
    gained, lost = changes.count((False, True)), changes.count((True, False))
    return Gain(
        baseline.directory,
        headline(earlier, measure),
        headline(rows, measure),
        gain,
        interval,
        gained,
        lost,
        mcnemar(gained, lost),
        figures_of_media(earlier, rows) if figures_of_media else {},
        baseline.changes,
    )
