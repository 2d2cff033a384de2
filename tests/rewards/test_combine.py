from __future__ import annotations

import numpy as np
import pytest

from avatar_core.errors import UsageError
from avatar_core.rewards import REWARDS, RewardContext, score
from avatar_core.types import Sample

SAMPLE = Sample("s", "How many?", (), "4", "numerical")
GOOD = "<think>x</think><answer>4</answer>"
CLOSE = "<think>x</think><answer>3</answer>"
LOOSE = "4"


@pytest.fixture
def judge(monkeypatch):
    """A reward that fails on the second completion."""
    monkeypatch.setitem(REWARDS, "judge", lambda texts, sample: [0.5, *[None] * (len(texts) - 1)])


def test_the_total_is_the_weighted_sum_of_the_parts():
    scored = score([GOOD, CLOSE, LOOSE], SAMPLE, {"format": 0.5, "accuracy": 0.5})
    # 0.5·1 + 0.5·1; 0.5·1 + 0.5·0.75; 0.5·(−1) + 0.5·1.
    assert [row.total for row in scored] == [1.0, 0.875, 0.0]
    assert scored[1].parts == {"format": 1.0, "accuracy": 0.75}


def test_options_reach_their_function():
    scored = score(
        [CLOSE, LOOSE],
        SAMPLE,
        {"format": 1.0, "accuracy": 2.0},
        {"format": {"values": "binary"}, "accuracy": {"numeric": "strict"}},
    )
    # 1·1 + 2·0; 1·0 + 2·1.
    assert [row.total for row in scored] == [1.0, 2.0]


def test_a_failed_part_leaves_only_its_completion_without_a_total(judge):
    scored = score([GOOD, GOOD], SAMPLE, {"accuracy": 0.5, "judge": 0.5})
    assert scored[0] == (0.75, {"accuracy": 1.0, "judge": 0.5})
    assert scored[1] == (None, {"accuracy": 1.0, "judge": None})


def test_a_part_without_weight_is_recorded_but_does_not_count(judge):
    scored = score([GOOD, GOOD], SAMPLE, {"accuracy": 0.5, "judge": 0.0})
    assert [row.total for row in scored] == [0.5, 0.5]
    assert [row.parts["judge"] for row in scored] == [0.5, None]


def test_an_unusable_sample_has_no_total():
    unusable = Sample("s", "How many?", (), "several", "numerical")
    assert score([GOOD], unusable, {"format": 0.5, "accuracy": 0.5})[0].total is None


def test_no_completions_give_no_scores():
    assert score([], SAMPLE, {"format": 1.0}) == []


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        ({"acuracy": 1.0}, {}, "did you mean 'accuracy'"),
        ({}, {}, "no reward weights"),
        ({"format": 1.0}, {"accuracy": {}}, "'accuracy' has options but no weight"),
        ({"format": 1.0}, {"format": {"value": "binary"}}, "no option 'value'"),
    ],
)
def test_what_cannot_be_honoured_is_refused(weights, options, message):
    with pytest.raises(UsageError, match=message):
        score([GOOD], SAMPLE, weights, options)


def test_the_context_reaches_the_functions_that_declare_it(monkeypatch):
    seen = []

    def watcher(texts, sample, *, bonus=0.0, context):
        seen.append(context)
        return [bonus for _ in texts]

    monkeypatch.setitem(REWARDS, "watcher", watcher)
    weights, options = {"format": 1.0, "watcher": 1.0}, {"watcher": {"bonus": 0.5}}
    given = RewardContext(judge="a judge", fresh=False)
    assert score([GOOD], SAMPLE, weights, options, context=given)[0].total == 1.5
    assert score([GOOD], SAMPLE, weights)[0].total == 1.0
    assert seen == [given, RewardContext()]


def test_the_context_is_no_option():
    with pytest.raises(UsageError, match="no option 'context'"):
        score([GOOD], SAMPLE, {"self": 1.0}, {"self": {"context": None}})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([float("nan")], "gave nan.*finite"),
        ([float("inf")], "gave inf.*finite"),
        (["1"], "gave '1'.*finite"),
        ([1j], "finite"),
        ([], "0 values"),
        (None, "gave NoneType, not a list"),
        (1.0, "gave float, not a list"),
    ],
)
def test_a_reward_that_breaks_its_promise_is_named(monkeypatch, values, message):
    monkeypatch.setitem(REWARDS, "broken", lambda texts, sample: values)
    with pytest.raises(UsageError, match=f"'broken'.*{message}"):
        score([GOOD], SAMPLE, {"broken": 1.0})


@pytest.mark.parametrize("value", [np.float32(0.5), np.int64(2), True])
def test_any_real_number_is_recorded_as_a_plain_float(monkeypatch, value):
    monkeypatch.setitem(REWARDS, "real", lambda texts, sample: [value])
    (row,) = score([GOOD], SAMPLE, {"real": 1.0})
    assert (type(row.total), type(row.parts["real"])) == (float, float)
    assert row.total == float(value)
