from __future__ import annotations

import re

from avatar_core.reporting.html.axes import HEIGHT, WIDTH, span
from avatar_core.reporting.html.charts import (
    Estimate,
    Plot,
    Series,
    area_chart,
    bar_chart,
    interval_chart,
    line_chart,
    shortened,
)

PLOT = Plot("Title", "The note.", "step", "value")


def places(drawing: str, marks: str) -> list[tuple[float, float]]:
    """Corners of the first path of a class."""
    path = re.search(rf'd="([^"]+)" class="{marks}', drawing)
    assert path is not None
    return [(float(a), float(b)) for a, b in re.findall(r"([\d.]+) ([\d.]+)", path[1])]


def test_a_line_runs_from_edge_to_edge() -> None:
    drawing = line_chart(PLOT, [Series("a", [1, 3], [0.0, 2.0], "c1")])
    # Left edge 68, right 560 - 14; 0 lies on the floor at 270 - 46, 2 of 2.1 above it.
    first, last = places(drawing, "line c1")
    assert first == (68.0, 224.0)
    assert last == (546.0, round(224 - 2 / 2.1 * 212, 1))
    assert 'aria-label="Title. The note."' in drawing and "<desc>The note.</desc>" in drawing
    assert "step" in drawing and "value" in drawing


def test_long_series_have_bounded_drawings() -> None:
    steps = list(range(10_000))
    drawing = line_chart(PLOT, [Series("a", steps, [float(step % 7) for step in steps], "c1")])
    assert len(drawing) < 10_000
    assert len(places(drawing, "raw c1")) <= 320
    assert len(places(drawing, "line c1")) <= 160


def test_a_single_point_and_a_flat_line_are_drawn() -> None:
    for y in ([0.0], [5.0], [1.0, 1.0], [-2.0, -2.0]):
        drawing = line_chart(PLOT, [Series("a", list(range(len(y))), y, "c1")])
        for x, height in places(drawing, "line c1"):
            assert 0 <= x <= WIDTH and 0 <= height <= HEIGHT
    assert 'h.01"' in line_chart(PLOT, [Series("a", [1], [2.0], "c1")])


def test_areas_are_stacked() -> None:
    series = [Series("a", [0, 1], [1.0, 1.0], "c1"), Series("b", [0, 1], [1.0, None], "c2")]
    drawing = area_chart(PLOT, series)
    # The second lies on the first and ends where it has no value: its last top is its ground.
    _, top_end, ground_end, _ = places(drawing, "area c2")
    assert top_end == ground_end
    assert places(drawing, "area c1")[0][1] == ground_end[1]


def test_bars_stand_on_the_floor_and_tell_their_height() -> None:
    drawing = bar_chart(PLOT, [0.0, 1.0, 2.0], [("a", "c1", [0.5, 0.0]), ("b", "c2", [0.25, 1.0])])
    assert drawing.count("<title>") == 3  # a bar of no height is left out
    assert "<title>b, 1 to 2: 1</title>" in drawing


def test_intervals_are_drawn_around_their_figure() -> None:
    drawing = interval_chart(
        PLOT, [Estimate("a", 0.5, (0.25, 0.75), "c1"), Estimate("b", 0.0, None, "c2")]
    )
    assert (drawing.count('class="line'), drawing.count('class="dot')) == (1, 2)
    assert interval_chart(PLOT, [Estimate("a", 0.0, None, "c1")]).count('class="dot') == 1


def test_spans_have_room_and_may_begin_at_zero() -> None:
    assert span([]) == (0.0, 1.0)
    assert span([0.0, 0.0], zero=True) == (0.0, 1.0)
    assert span([0.0, 2.0], zero=True) == (0.0, 2.1)
    assert span([-1.0, 1.0]) == (-1.1, 1.1)
    assert span([4.0]) == (3.6, 4.4)


def test_long_names_keep_both_ends() -> None:
    assert shortened("abcdefghij", 5) == "ab…ij"
    assert shortened("abc", 5) == "abc"
