"""Whatever a model writes, every reward function gives finite numbers or `None`."""

from __future__ import annotations

import math
import time
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.rewards.accuracy import accuracy_reward
from avatar_core.rewards.consistency import consistency_reward
from avatar_core.rewards.format import format_reward
from avatar_core.types import ProblemType
from tests.rewards.kinds import COLOURS, sample, samples

FUNCTIONS = {
    "format": (format_reward, -1.0),
    "accuracy": (accuracy_reward, 0.0),
    "self": (consistency_reward, 0.0),
}
PIECES = st.sampled_from(
    ["<think>", "</think>", "<answer>", "</answer>", "B", "4", "1e999", "left: dog", "\u202e", "ﬁ"]
)
TEXTS = st.one_of(
    st.text(max_size=40), st.lists(st.one_of(PIECES, st.text(max_size=8))).map("".join)
)
HOSTILE = [
    "",
    " \n\t ",
    "\x00",
    "\ufffd" * 50,
    "<think>B, 4, left: dog, open all night, the dog barks",
    "<answer>",
    "<answer></answer>",
    "</think>",
    "<think>狗</think><answer>狗在叫：𝟜</answer>",
    "<answer>e\u0301 İ ſ ß ﬀ \U0001f600</answer>",
    "<answer>1e999</answer>",
    "<answer>" + "9" * 400 + "</answer>",
]
LONG = [
    "x" * 10_000,
    "<answer>" + "9" * 10_000 + "</answer>",
    "<answer>" + "word " * 2_000 + "</answer>",
    "<answer>" + "left: dog; " * 900 + "</answer>",
    "<think>" * 1_400,
    "<answer>" + "B " * 5_000,
    "<answer>" + "答" * 10_000,
]


def check(function, texts, case, least):
    values = function(texts, case)
    assert len(values) == len(texts)
    for value in values:
        assert value is None or (math.isfinite(value) and least <= value <= 1), (case, texts)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hostile_texts_are_scored(name):
    function, least = FUNCTIONS[name]
    for case in samples():
        check(function, HOSTILE, case, least)
        for text in HOSTILE:
            check(function, [text], case, least)
    assert len(samples()) == 6


@pytest.mark.parametrize("name", FUNCTIONS)
def test_long_texts_are_scored_in_seconds(name):
    function, least = FUNCTIONS[name]
    begun = time.perf_counter()
    for case in samples():
        check(function, LONG, case, least)
    # Well under a second each on one core; a quadratic rule takes minutes.
    assert time.perf_counter() - begun < 20


def test_empty_and_unfinished_texts_earn_nothing():
    texts = ["", "<think>B, 4, left: dog", "<think>"]
    for case in samples():
        assert accuracy_reward(texts, case) == [0, 0, 0], case
        assert consistency_reward(texts, case) == [0, 0, 0], case
        assert format_reward(texts, case) == [-1, -1, -1], case


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=4), st.sampled_from(get_args(ProblemType)), TEXTS)
def test_any_text_and_any_solution_give_finite_values_or_none(texts, kind, solution):
    case = sample(solution, kind, COLOURS if kind == "multiple choice" else ())
    for function, least in FUNCTIONS.values():
        check(function, texts, case, least)
