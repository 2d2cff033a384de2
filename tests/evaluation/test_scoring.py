from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from avatar_core.benchmarks.item import AnswerKind, Item
from avatar_core.evaluation.scoring import READERS, Verdict, gold_of, score_item
from avatar_core.types import Sample

COLOURS = ("red", "green", "blue")
EMOTIONS = ("Calm", "Worry", "Joy", "Doubt")
CLUES = json.dumps(
    {"category": "event", "clue": [{"start": 0, "end": 10}, {"start": 20, "end": 30}], "times": []}
)


def item(kind: AnswerKind, gold: str, options: tuple[str, ...] = (), **more: Any) -> Item:
    return Item("1", "b", "", (), "What is A, or 7?", options, gold, kind, **more)


CHOICE = item("mc", "B", COLOURS)
SET = item("multi", "B,D", EMOTIONS)
CASES: list[tuple[Item, str, str | None, float]] = [
    (CHOICE, "<think>A?</think><answer>B. green</answer>", "green", 1),
    (CHOICE, "blue", "blue", 0),
    (CHOICE, "D", None, 0),
    (item("mc", "E"), "E", "E", 1),
    (item("mc", "B"), "E", None, 0),
    # F1: 2 x 1 / (1 + 2) and 2 x 2 / (3 + 2).
    (SET, "B, D", "Worry; Doubt", 1),
    (SET, "<answer>d</answer>", "Doubt", 2 / 3),
    (SET, "worry, joy and doubt", "Worry; Joy; Doubt", 4 / 5),
    (SET, "none", None, 0),
    (item("multi", "F"), "F, A", "A; F", 2 / 3),
    (item("yesno", "yes"), "I know: yes", "yes", 1),
    (item("yesno", "yes"), "<answer>No.</answer>", "no", 0),
    (item("yesno", "yes"), "I know", None, 0),
    (item("count", "1200"), "There are 1,200.", "1200", 1),
    (item("count", "3"), "<think>3</think>four", "4", 0),
    (item("count", "3"), "many", None, 0),
    # The tag holds a number, which is no count: what surrounds it is not read.
    (item("count", "2"), "<answer>3.5</answer> I saw 2", None, 0),
    (item("number", "2"), "<answer>1/2</answer> or 2", None, 0),
    (CHOICE, "<answer>E</answer> so it is B", "green", 1),
    (item("number", "10"), "<answer>9.0 m</answer>", "9", 0.9),
    (item("number", "10"), "0.1234567890123", "0.123456789012", 0),
    (item("number", "10"), "far", None, 0),
    (item("open", "Mitral valve", open_rule="exact"), "the mitral valve.", "the mitral valve.", 1),
    (item("open", "Mitral valve", open_rule="exact"), "mitral valves", "mitral valves", 0),
    (item("open", "Mitral valve"), "It is the mitral valves", "It is the mitral valves", 1),
    (item("open", "7", alternatives=("3.429", "24/7")), "x = 24/7", "x = 24/7", 1),
    (item("open", "7"), "<answer> </answer>", None, 0),
    # √(1/2 x 1/2) for one of two events.
    (item("clue", CLUES), "<answer>[[0, 10]]</answer>", "[[0, 10]]", 0.5),
    (item("clue", CLUES), "two", None, 0),
]


def test_replies_are_read_and_scored_by_kind() -> None:
    for one, text, prediction, score in CASES:
        found = score_item(one, text, truncated=False)
        assert found == Verdict(prediction, pytest.approx(score, abs=1e-12), False), text
    assert len(CASES) == 29
    assert {one.answer_kind for one, *_ in CASES} == set(READERS)
    assert {*READERS, "reward"} == set(get_args(AnswerKind))


def test_an_open_reasoning_is_read_whole_and_flagged_unless_it_was_cut_off() -> None:
    replies = [
        (CHOICE, "so it is (B)", "green"),
        (SET, "so B and D", "Worry; Doubt"),
        (item("yesno", "yes"), "so yes", "yes"),
        (item("count", "3"), "so 3", "3"),
        (item("number", "3"), "so 3", "3"),
        (item("open", "so 3", open_rule="exact"), "so 3", "so 3"),
        (item("clue", CLUES), "so [[0, 10], [20, 30]]", "so [[0, 10], [20, 30]]"),
    ]
    for one, text, said in replies:
        assert score_item(one, f"<think>{text}", truncated=False) == (said, 1.0, True)
        assert score_item(one, f"<think>{text}", truncated=True) == (None, 0.0, False)
        tagged = f"<think>hm <answer>{text}</answer>"
        assert score_item(one, tagged, truncated=False) == (said, 1.0, True)
        assert score_item(one, tagged, truncated=True) == (said, 1.0, False)
    assert {one.answer_kind for one, *_ in replies} == set(READERS)


def test_a_cut_reply_that_states_its_answer_first_counts() -> None:
    assert score_item(CHOICE, "<think>x</think>B. green, since", truncated=True) == (
        *("green", 1.0, False),
    )
    assert score_item(CHOICE, "The scene shows", truncated=True) == (None, 0.0, False)


def test_a_training_sample_is_scored_as_in_training() -> None:
    colours = Sample("s", "Which?", (), "B", "multiple choice", COLOURS)
    one = item("reward", "ignored", sample=colours)
    assert score_item(one, "<answer>B</answer>", truncated=False) == ("green", 1.0, False)
    # A reasoning that never ended is no answer there.
    assert score_item(one, "<think>so B", truncated=False) == (None, 0.0, False)
    number = item("reward", "", sample=Sample("s", "How many?", (), "4", "numerical"))
    # Dense reward: 1 - |3 - 4| / 4.
    assert score_item(number, "<answer>3</answer>", truncated=False) == ("3", 0.75, False)
    unusable = item("reward", "", sample=Sample("s", "How many?", (), "none", "numerical"))
    assert score_item(unusable, "<answer>3</answer>", truncated=False) == ("3", None, False)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (CHOICE, "green"),
        (item("mc", "E"), "E"),
        (SET, "Worry; Doubt"),
        (item("multi", "B, D"), "B; D"),
        (item("yesno", "no"), "no"),
        (item("count", "3"), "3"),
        (item("open", "Mitral valve"), "Mitral valve"),
        (item("clue", CLUES), CLUES),
        (item("reward", "", sample=Sample("s", "?", (), "B", "multiple choice", COLOURS)), "green"),
    ],
)
def test_gold_is_said_in_words(one: Item, said: str) -> None:
    assert gold_of(one) == said


def test_the_gold_reply_is_right_for_every_kind() -> None:
    golds = {
        "mc": CHOICE,
        "multi": SET,
        "yesno": item("yesno", "no"),
        "count": item("count", "12"),
        "number": item("number", "2.5"),
        "open": item("open", "a bell"),
    }
    for one in golds.values():
        for text in (
            one.gold,
            gold_of(one),
            f"<think>A, yes, 5</think><answer>{one.gold}</answer>",
        ):
            found = score_item(one, text, truncated=False)
            assert found.score == 1, (one.answer_kind, text)
            if one.answer_kind not in ("multi", "number"):
                assert found.prediction in (gold_of(one), one.gold)
    assert len(golds) == 6
