from __future__ import annotations

import itertools
from functools import partial

import pytest

from avatar_core.rewards.answer import read_answer
from avatar_core.rewards.letter_sets import f1, read_letter_set
from tests.rewards.golden import rows

EMOTIONS = ("Calm", "Joy", "Joy and relief", "Doubt")


def test_every_golden_reply_reads_as_labelled():
    replies = rows("set")
    assert len(replies) == 81
    wrong = {}
    for row in replies:
        letters, options = row["letters"], row["options"] or ()
        got = read_answer(row["text"], partial(read_letter_set, letters=letters, options=options))
        if got != (None if row["label"] is None else frozenset(row["label"])):
            wrong[row["text"]] = got
    assert wrong == {}
    assert sum(row["label"] is None for row in replies) == 15


def test_every_set_is_read_back_in_every_way_of_writing_it():
    tags = "<answer>{}</answer>"
    forms = ["{}", tags, "The answers are {}.", "Answer: {}", "[{}]", "so {} it is"]
    tried = 0
    for size in (1, 2, 3):
        for chosen in itertools.combinations("ABCDEF", size):
            for between, form in itertools.product((", ", ",", " and ", ", and "), forms):
                text = form.format(between.join(chosen))
                # "so A it is" reads like the article.
                if chosen[-1] != "A" or form != "so {} it is":
                    got = read_answer(text, partial(read_letter_set, letters="ABCDEF"))
                    assert got == frozenset(chosen), text
                    tried += 1
    # 6 + 15 + 20 sets in 4 x 6 ways, without the 4 that end in a lone A.
    assert tried == 41 * 24 - 4


def test_letters_of_words_and_letters_not_offered_are_never_read():
    assert read_letter_set("BAD FACE, ABC", "ABCDEF") is None
    assert read_letter_set("B, X, Y", "ABCD") == {"B"}
    assert read_letter_set("A man and I", "ABCDEFGHI") is None


def test_an_option_text_within_a_longer_one_is_not_named():
    assert read_letter_set("joy and relief", "ABCD", EMOTIONS) == {"C"}
    assert read_letter_set("joy, then joy and relief", "ABCD", EMOTIONS) == {"B", "C"}
    assert read_letter_set("joyful", "ABCD", EMOTIONS) is None
    assert read_letter_set("doubt but not joy", "ABCD", EMOTIONS) == {"D"}


@pytest.mark.parametrize(
    ("answer", "gold", "value"),
    [
        # 2 x shared / (stated + right)
        ("BD", "BD", 1.0),
        ("B", "BD", 2 / 3),
        ("BCD", "BD", 4 / 5),
        ("AB", "BD", 1 / 2),
        ("AC", "BD", 0.0),
        ("", "BD", 0.0),
        ("", "", 0.0),
    ],
)
def test_f1_of_sets(answer, gold, value):
    assert f1(frozenset(answer), frozenset(gold)) == pytest.approx(value, abs=1e-15)
