from __future__ import annotations

import re

from avatar_core.reporting.html.groups_table import PRINTED, cut, groups_table
from avatar_core.reporting.html.groups_table import reward_marks as marks
from avatar_core.reporting.html.sampling import MOST_TEXT
from tests.run_records import group_row


def test_a_row_tells_its_group() -> None:
    row = group_row(
        [0.0, 0.5, None],
        [-1.0, 1.25, 0.0],
        tier="hard",
        question="Which <b>?",
        solution="A",
        hinted=True,
    )
    made = groups_table([row], 10, {"p": "strip0"}, "run1")
    assert made is not None
    keys = re.findall(r'data-key="([^"]*)"', made)
    # Step, tier (hard is third), source, mean, spread, largest |A|.
    assert keys == ["1", "3", "fresh", "0.25", "0.5", "1.25"]
    assert "Which &lt;b&gt;?" in made and "<b>" not in made
    assert 'href="#strip0"' in made and "Frames of p" in made
    assert "p · colour · hinted" in made
    assert made.count("<li>") == 3
    assert 'chip down">A −1.00' in made and 'chip up">A +1.25' in made
    assert "1 of 1 groups." in made
    assert 'data-tier="hard" data-source="fresh"' in made


def test_only_what_is_there_can_be_chosen() -> None:
    made = groups_table([group_row([1.0], tier="easy")], 10, {}, "run1")
    assert made is not None
    assert re.findall(r'<option value="([^"]*)">', made) == ["", "easy", "", "fresh"]
    assert groups_table([], 10, {}, "run1") is None


def test_a_group_without_rewards_or_question_is_shown() -> None:
    made = groups_table([group_row([None], [None])], 10, {}, "run1")
    assert made is not None
    assert 'aria-label="No reward"' in made
    assert '<p class="question" dir="auto">p</p>' in made
    assert "A –" in made


def test_a_long_text_is_cut_and_says_so() -> None:
    assert cut("x" * MOST_TEXT) == "x" * MOST_TEXT
    assert cut("x" * (MOST_TEXT + 1234)).endswith("x … (1,234 more characters)")


def test_marks_lie_on_a_common_scale() -> None:
    made = marks([0.0, 1.0], (0.0, 2.0))
    assert 'd="M4 3v12M39 3v12"' in made
    assert 'aria-label="Rewards 0.00, 1.00"' in made
    assert 'd="M4 3v12"' in marks([1.0], (1.0, 1.0))


def test_the_style_sheet_prints_as_many_rows_as_the_page_says() -> None:
    from importlib.resources import files

    style = (files("avatar_core.reporting.html") / "assets/report.css").read_text()
    assert f"tr:nth-child(n+{PRINTED + 1})" in style
