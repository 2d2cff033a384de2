from __future__ import annotations

from avatar_core.rewards.yes_no import read_yes_no
from tests.rewards.golden import rows, said


def test_every_golden_reply_reads_as_labelled():
    replies = rows("yesno")
    assert len(replies) == 53
    wrong = {
        row["text"]: got for row in replies if (got := said("yesno", row["text"])) != row["label"]
    }
    assert wrong == {}
    assert {row["label"] for row in replies} == {"yes", "no", None}


def test_words_that_hold_a_no_or_a_yes_state_nothing():
    words = ["know", "Noah", "north", "piano", "eyes", "yesterday", "no-one", "yes-man", "shot_no"]
    assert [word for word in words if read_yes_no(f"I hear {word}")] == []
    assert len(words) == 9


def test_the_last_answer_counts_and_a_missing_thing_is_no_answer():
    assert read_yes_no("Yes. Wait: no") == "no"
    assert read_yes_no("No. Wait: yes") == "yes"
    assert read_yes_no("Yes, no sign of a lie") == "yes"
    assert read_yes_no("no sign of a lie") is None
    assert read_yes_no("no, no sign of a lie") == "no"
