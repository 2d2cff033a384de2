from __future__ import annotations

import copy
import json
import random

import numpy as np
import pytest

from avatar_core.errors import CheckpointError
from avatar_core.replay import ReplayBuffer


@pytest.fixture
def state(make_group):
    buffer = ReplayBuffer(min_fill=1)
    for step in range(6):
        buffer.insert(make_group(f"p{step % 3}", [0.5, None, 1.0], step=step))
    buffer.draw(3, random.Random(0))
    return buffer.state_dict()


def set_in(*path):
    *place, value = path

    def change(state):
        target = state
        for key in place[:-1]:
            target = target[key]
        target[place[-1]] = value

    return change


def test_the_state_is_json_and_two_vectors(state):
    arrays = state.pop("arrays")
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    # 6 groups of completions with 3, 4 and 5 tokens.
    assert {name: (a.dtype.name, a.shape) for name, a in arrays.items()} == {
        "token_ids": ("int32", (72,)),
        "logprobs": ("float32", (72,)),
    }


def test_loading_gives_back_every_field(state, make_group):
    buffer = ReplayBuffer(min_fill=1)
    buffer.load_state_dict(state)
    again = buffer.state_dict()
    for name in ("token_ids", "logprobs"):
        assert np.array_equal(again["arrays"].pop(name), state["arrays"].pop(name))
    assert again == state
    stored = next(buffer.groups())
    expected = make_group("p0", [0.5, None, 1.0])
    assert (stored.group.prompt_id, stored.group.media_key) == ("p0", "m")
    for got, want in zip(stored.group.completions, expected.completions, strict=True):
        assert np.array_equal(got.token_ids, want.token_ids)
        assert np.array_equal(got.logprobs, want.logprobs)
        assert (got.text, got.truncated, got.reward) == (want.text, want.truncated, want.reward)
        assert got.parts == want.parts


def test_an_empty_buffer_has_a_state():
    buffer = ReplayBuffer()
    buffer.load_state_dict(ReplayBuffer().state_dict())
    assert len(buffer) == 0


def test_smaller_settings_drop_the_oldest(state):
    buffer = ReplayBuffer(capacity=4, window=2, min_fill=1)
    buffer.load_state_dict(state)
    assert len(buffer) == 4
    assert buffer.baseline("p0") == 0.75


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_in("schema_version", 2), "schema_version"),
        (set_in("extra", 1), "extra"),
        (lambda state: state.pop("next_number"), "next_number"),
        (set_in("next_number", 5), "numbers do not rise"),
        (set_in("groups", 1, "number", 0), "numbers do not rise"),
        (set_in("groups", 0, "prompt_id", "unknown"), "more groups than visits"),
        (set_in("prompts", "p0", "visits", 1), "more groups than visits"),
        (set_in("prompts", "p0", "window", [float("nan")]), "window"),
        (set_in("groups", 0, "reuse", -1), "reuse"),
        (set_in("groups", 0, "completions", []), "no reward"),
        (set_in("groups", 0, "completions", 0, "tokens", 4), "72 values, 73 are listed"),
        (set_in("groups", 0, "completions", 0, "tokens", -1), "tokens"),
        (set_in("groups", 0, "completions", 0, "reward", "1"), "reward"),
        (set_in("groups", 0, "completions", 0, "text", 1), "text"),
        (set_in("arrays", None), "'token_ids' is missing"),
        (set_in("arrays", "logprobs", np.zeros(72)), "'logprobs'.*float32"),
        (set_in("arrays", "token_ids", np.zeros((72, 1), np.int32)), "vector"),
        (set_in("arrays", "token_ids", np.zeros(71, np.int32)), "71 values"),
        (set_in("groups", None), "groups"),
    ],
)
def test_an_unsound_state_is_refused_and_changes_nothing(state, change, message):
    buffer = ReplayBuffer(min_fill=1)
    buffer.load_state_dict(state)
    before = [stored.number for stored in buffer.groups()]
    broken = copy.deepcopy(state)
    change(broken)
    with pytest.raises(CheckpointError, match=message):
        buffer.load_state_dict(broken)
    assert [stored.number for stored in buffer.groups()] == before
