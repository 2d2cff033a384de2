from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.rewards.answer import (
    answer_text,
    extract_letter,
    extract_number,
    extract_pairs,
    read_answer,
    split_completion,
)
from avatar_core.rewards.letter_sets import read_letter_set
from avatar_core.rewards.numerals import mentions_number
from avatar_core.rewards.open_answer import mmmu_agrees, same_text
from avatar_core.rewards.whole_number import read_whole_number
from avatar_core.rewards.yes_no import read_yes_no
from tests.rewards.golden import rows

OPTIONS = ["A red ball", "blue", "42", "Both A and B"]
PIECES = [
    *"ABCDEabcdI",
    *" \t\n.,:;()[]{}*\"'`$\\-/&_<>",
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    "</ans",
    "\\boxed{",
    "**",
    "the ",
    "answer ",
    "Option ",
    "is ",
    "not ",
    "man ",
    "because ",
    "I am ",
    "a red ball",
    "BLUE",
    "42",
    "both A and b",
    "答案",
    "é",
    "ſ",
    "İ",
    "\u200b",
    "７",
]


def is_stated(letter: str, text: str, options: list[str]) -> bool:
    """Defined apart from the parser: a token of its own, or the option's text occurs."""
    tokens = re.split(r"[^A-Za-z0-9]+", text)
    option = " ".join(options["ABCD".index(letter)].casefold().split())
    return letter in (token.upper() for token in tokens) or option in " ".join(
        text.casefold().split()
    )


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("B.", "B"),
        ("b", "B"),
        ("(B) The X-ray", "B"),
        ("B. A man is running", "B"),
        ("The answer is B because I saw it", "B"),
        ("<answer>b</answer>", "B"),
        ("<answer>B. A dog</answer>", "B"),
        ("Based on the video, option C", "C"),
        ("<think>A or C?</think><answer>D</answer>", "D"),
        ("A man walks", None),
        ("I am not sure", None),
        ("E", None),
    ],
)
def test_the_vectors_of_the_benchmark_rules(text, letter):
    assert extract_letter(text, "ABCD") == letter
    assert extract_letter(text, ["A", "B", "C", "D"]) == letter


def test_every_golden_letter_reply_reads_as_labelled():
    replies = rows("letter")
    assert len(replies) == 404
    wrong = {
        row["text"]: got
        for row in replies
        if (got := extract_letter(row["text"], row["letters"], row["options"])) != row["label"]
    }
    assert wrong == {}
    # A corpus of one label only could not tell a parser from a constant.
    assert {row["label"] for row in replies} >= {"A", "B", "C", "D", None}


def test_every_golden_number_reply_reads_as_labelled():
    replies = rows("number")
    assert len(replies) == 39
    wrong = {
        row["text"]: got for row in replies if (got := extract_number(row["text"])) != row["label"]
    }
    assert wrong == {}


def test_every_golden_pair_reply_reads_as_labelled():
    replies = rows("pairs")
    assert len(replies) == 15
    for row in replies:
        label = row["label"]
        expected = None if label is None else frozenset(map(tuple, label))
        assert extract_pairs(row["text"]) == expected, row["text"]


def test_the_tag_is_read_first_and_then_what_surrounds_it():
    # A text of letters alone states itself here.
    def shout(text: str) -> str | None:
        return text.upper() if text.isalpha() else None

    assert read_answer("<think>a</think>b<answer>c</answer>", shout) == "C"
    assert read_answer("<think>a</think>b<answer>?</answer>", shout) == "B"
    assert read_answer("<think>a</think><answer>?</answer>", shout) is None
    assert read_answer("b", shout) == "B"
    assert read_answer("", shout) is None


def test_an_unclosed_reasoning_is_read_whole_or_for_its_tag_alone():
    reasoning, tag = "<think>it is yes", "<answer>no</answer>"
    assert read_answer(reasoning, read_yes_no) == "yes"
    assert read_answer(reasoning, read_yes_no, unclosed=False) is None
    for unclosed in (True, False):
        assert read_answer(reasoning + tag, read_yes_no, unclosed=unclosed) == "no"
        assert extract_letter("<think>so B<answer>C</answer>", "ABCD", unclosed=unclosed) == "C"
    assert extract_letter("<think>so it is B", "ABCD") == "B"
    assert extract_letter("<think>so it is B", "ABCD", unclosed=False) is None


def test_a_tag_that_settles_the_answer_ends_the_reading():
    text = "<answer>3.5</answer> I saw 2"
    assert read_answer(text, read_whole_number) == 2
    assert read_answer(text, read_whole_number, settles=mentions_number) is None
    text = "<answer>many</answer> I saw 2"
    assert read_answer(text, read_whole_number, settles=mentions_number) == 2


