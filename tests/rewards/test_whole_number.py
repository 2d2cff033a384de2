from __future__ import annotations

from avatar_core.rewards.answer import extract_whole_number
from avatar_core.rewards.whole_number import read_whole_number
from tests.rewards.golden import rows


def test_every_golden_reply_reads_as_labelled():
    replies = rows("whole")
    assert len(replies) == 71
    wrong = {
        row["text"]: got
        for row in replies
        if (got := extract_whole_number(row["text"])) != row["label"]
    }
    assert wrong == {}
    assert sum(row["label"] is None for row in replies) == 23


def test_every_count_is_read_back_from_figures():
    for count in range(0, 12_000, 7):
        for text in (f"{count}", f"There are {count:,}.", f"**{count}** times", f"{count}.0"):
            assert read_whole_number(text) == count, text


def test_a_fraction_is_no_count():
    assert read_whole_number("2.5 times, or 3") is None
    assert read_whole_number("1e400") is None
