from __future__ import annotations

import copy
import json
import random

import numpy as np
import pytest

from avatar_core.errors import CheckpointError
from avatar_core.replay import ReplayBuffer
from avatar_core.replay.state import digest_of


@pytest.fixture
def state(make_group):
    buffer = ReplayBuffer(min_fill=1)
    for step in range(6):
        buffer.insert(make_group(f"p{step % 3}", [0.5, None, 1.0], step=step))
    buffer.mark_used(buffer.draw(3, random.Random(0)))
    return buffer.state_dict()


def set_in(*path):
    *place, value = path

    def change(state):
        target = state
        for key in place[:-1]:
            target = target[key]
        target[place[-1]] = value

    return change


def with_record(record: bytes):
    def change(state):
        state["records"][0] = record
        state["groups"][0]["digest"] = digest_of(record)

    return change


def test_the_state_is_json_and_records(state):
    records = state.pop("records")
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert [digest_of(record) for record in records] == [row["digest"] for row in state["groups"]]
    assert len(records) == 6
    assert sum(row["reuse"] for row in state["groups"]) == 3
    assert (state["schema_version"], state["next_number"], state["latest_step"]) == (2, 6, 5)


def test_loading_gives_back_every_field(state, make_group):
    buffer = ReplayBuffer(min_fill=1)
    buffer.load_state_dict(state)
    assert buffer.state_dict() == state
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


def test_groups_stored_for_another_priority_are_refused(state, make_group, insert):
    with pytest.raises(CheckpointError, match="stored without advantages"):
        ReplayBuffer(priority="release").load_state_dict(state)
    with pytest.raises(CheckpointError, match="stored without kl"):
        ReplayBuffer(priority="release", proxy="reward").load_state_dict(state)
    ReplayBuffer(priority="release", proxy="reward", kl_weight=0.0).load_state_dict(state)
    full = ReplayBuffer(priority="release")
    insert(full, make_group("q", [0.0, 1.0], step=3))
    other = ReplayBuffer(priority="release")
    other.load_state_dict(full.state_dict())
    stored = next(other.groups())
    assert (stored.advantages, stored.kl) == ((-0.5, 0.5), (0.03, 0.04))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_in("schema_version", 1), "schema_version"),
        (set_in("extra", 1), "extra"),
        (lambda state: state.pop("next_number"), "next_number"),
        (set_in("next_number", 5), "numbers do not rise"),
        (set_in("latest_step", 4), "later step"),
        (set_in("groups", 1, "number", 0), "numbers do not rise"),
        (lambda state: state["prompts"].pop("p0"), "more groups than visits"),
        (set_in("prompts", "p0", "visits", 1), "more groups than visits"),
        (set_in("prompts", "p0", "window", [float("nan")]), "window"),
        (set_in("groups", 0, "reuse", -1), "reuse"),
        (set_in("groups", 0, "digest", "0" * 32), "group 0 is not what its digest says"),
        (set_in("groups", None), "groups"),
        (set_in("records", None), "expected a list of 6"),
        (set_in("records", 0, None), "group 0 is not what"),
        (lambda state: state["records"].pop(), "expected a list of 6"),
        (lambda state: state["records"].reverse(), "is not what its digest says"),
        (with_record(b""), "group 0: its head is cut off"),
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
