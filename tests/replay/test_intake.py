from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avatar_core.replay.intake import admit


def with_first(group, **changes):
    first = dataclasses.replace(group.completions[0], **changes)
    return dataclasses.replace(group, completions=(first, *group.completions[1:]))


def test_views_are_copied_and_sound_groups_pass_as_they_are(make_group):
    group = make_group("q", [1.0, 0.0])
    batch = np.arange(1_000, dtype=np.int32)
    assert admit(group) is group
    admitted = admit(with_first(group, token_ids=batch[:3]))
    assert admitted.completions[0].token_ids.base is None
    assert admitted.completions[0].token_ids.tolist() == [0, 1, 2]
    assert admitted.completions[1] is group.completions[1]


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
