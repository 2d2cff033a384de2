from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from avatar_cli.report_views import answers, views_of
from avatar_core.errors import UsageError
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import JsonlAppender, write_json
from tests.eval_rows import eval_row
from tests.run_records import eval_summary, metrics_row, write_run


def write_rows(path: Path, rows: list[EvalRow]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with JsonlAppender(path) as log:
        for row in rows:
            log.append(row.to_row())


def evaluation(folder: Path, right: str) -> Path:
    """An evaluation of items a to d, those of `right` answered rightly."""
    write_json(folder / "summary.json", eval_summary().to_row())
    rows = [eval_row(name, name in right) for name in "abcd"]
    write_rows(folder / "results.jsonl", rows)
    return folder


def test_answers_are_compared_item_by_item(tmp_path: Path) -> None:
    before, after = evaluation(tmp_path / "x", "ab"), evaluation(tmp_path / "y", "bcd")
    (view,) = views_of([after], before)
    pair = view.paired
    assert pair is not None
    # c and d gained, a lost: 3/4 against 2/4; McNemar of 2 and 1: 2 · (1 + 3) / 8 = 1.
    assert (pair.items, pair.before, pair.after, pair.gain) == (4, 0.5, 0.75, 0.25)
    assert (pair.gained, pair.lost, pair.p_value) == (2, 1, 1.0)
    assert pair.interval is not None and pair.interval[0] <= 0.25 <= pair.interval[1]
    assert view.answered == 4


def test_only_common_items_with_one_reference_answer_count(tmp_path: Path) -> None:
    before, after = evaluation(tmp_path / "x", "ab"), tmp_path / "y"
    write_json(after / "config.json", {})
    rows = [eval_row("a", True), eval_row("b", True, gold="other"), eval_row("new", True)]
    write_rows(after / "held_out/after.jsonl", rows)
    (view,) = views_of([after], before)
    assert view.paired is not None and view.paired.items == 1
    assert view.answered is None


def test_a_baseline_without_common_items_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [metrics_row(1)], [])
    with pytest.raises(UsageError, match="holds no answer to an item"):
        views_of([run], evaluation(tmp_path / "x", "a"))
    with pytest.raises(UsageError, match="holds no answer to an item"):
        views_of([evaluation(tmp_path / "y", "a")], run)
    assert answers(run) is None
    with pytest.raises(UsageError, match="--baseline .*File name too long"):
        views_of([run], tmp_path / ("x" * 256))


def test_names_are_as_long_as_it_takes_to_tell_runs_apart(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, [], []) for name in ("a/stage1", "b/stage1", "b/stage2")]
    assert [view.name for view in views_of(runs)] == ["a/stage1", "b/stage1", "b/stage2"]
    assert [view.name for view in views_of(runs[1:])] == ["stage1", "stage2"]
    assert [view.name for view in views_of([runs[0], runs[0]])] == ["stage1", "stage1"]
    assert len(views_of([tmp_path / "b"])) == 2


def test_the_terminal_and_json_tell_of_the_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = evaluation(tmp_path / "x", "ab"), evaluation(tmp_path / "y", "bcd")
    assert main(["report", str(after), "--baseline", str(before)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    expected = "share of right answers on 4 common items: 50.0 % before, 75.0 % now, +25.0 points"
    assert expected in shown and "; every item counts as independent" in shown
    assert main(["report", str(after), "--baseline", str(before), "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["runs"]
    assert document["paired"]["gained"] == 2
