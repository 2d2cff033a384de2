"""Rows of the table of disagreements that concern replay: two settings, and how they differ."""

from __future__ import annotations

import math
import random
from collections import Counter

import torch

from avatar_core.algo.advantages import vcrs_advantages
from avatar_core.config.replay import ReplayConfig
from avatar_core.replay import ReplayBuffer


def buffer_of(**settings) -> ReplayBuffer:
    return ReplayBuffer.from_config(ReplayConfig(**{"min_fill": 1, **settings}))


def test_row_7_replayed_completions_come_from_any_prompt_or_from_the_same(make_group):
    rng = random.Random(0)
    found = {}
    for source in ("any", "same_prompt"):
        buffer = buffer_of(source=source)
        for step in range(10):
            buffer.insert(make_group(f"p{step}", [0.0, 1.0, 0.5, 0.5], step=step))
        drawn = [d for _ in range(20) for d in buffer.draw(4, rng, prompts=["p3"])]
        assert len(drawn) == 80
        found[source] = {d.group.prompt_id for d in drawn}
    assert found["any"] == {f"p{number}" for number in range(10)}
    assert found["same_prompt"] == {"p3"}


def test_row_9_the_scale_of_replayed_advantages_is_the_batch_or_one():
    rewards, baselines = torch.tensor([1.0, 0.0, 1.0, 0.0]), torch.full((4,), 0.25)
    # σ of the four, divisor 3: √(4 · ¼ / 3) = 1/√3.
    expected = (rewards - baselines) * math.sqrt(3)
    torch.testing.assert_close(vcrs_advantages(rewards, baselines, scale="batch"), expected)
    unscaled = vcrs_advantages(rewards, baselines, scale="none")
    assert unscaled.tolist() == [0.75, -0.25, 0.75, -0.25]
    # A micro-batch of one, as in the release's recipe, has σ = 1 under either.
    for scale in ("batch", "none"):
        alone = [vcrs_advantages(rewards[i : i + 1], baselines[:1], scale=scale) for i in range(4)]
        assert torch.cat(alone).tolist() == unscaled.tolist()


def test_row_14_release_weighs_the_stored_advantage_or_the_reward(make_group):
    rng = random.Random(0)
    firsts = {}
    for proxy in ("advantage", "reward"):
        buffer = buffer_of(priority="release", proxy=proxy, ratios=(0.0, 0.0, 1.0))
        # High reward with an advantage of 0, and low reward with a high advantage.
        buffer.insert(make_group("solved", [9.0, 9.0]), advantages=[0.0, 0.0], kl=[0.0, 0.0])
        buffer.insert(make_group("stuck", [0.0, 0.0]), advantages=[9.0, 9.0], kl=[0.0, 0.0])
        firsts[proxy] = Counter(
            d.group.prompt_id for _ in range(50) for d in buffer.draw(1, rng)
        ).most_common(1)[0]
    assert firsts["advantage"][0] == "stuck"
    assert firsts["reward"][0] == "solved"
    assert min(count for _, count in firsts.values()) >= 48


def test_row_15_replay_starts_at_128_completions_or_at_10(make_group):
    starts = {}
    for config in (ReplayConfig(), ReplayConfig(min_fill=10)):
        buffer = ReplayBuffer.from_config(config)
        while not buffer.ready:
            buffer.insert(make_group("q", [0.0, 1.0]))
        starts[config.min_fill] = len(buffer)
    assert starts == {128: 128, 10: 10}
