"""What two prompts share is taken over, and the encoding is that of the whole prompt."""

from __future__ import annotations

import numpy as np
import torch

from avatar_core.inference.shared_prefix import encode_after, shared_length
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Prompt
from avatar_core.types import Clip, MediaRef


def test_how_much_two_prompts_share() -> None:
    def shared(one: list[int], other: list[int]) -> int:
        return shared_length(torch.tensor(one), torch.tensor(other))

    assert shared([1, 2, 3, 4], [1, 2, 9, 4]) == 2
    assert shared([7, 2], [1, 2]) == 0
    # At least one token is new, so that there is something to encode.
    assert shared([1, 2, 3], [1, 2, 3]) == 2
    assert shared([1, 2, 3], [1]) == 1


@torch.no_grad()
def test_an_encoding_from_where_two_prompts_part_is_that_of_the_whole() -> None:
    policy = load_policy("tiny")
    draw = np.random.default_rng(0)
    clip = Clip(
        ref=MediaRef("video", "clip.mp4"),
        frames=draw.integers(0, 255, (4, 56, 84, 3), np.uint8),
        times=(0.0, 0.5, 1.0, 1.5),
        fps=2.0,
        sound=draw.normal(0.0, 0.1, 32000).astype(np.float32),
        sample_rate=16000,
        reader="av",
        content_hash="",
    )
    earlier = policy.prepare(Prompt("Look.", (clip, "What colour is the shape?")))
    encoded = policy.encode([earlier])
    words = ("What colour is it?", "What colour is the shape?", "Why?")
    for question in words:
        prepared = policy.prepare(Prompt("Look.", (clip, question)))
        found = encode_after(policy, prepared, earlier, encoded)
        wanted = policy.encode([prepared])
        assert torch.equal(found.embeddings, wanted.embeddings)
        assert torch.equal(found.positions, wanted.positions)
        assert found.lengths == wanted.lengths
    assert len(words) == 3
