"""What `avatar report` shows of each run, gathered from its records and those of a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avatar_core.errors import UsageError
from avatar_core.evaluation_records import EvalRow
from avatar_core.records import rows_of
from avatar_core.reporting.differences import Difference, differing_settings, same_items
from avatar_core.reporting.html.views import Paired, RunView
from avatar_core.reporting.records_io import held_out_gain, load_run
from avatar_core.reporting.run_list import check_run_path, run_directories
from avatar_core.reporting.summary import summarise
from avatar_core.run_directory import HELD_OUT, RESULTS

if TYPE_CHECKING:
    from rich.text import Text

AFTER = f"{HELD_OUT}/after.jsonl"


def views_of(paths: Sequence[Path], baseline: Path | None = None) -> list[RunView]:
    """The runs at some paths, a directory of stages as its stages.

    Args:
        paths: as they were given.
        baseline: run or evaluation to compare answers with.

    Raises:
        UsageError: a path holds no run, or no run answers an item of the baseline.
        DataError: a record is damaged or of another schema.
    """
    directories = run_directories(paths)
    views = [_view(path, name) for path, name in zip(directories, _names(directories), strict=True)]
    if baseline is None:
        return views
    check_run_path(baseline, "--baseline")
    earlier = answers(baseline)
    paired = [
        replace(view, paired=_paired(baseline, earlier, answers(path)))
        for view, path in zip(views, directories, strict=True)
    ]
    if not any(view.paired for view in paired):
        raise UsageError(
            f"--baseline {baseline}: holds no answer to an item that these runs answered; "
            "give an evaluation of the same items, or a run with the same held-out samples"
        )
    return paired


def answers(directory: Path) -> dict[str, EvalRow] | None:
    """Answers of an evaluation, or those that a run gave to its held-out samples at last.

    By id, the last of each; `None` where there is neither file.

    Raises:
        DataError: a row is damaged or of another schema.
    """
    for name in (RESULTS, AFTER):
        if (directory / name).is_file():
            return {row.id: row for row in rows_of(EvalRow, directory / name)}
    return None


def differences_of(views: Sequence[RunView]) -> list[Difference]:
    """The settings that the runs do not share."""
    return differing_settings([view.records.config for view in views])


def comparison_document(views: Sequence[RunView]) -> dict[str, Any]:
    """What stands between runs and a comparison of their figures, as JSON values."""
    return {
        "settings": [one._asdict() for one in differences_of(views)],
        "same_items": same_items([view.items for view in views]),
    }


def paired_line(paired: Paired) -> Text:
    """Say in one line how a run compares with the baseline."""
    from avatar_cli.render import count, percent, safe, signed_percent

    bounds = " to ".join(map(signed_percent, paired.interval)) if paired.interval else "no interval"
    return safe(
        f"Against {paired.baseline}, share of right answers on {count(paired.items)} common items: "
        f"{percent(paired.before)} before, {percent(paired.after)} now, "
        f"{signed_percent(paired.gain)} points ({bounds}), {count(paired.gained)} gained, "
        f"{count(paired.lost)} lost, p = {paired.p_value:.2g}; "
        "every item counts as independent\n"
    )


def _view(path: Path, name: str) -> RunView:
    records = load_run(path)
    found = answers(path)
    return RunView(
        name=name,
        records=records,
        summary=summarise(records),
        held_out=held_out_gain(path),
        items=None if found is None else frozenset((row.id, row.gold) for row in found.values()),
        answered=len(found) if found is not None and (path / RESULTS).is_file() else None,
    )


def _names(directories: Sequence[Path]) -> list[str]:
    """Last parts of the paths, as many as it takes to tell them apart."""
    parts = [path.absolute().parts for path in directories]
    depth = 1
    while depth < max(map(len, parts), default=0):
        if len({part[-depth:] for part in parts}) == len(set(parts)):
            break
        depth += 1
    return ["/".join(part[-depth:]) for part in parts]


def _paired(
    baseline: Path, before: dict[str, EvalRow] | None, after: dict[str, EvalRow] | None
) -> Paired | None:
    """The comparison on the items that both answered and that have one reference answer."""
    if before is None or after is None:
        return None
    common = [key for key, row in after.items() if key in before and before[key].gold == row.gold]
    if not common:
        return None
    from avatar_core.evaluation.intervals import mcnemar
    from avatar_core.evaluation.tally import headline, paired_gain

    old, new = [before[key] for key in common], [after[key] for key in common]
    gain, interval = paired_gain(old, new)
    changes = [(bool(a.correct), bool(b.correct)) for a, b in zip(old, new, strict=True)]
    gained, lost = changes.count((False, True)), changes.count((True, False))
    return Paired(
        baseline=str(baseline),
        items=len(common),
        before=headline(old),
        after=headline(new),
        gain=gain,
        interval=interval,
        gained=gained,
        lost=lost,
        p_value=mcnemar(gained, lost),
    )
