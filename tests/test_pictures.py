from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from tests.pictures import terminal_picture
from tests.run_records import group_row, metrics_row, write_run


def test_the_terminal_is_drawn_as_printed_and_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [metrics_row(1, reward_mean=0.25), metrics_row(2, reward_mean=0.75)]
    write_run(tmp_path / "runs" / "one", rows, [group_row([0.0, 1.0], [-1.0, 1.0])])
    monkeypatch.chdir(tmp_path)
    drawn = terminal_picture(tmp_path, ["runs/one"]).read_text(encoding="utf-8")
    # The name of the format itself is the only address.
    assert re.findall(r"https?:[^\"\')\s]*", drawn) == ["http://www.w3.org/2000/svg"]
    assert "@font-face" not in drawn
    written = html.unescape(re.sub(r"<[^>]*>", "", drawn)).replace("\xa0", " ")
    assert "$ avatar report runs/one" in written
    assert "Reward diversity" in written
    assert "Over the run" in written
    # More reward is green in the theme of the picture.
    assert "#98e024" in drawn
