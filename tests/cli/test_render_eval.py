"""Tables and documents of evaluations, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from rich.table import Table

from avatar_cli.options import Output
from avatar_cli.render_eval import (
    benchmark_document,
    benchmark_table,
    dataset_table,
    gain_table,
    item_progress,
    subset_table,
)
from avatar_core.benchmarks import Benchmark, Published
from avatar_core.evaluation_records import SubsetScore
from tests.run_records import eval_summary


def nothing(*_: Any, **__: Any) -> list[Any]:
    return []


LISTED = (
    Benchmark("scenes", ("made here",), None, "video + sound", "accuracy", nothing, nothing, ""),
    Benchmark(
        "mine",
        ("owner/mine", "other/mine"),
        12345,
        "image",
        "macro_mean",
        nothing,
        nothing,
        "a tree",
        published=Published(50.0, 51.25, 52.5),
    ),
)


def cells(table: Table) -> list[tuple[str, ...]]:
    """Rows of a table as plain text."""
    return list(
        zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
    )


def test_benchmarks_are_listed_with_their_size() -> None:
    assert cells(benchmark_table(LISTED)) == [
        ("scenes", "endless", "video + sound", "accuracy", ""),
        ("mine", "12,345", "image", "macro_mean", "50.0  51.2  52.5"),
    ]
    assert cells(dataset_table(LISTED)) == [("scenes", "made here"), ("mine", "owner/mine")]
    document = benchmark_document(LISTED)
    assert document["schema"] == 1
    assert document["benchmarks"][1] == {
        "name": "mine",
        "dataset": ("owner/mine", "other/mine"),
        "items": 12345,
        "media": "image",
        "metric": "macro_mean",
        "splits": ("test",),
        "subsets": (),
        "modes": (),
        "styles": ("official", "authors", "think"),
        "published": {"baseline": 50.0, "grpo": 51.25, "avatar": 52.5},
    }


def test_categories_have_a_row_each_and_foreign_text_stays_text() -> None:
    scores = {
        "[red]x[/red]\x1b[2J": SubsetScore(n=4, correct=3, accuracy=0.75),
        "empty": SubsetScore(n=0, correct=0, accuracy=None),
    }
    table = subset_table(eval_summary(groups={"fam\x07ily": scores}), "fam\x07ily")
    assert str(table.title) == "Accuracy by family"
    assert cells(table) == [("[red]x[/red][2J", "4", "3", "75.0 %"), ("empty", "0", "0", "-")]


FIELDS = ("before", "after", "gain", "interval", "gained", "lost", "p_value", "figures", "changes")


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        # Half of the items against a quarter: 25 points more.
        (
            (0.25, 0.5, 0.25, (-0.1, 0.6), 5, 1, 0.21875, {}, ()),
            ("25.0 %", "50.0 %", "+25.0", "-10.0 to +60.0", "5, 1", "0.219"),
        ),
        ((None, None, 0.0, None, 0, 0, 1.0, {}, ()), ("-", "-", "+0.0", "-", "0, 0", "1.000")),
        (
            (0.5, 0.25, -0.25, (-0.4, -0.1), 0, 9, 0.00390625, {}, ()),
            ("50.0 %", "25.0 %", "-25.0", "-40.0 to -10.0", "0, 9", "0.004"),
        ),
    ],
)
def test_a_gain_is_shown_with_its_sign(figures: Iterable[Any], shown: tuple[str, ...]) -> None:
    # In the place of a `Gain`, whose module loads torch.
    given: Any = SimpleNamespace(**dict(zip(FIELDS, figures, strict=True)))
    rows = cells(gain_table(given))
    assert [label for label, _ in rows] == [
        "baseline",
        "now",
        "gain on the same items",
        "95 % interval of the gain",
        "items gained, lost",
        "exact McNemar test, p",
    ]
    assert tuple(value for _, value in rows) == shown


def test_progress_takes_foreign_phrases_and_shows_nothing_when_piped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with item_progress(Output()) as tell:
        tell("[bold]scenes\x1b[2J", 1, 2)
        tell("done", 2, 0)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")
