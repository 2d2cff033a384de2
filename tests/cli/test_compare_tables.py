"""Runs and evaluations beside each other, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from avatar_cli.compare_tables import Side, comparison_tables, delta_table, evaluations_table
from avatar_core.files import write_json
from avatar_core.reporting.records_io import RunRecords, load_run
from avatar_core.reporting.summary import RunSummary, summarise
from tests.run_records import eval_summary, group_row, metrics_row


def summary(
    path: str = "some/run", *, metrics: Any = (), groups: Any = (), **more: Any
) -> RunSummary:
    values = {"config": None, "manifest": None, "evaluation": None, **more}
    return summarise(RunRecords(Path(path), metrics=metrics, groups=groups, **values))


def run(path: str, accuracy: float, **changes: Any) -> RunSummary:
    groups = (group_row([1.0, 0.0], [1.0, -1.0]), group_row([0.5, 0.5], [0.0, 0.0]))
    row = metrics_row(1, accuracy_fresh=accuracy, **changes)
    return summary(path, metrics=(row,), groups=groups)


def cells(table: Table) -> dict[str, list[str]]:
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return {label: list(own) for label, *own in zip(*columns, strict=True)}


HELD = {
    "samples": 4,
    "before": {"value": 0.25, "interval": None},
    "after": {"value": 0.5, "interval": None},
    "gain": 0.25,
    "gain_interval": (-0.05, 0.5),
}


def test_the_second_less_the_first() -> None:
    first, second = run("a", 0.25, kl=None), run("b", 0.5, completions_generated=1004)
    table = delta_table(Side(first, None), Side(second, HELD))
    found = cells(table)
    assert found["completions generated"] == ["4", "1,004", "+1,000"]
    assert found["accuracy at last"] == ["25.0 %", "50.0 %", "+25.0"]
    assert found["groups with signal"] == ["50.0 %", "50.0 %", "+0.0"]
    assert found["distinct rewards per group"] == ["1.50", "1.50", "+0.00"]
    assert found["KL at last"] == ["-", "0.0100", "-"]
    assert found["|A| > 1"] == ["0.0 %", "0.0 %", "+0.0"]
    assert found["held-out accuracy after"] == ["-", "50.0 %", "-"]
    assert found["gain on held-out samples"] == ["-", "+25.0", "-"]
    assert found["  95 % interval"] == ["-", "-5.0 to +50.0", ""]
    assert "score" not in found
    assert str(table.caption) == "A: a\nB: b"
    styles = {
        str(label): cell.style
        for label, cell in zip(table.columns[0].cells, table.columns[3].cells, strict=True)
        if isinstance(cell, Text)
    }
    # More accuracy is better; of more completions nobody can say.
    assert (styles["accuracy at last"], styles["completions generated"]) == ("green", "")


def test_figures_of_other_items_are_not_subtracted() -> None:
    first = Side(run("a", 0.25), HELD, frozenset({("1", "A"), ("2", "B")}))
    table = delta_table(first, Side(run("b", 0.5), HELD, frozenset({("1", "A")})))
    found = cells(table)
    assert found["held-out accuracy before"] == ["25.0 %", "25.0 %", "-"]
    assert found["gain on held-out samples"] == ["+25.0", "+25.0", "-"]
    assert found["accuracy at last"] == ["25.0 %", "50.0 %", "+25.0"]
    assert str(table.caption).endswith("A and B answered other items, so nothing is subtracted")
    same = delta_table(first, first._replace(summary=run("b", 0.5)))
    assert cells(same)["held-out accuracy before"] == ["25.0 %", "25.0 %", "+0.0"]
    assert str(same.caption) == "A: a\nB: b"


def test_evaluations_stand_beside_each_other_finished_or_not(tmp_path: Path) -> None:
    config = {"names": ["mmvu"], "model": "runs/a", "limit": 50}
    write_json(tmp_path / "cut" / "config.json", config)
    cut = summarise(load_run(tmp_path / "cut"))
    status = {"ok": 2, "unparsed": 0, "truncated": 0, "error": 1, "missing_media": 1}
    whole = summary("eval/a", evaluation=eval_summary(status=status))
    found = cells(evaluations_table([whole, cut]))
    assert found["eval/a"] == ["scenes", "4", "2", "75.0 %", "30.0 % to 95.0 %"]
    assert found[str(tmp_path / "cut")] == ["mmvu", "0 of 50", "0", "-", "not ended"]
    titles = [str(table.title) for table in comparison_tables([Side(whole, None), Side(cut, None)])]
    assert titles == ["Evaluations compared", "B - A"]


@pytest.mark.parametrize(
    ("number", "titles"),
    [(2, ["Runs compared", "B - A"]), (3, ["Runs compared"])],
)
def test_two_runs_have_differences(number: int, titles: list[str]) -> None:
    runs = [run(f"run{place}", 0.5) for place in range(number)]
    tables = list(comparison_tables([Side(one, None) for one in runs]))
    assert [str(table.title) for table in tables] == titles


def test_evaluations_differ_in_their_score_alone() -> None:
    pair = [
        summary("a", evaluation=eval_summary(accuracy=0.5)),
        summary("b", evaluation=eval_summary(accuracy=0.25)),
    ]
    _, changes = comparison_tables([Side(one, None) for one in pair])
    assert cells(changes) == {"score": ["50.0 %", "25.0 %", "-25.0"]}


def test_every_table_fits_into_80_columns() -> None:
    runs = [run("runs/" + "long/" * 30 + name, 0.5) for name in "ab"]
    screen = Console(width=80, record=True)
    for table in comparison_tables([Side(one, HELD) for one in runs]):
        screen.print(table)
    lines = screen.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("gain on held-out samples" in line for line in lines)