def test_only_stated_options_come_out_of_random_text():
    rng = random.Random(20_000)
    found = 0
    for _ in range(20_000):
        text = "".join(rng.choices(PIECES, k=rng.randrange(1, 25)))
        letter = extract_letter(text, "ABCD", OPTIONS)
        if letter is not None:
            found += 1
            assert letter in "ABCD"
            assert is_stated(letter, text, OPTIONS), (letter, text)
    # Parsing must be neither vacuous nor total on such text.
    assert 4_000 < found < 19_000


def test_letters_inside_words_are_not_stated():
    rng = random.Random(7)
    for _ in range(2_000):
        words = ["".join(rng.choices("ABCDabcd", k=rng.randrange(2, 6))) for _ in range(5)]
        assert extract_letter(" ".join(words), "ABCD") is None, words


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_a_valid_letter_a_finite_number_or_none(text):
    assert extract_letter(text, "ABC") in ("A", "B", "C", None)
    number = extract_number(text)
    assert number is None or abs(number) < float("inf")
    assert extract_pairs(text) != frozenset()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ABCD 0123456789abc.:", max_size=40), st.sampled_from("ABCD"))
def test_closed_reasoning_never_changes_the_answer(reasoning, letter):
    text = f"<think>{reasoning}</think><answer>{letter}</answer>"
    assert extract_letter(text, "ABCD") == letter
    assert extract_number(f"<think>{reasoning}</think>nothing") is None


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**9), 10**9), st.integers(0, 3))
def test_a_number_written_in_the_tags_is_read_back(integer, decimals):
    value = integer / 10**decimals
    assert extract_number(f"<think>1</think><answer>{value:,.{decimals}f}</answer>") == value
    assert extract_number(f"so it is {value:.{decimals}f}.") == value


@pytest.mark.parametrize(
    ("text", "reasoning", "answer", "closed"),
    [
        ("<think>a</think><answer>b</answer>", "a", "b", True),
        ("<think> a </think>\n b ", "a", "b", True),
        ("a</think>b", "a", "b", True),
        ("b", "", "b", True),
        ("<answer>b</answer> and more", "", "b", True),
        ("<think>a</think><answer>b", "a", "b", True),
        ("<think>a</think>x<answer>1</answer><answer>2</answer>", "a", "2", True),
        ("<think>a</think>c</think><answer>b</answer>", "a c", "b", True),
        ("<think>a", "a", "", False),
        ("<think>a<answer>b</answer>", "a", "b", False),
        ("<think>a<answer>b", "a", "b", False),
        ("<think>a</think><think>c", "a  c", "", False),
        ("", "", "", True),
    ],
)
def test_a_completion_is_split_at_its_tags(text, reasoning, answer, closed):
    parts = split_completion(text)
    assert (parts.reasoning, parts.answer, parts.closed) == (reasoning, answer, closed)
    assert answer_text(text) == answer


def test_hostile_repetition_is_read_in_linear_time():
    hostile = [
        "answer is " * 5_000,
        "<answer>" * 5_000,
        "<think>" * 5_000,
        "**" * 20_000,
        "\\boxed{" * 5_000,
        "answer" + "*" * 20_000 + "is" + " " * 20_000,
        "1,2." * 10_000,
        "1" * 50_000,
        "one " * 10_000,
        "a:b," * 10_000,
        "- " * 20_000,
        "A, B, C, " * 5_000,
        "A. B. C. D. " * 3_000,
        "Options: A. " * 3_000,
        "none of A, " * 5_000,
        "B" + " " * 20_000 + "D",
        "no no " * 5_000,
        "yes " + " " * 20_000 + "or",
        "(" * 20_000 + "B",
        "two hundred and " * 5_000,
        "B or " * 5_000,
        "B is not " * 5_000,
        "B" + " " * 20_000 + "is not the" + " " * 20_000 + "x",
        "B, C, D and " * 3_000,
        "B? " * 5_000,
        "blue or the " * 3_000,
    ]
    begun = time.perf_counter()
    for text in hostile:
        extract_letter(text, "ABCD", OPTIONS)
        extract_number(text)
        extract_pairs(text)
        read_letter_set(text, "ABCD", OPTIONS)
        read_yes_no(text)
        read_whole_number(text)
        mentions_number(text)
        same_text(text, ["x"])
        mmmu_agrees(text, ["x", "5"])
    # About 1 s on one core; a quadratic rule takes minutes.
    assert time.perf_counter() - begun < 20
