from __future__ import annotations

from avatar_core.rewards.whole_number import read_whole_number
from tests.rewards.golden import rows, said


def test_every_golden_reply_reads_as_labelled():
    replies = rows("whole")
    assert len(replies) == 76
    wrong = {}
    for row in replies:
        got = said("count", row["text"])
        if got != (None if row["label"] is None else str(row["label"])):
            wrong[row["text"]] = got
    assert wrong == {}
    assert sum(row["label"] is None for row in replies) == 26


def test_every_count_is_read_back_from_figures():
    for count in range(0, 12_000, 7):
        for text in (f"{count}", f"There are {count:,}.", f"**{count}** times", f"{count}.0"):
            assert read_whole_number(text) == count, text


def test_a_fraction_is_no_count():
    assert read_whole_number("2.5 times, or 3") is None
    assert read_whole_number("1e400") is None
