from __future__ import annotations

import numpy as np

from avatar_core.reporting.html.axes import Axis, Frame, drawing, path_of, small_line
from avatar_core.reporting.html.thinning import Points


def test_a_frame_places_values_linearly() -> None:
    frame = Frame(Axis("x", 0, 10), Axis("y", 0, 1))
    # Between 68 and 546, and between 224 (bottom) and 12 (top).
    assert (frame.at_x(0), frame.at_x(5), frame.at_x(10)) == (68, 307, 546)
    assert (frame.at_y(0), frame.at_y(0.5), frame.at_y(1)) == (224, 118, 12)
    assert path_of(frame, Points(np.array([0.0, 10.0]), np.array([0.0, 1.0]))) == (
        "M68.0 224.0L546.0 12.0"
    )


def test_labels_and_ticks_are_escaped_text() -> None:
    frame = Frame(Axis("<x>", 0, 10), Axis("y", 0, 1, lambda value: f"<{value}>"))
    made = drawing(frame, "a & b", "<note>")
    assert "&lt;x&gt;" in made and "&lt;0.0&gt;" in made and "a &amp; b. &lt;note&gt;" in made


def test_a_small_line_spans_all_values_and_leaves_no_gap() -> None:
    # Of 0 to 2 with a twentieth of room: 0.1 / 2.2 and 2.1 / 2.2 of 212 above 224.
    assert 'd="M68.0 214.4L546.0 21.6"' in small_line([0.0, None, 2.0])
    assert 'd="M68.0 118.0h.01"' in small_line([3.0])
