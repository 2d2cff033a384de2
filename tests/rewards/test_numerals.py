from __future__ import annotations

import pytest

from avatar_core.rewards.numerals import all_numbers, first_number, last_number, mentions_number
from tests.rewards.golden import rows, said

UNITS = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def spoken(number: int) -> str:
    """Below 1,000, as it is said."""
    if number < 20:
        return (UNITS + TEENS)[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{UNITS[number % 10]}" if number % 10 else "")
    rest = f" and {spoken(number % 100)}" if number % 100 else ""
    return f"{UNITS[number // 100]} hundred{rest}"


def test_every_golden_reply_reads_as_labelled():
    replies = rows("first")
    assert len(replies) == 30
    wrong = {}
    for row in replies:
        got = said("number", row["text"])
        if (None if got is None else float(got)) != row["label"]:
            wrong[row["text"]] = got
    assert wrong == {}


def test_number_words_are_read_back_up_to_999():
    for number in range(1_000):
        for text in (spoken(number), spoken(number).upper().replace(" AND", "")):
            assert first_number(f"It is {text}.") == number, text
            assert last_number(f"It is {text}.") == number, text
    assert spoken(999) == "nine hundred and ninety-nine"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2 dogs and 5 cats", 2, 5),
        # Beside other numbers "one" is the first, but never the last.
        ("one dog and two cats", 1, 2),
        ("two dogs, the brown one first", 2, 2),
        ("one of the 3 dogs", 3, 3),
        ("the red one", None, None),
        ("at 0:35 and 1:02:03 it rings 4 times", 4, 4),
        ("4 times, last at 0:35", 4, None),
        ("3/4 of 8", None, 8),
        ("8, or 3/4", 8, None),
        ("a hundred and more", 100, 100),
        ("hundreds of them", None, None),
        ("three hundred thousand", None, None),
        ("several hundred and five", None, None),
        # Nothing is read out of the middle of a name or an unreadable number.
        ("GPT-4.5 says so", None, None),
        ("v2.5", None, None),
        ("minus two hundred", -200, -200),
        ("-7 to -3", -7, -3),
    ],
)
def test_first_and_last_number(text, first, last):
    assert (first_number(text), last_number(text)) == (first, last)


def test_all_numbers_are_the_plain_ones_in_order():
    assert all_numbers("2 dogs, twelve cats, 3/4, the one at 0:35, -1.5 and 1,000") == [
        *(2, 12, -1.5, 1000),
    ]
    assert all_numbers("none") == []


def test_what_is_no_plain_number_is_mentioned_all_the_same():
    mentioned = ["5", "3/4", "B12", "1st", "two thousand", "dozens", "three"]
    assert [text for text in mentioned if not mentions_number(text)] == []
    assert [text for text in ("the one", "many", "bone", "", "E") if mentions_number(text)] == []
    assert len(mentioned) == 7
