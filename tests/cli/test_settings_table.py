from __future__ import annotations

from rich.console import Console

from avatar_cli.settings_table import settings_table
from avatar_core.reporting.differences import Difference


def test_settings_stand_beside_each_other_and_the_rest_is_counted() -> None:
    found = [Difference("data", ("scenes", "/far/away/" * 20 + "own.jsonl"))]
    found += [Difference(f"section.key{number}", (None, True)) for number in range(13)]
    table = settings_table(found)
    assert table is not None
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    assert [len(column) for column in columns] == [12, 12, 12]
    assert [column[1] for column in columns] == ["section.key0", "-", "true"]
    # 14 settings, 12 of them shown.
    assert table.caption == "and 2 more, --json has all"
    screen = Console(width=80, record=True)
    screen.print(table)
    assert max(map(len, screen.export_text().splitlines())) <= 80


def test_nothing_is_shown_without_differences_or_of_many_runs() -> None:
    assert settings_table([]) is None
    assert settings_table([Difference("seed", (0, 1, 2, 3, 4))]) is None
    few = settings_table([Difference("seed", (0, 1, 2, 3))])
    assert few is not None and few.caption is None
