from __future__ import annotations

from avatar_core.reporting.html.blocks import (
    facts,
    figure,
    folded_table,
    grid,
    line_figure,
    section,
    table,
)
from avatar_core.reporting.html.charts import Plot, Series
from avatar_core.reporting.html.markup import Markup, tag

PLOT = Plot("Title", "The note.", "step", "value")


def test_a_line_figure_has_title_words_legend_and_table() -> None:
    steps = [float(step) for step in range(20)]
    series = [
        Series("<a>", steps, steps, "c1"),
        Series("b", steps, [1.0] * 20, "c2"),
        Series("empty", steps, [None] * 20, "c3"),
    ]
    made = line_figure(PLOT, series)
    assert made is not None
    assert "<h4>Title</h4><p>The note.</p>" in made
    assert made.count('class="swatch') == 2 and "empty" not in made
    # First tenth: mean of 0 and 1; last: of 18 and 19.
    row = '<th scope="row">&lt;a&gt;</th><td>0.5</td><td>18.5</td><td>0</td><td>19</td>'
    assert row in made
    assert "mean over 3 neighbours" in made


def test_a_figure_without_a_value_is_none() -> None:
    assert line_figure(PLOT, [Series("a", [1.0], [None], "c1")]) is None
    assert line_figure(PLOT, [Series("a", [], [], "c1")]) is None
    assert grid(None, None) is None


def test_one_series_needs_no_legend() -> None:
    assert "swatch" not in figure(PLOT, Markup("<svg></svg>"), [("a", "c1")])
    assert 'class="wide"' in figure(PLOT, Markup("<svg></svg>"), wide=True)


def test_tables_name_their_rows_and_columns() -> None:
    made = table(("", "n"), [["<r>", "1"]], "All & any")
    assert '<th scope="col">n</th>' in made
    assert '<th scope="row">&lt;r&gt;</th><td>1</td>' in made
    assert 'aria-label="All &amp; any"' in made and 'tabindex="0"' in made
    assert folded_table("more", ("",), []).startswith('<details class="data"><summary>more<')


def test_an_empty_section_is_left_out() -> None:
    assert section("T", None, Markup(""), anchor="a") == ""
    made = section("T", tag("p", "x"), anchor="a")
    assert made == (
        '<section id="a" aria-labelledby="a-title"><h3 id="a-title">T</h3><p>x</p></section>'
    )
    assert facts([("k", "<v>")]).endswith("<dt>k</dt><dd>&lt;v&gt;</dd></div></dl>")
