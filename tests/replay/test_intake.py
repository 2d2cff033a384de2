from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avatar_core.replay.intake import admit, admit_values


def with_first(group, **changes):
    first = dataclasses.replace(group.completions[0], **changes)
    return dataclasses.replace(group, completions=(first, *group.completions[1:]))


def test_sound_groups_pass_as_they_are(make_group):
    group = make_group("q", [1.0, 0.0])
    assert admit(group) is group


def test_other_number_types_become_32_bit(make_group):
    group = with_first(
        make_group("q", [1.0]), token_ids=np.array([5, 6, 7]), logprobs=np.array([-0.5, -1.0, -2.0])
    )
    first = admit(group).completions[0]
    assert (first.token_ids.dtype.name, first.logprobs.dtype.name) == ("int32", "float32")
    assert first.logprobs.tolist() == [-0.5, -1.0, -2.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reward": float("nan")}, "nan of 'q' is no finite number"),
        ({"reward": float("inf")}, "inf"),
        ({"parts": {"judge": float("nan")}}, "nan"),
        ({"reward": "1"}, "'1'"),
        ({"logprobs": np.zeros(2, np.float32)}, r"shape \(3,\)"),
        (
            {"token_ids": np.zeros((1, 3), np.int32), "logprobs": np.zeros((1, 3), np.float32)},
            r"shape \(1, 3\)",
        ),
    ],
)
def test_what_would_poison_the_buffer_is_refused(make_group, changes, message):
    with pytest.raises(ValueError, match=message):
        admit(with_first(make_group("q", [1.0]), **changes))


def test_values_come_one_for_each_completion(make_group):
    group = make_group("q", [1.0, None])
    assert admit_values(group, "kl", [np.float32(0.5), 1], needed=True) == (0.5, 1.0)
    assert admit_values(group, "kl", None, needed=False) is None
    for values in ([0.5], [0.5, 0.5, 0.5], [0.5, float("nan")], [0.5, float("inf")]):
        with pytest.raises(ValueError, match="kl of 'q' must be 2 finite numbers"):
            admit_values(group, "kl", values, needed=False)
    with pytest.raises(ValueError, match="needs kl of 'q'; pass kl to insert"):
        admit_values(group, "kl", None, needed=True)
