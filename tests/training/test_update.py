from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import AdvantageConfig, TrainConfig
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.replay import Drawn
from avatar_core.training.rollout import Visit, draw_completions
from avatar_core.training.update import (
    NOTHING_REPLAYED,
    Part,
    Rehearsal,
    fresh_advantages,
    reference_gaps,
    replayed_advantages,
    score_parts,
    trained_members,
)
from avatar_core.types import Completion, Group
from tests.training.gradients import update_loss
from tests.training.groups import group

PLAIN = ("loss.beta=0.0", "advantage.tas_lambda=0.0")


def settings(*assignments: str) -> TrainConfig:
    return resolve_train(stage=2, assignments=["sampling.max_new_tokens=8", *assignments])


def part(policy: QwenOmniPolicy, visits: Sequence[Visit], advantages: list[Tensor]) -> Part:
    """Two completions of each prompt, drawn from the policy as it is now."""
    encoded = policy.encode([visit.prepared for visit in visits])
    drawn = draw_completions(
        policy, encoded, visits, sizes=[2] * len(visits), config=settings(), step=1
    )
    return Part(encoded, visits, drawn, advantages)


def disturb(policy: QwenOmniPolicy, scale: float = 0.05) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in policy.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_(scale * parameter.std().nan_to_num(0.0) * noise)


def again(policy: QwenOmniPolicy, old: Part) -> Part:
    """The same completions under the policy as it is now."""
    return old._replace(encoded=policy.encode([visit.prepared for visit in old.visits]))


def logprobs_by_hand(policy: QwenOmniPolicy, old: Part) -> list[Tensor]:
    """Log-probabilities of each completion by itself, from an encoding of its prompt alone."""
    found = []
    for visit, members in zip(old.visits, old.completions, strict=True):
        for member in members:
            ids = torch.from_numpy(member.token_ids.astype("int64"))
            scored = policy.logprobs(policy.encode([visit.prepared]), [[ids]])
            found.append(scored.logprobs[0])
    return found


def members_of(parts: Sequence[Part]) -> list[Completion]:
    return [member for one in parts for group in one.completions for member in group]


def test_fresh_advantages_by_hand() -> None:
    groups = [group("a", 1.0, 0.0, 0.0, 1.0), group("b", 0.3, 0.3, 0.3, 0.3)]
    first, second = fresh_advantages(groups, AdvantageConfig(eps=0.0))
    # Mean ½, σ² = 4 · ¼ / 3, so A = ±½ √3 = ±0.8660; equal rewards give exactly 0.
    assert first.tolist() == pytest.approx([0.8660254, -0.8660254, -0.8660254, 0.8660254])
    assert second.tolist() == [0.0, 0.0, 0.0, 0.0]


def test_an_unscored_completion_has_no_advantage_and_no_say() -> None:
    groups = [group("a", 1.0, None, 0.0, None)]
    (only,) = fresh_advantages(groups, AdvantageConfig(scale="none"))
    # Of 1 and 0 the mean is ½; counting the others as 0 would have made it ¼.
    assert only.tolist() == [0.5, 0.0, -0.5, 0.0]


def drawn(made: Group, member: int, number: int, reuse: int = 0) -> Drawn:
    return Drawn(group=made, member=member, tier="hard", number=number, reuse=reuse)


def test_replayed_advantages_by_hand_and_by_group() -> None:
    a, b = group("a", 1.0, 0.0, 0.5), group("b", 0.25, 1.0)
    draws = [drawn(a, 0, 7, reuse=2), drawn(b, 1, 9), drawn(a, 2, 7, reuse=2), drawn(b, 0, 9)]
    found = replayed_advantages(draws, [0.5, 0.0, 0.5, 0.0], AdvantageConfig(alpha=2.0))
    # Rewards 1, 1, ½, ¼: mean 0.6875, σ² = (2 · 0.3125² + 0.1875² + 0.4375²) / 3 = 0.140625,
    # σ = 0.375. A = 2 (R − R̄) / σ = 2 · (½, 1, 0, ¼) / 0.375.
    assert [part.group for part in found] == [a, b]
    assert [part.members for part in found] == [[0, 2], [1, 0]]
    assert found[0].advantages.tolist() == pytest.approx([1 / 0.375, 0.0])
    assert found[1].advantages.tolist() == pytest.approx([2 / 0.375, 0.5 / 0.375])
    assert [(part.baseline, part.draw.reuse) for part in found] == [(0.5, 2), (0.0, 0)]
    assert Rehearsal(found, ()).size == 4


def test_nothing_drawn_is_nothing_replayed() -> None:
    assert replayed_advantages([], [], AdvantageConfig()) == []
    assert NOTHING_REPLAYED.size == 0


@pytest.mark.parametrize("level", ["token", "sequence"])
def test_the_first_step_is_on_policy(
    policy: QwenOmniPolicy, visits: list[Visit], level: str
) -> None:
    fresh = part(policy, visits, [torch.tensor([1.0, -1.0])] * 3)
    config = settings(f"loss.level={level}")
    terms, scored = update_loss(policy, [fresh], config), score_parts(policy, [fresh], config)
    # Generation and scoring add up in another order, so that ratios are 1 up to rounding.
    ratios = (scored.logprobs.detach() - scored.behaviour).exp()[scored.mask]
    assert ratios.tolist() == pytest.approx([1.0] * len(ratios), abs=1e-5)
    assert float(terms.ess) == pytest.approx(1.0, abs=1e-5)
    assert (float(terms.clip_low), float(terms.clip_high)) == (0.0, 0.0)
    assert terms.kl is not None
    assert float(terms.kl) == pytest.approx(0.0, abs=1e-9)
    assert int(terms.rows) == 6


@pytest.mark.parametrize("kl_weights", ["none", "importance"])
def test_without_shaping_and_replay_the_loss_is_that_of_grpo(
    policy: QwenOmniPolicy, visits: list[Visit], kl_weights: str
) -> None:
    advantages = [torch.tensor([1.0, -1.0]), torch.tensor([0.0, 0.0]), torch.tensor([-0.5, 2.0])]
    old = part(policy, visits, advantages)
    with policy.reference():
        pass
    disturb(policy)
    config = settings("loss.beta=0.3", f"loss.kl_weights={kl_weights}", "advantage.tas_lambda=0.0")
    terms = update_loss(policy, [again(policy, old)], config)

    # (1/6) Σᵢ (1/Lᵢ) Σₜ [−min(ρA, clip(ρ, 0.8, 1.2) A) + 0.3 w (eᵈ − d − 1)], one row at a time,
    # with w = 1 or min(1, ρ).
    current = logprobs_by_hand(policy, old)
    with policy.reference() as reference:
        frozen = logprobs_by_hand(reference, old)
    expected, outside = 0.0, 0
    flat = torch.cat(advantages)
    for row, member in enumerate(members_of([old])):
        ratio = (current[row].detach() - torch.from_numpy(member.logprobs)).exp()
        clipped = ratio.clamp(0.8, 1.2)
        d = frozen[row] - current[row].detach()
        kl = (d.exp() - d - 1) * (1.0 if kl_weights == "none" else ratio.clamp(max=1.0))
        token = -torch.minimum(ratio * flat[row], clipped * flat[row]) + 0.3 * kl
        expected += float(token.mean()) / 6
        outside += int((ratio != clipped).sum())
    # The weights were moved far enough for the clip to matter.
    assert outside > 5
    assert float(terms.loss.detach()) == pytest.approx(expected, rel=1e-5)


def test_shaping_multiplies_the_advantages_of_the_ends(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    old = part(policy, visits[:1], [torch.tensor([1.0, -2.0])])
    config = settings("loss.beta=0.0", "advantage.tas_lambda=0.4")
    terms = update_loss(policy, [old], config)
    # On-policy every ratio is 1, so the loss is −½ Σᵢ Aᵢ mean(wᵢ), wₜ = 1 + 0.4 (2t/(L−1) − 1)².
    expected = 0.0
    for advantage, member in zip((1.0, -2.0), old.completions[0], strict=True):
        last = len(member.token_ids) - 1
        assert last > 0
        weights = [1 + 0.4 * (2 * t / last - 1) ** 2 for t in range(last + 1)]
        expected -= advantage * sum(weights) / len(weights) / 2
    assert float(terms.loss.detach()) == pytest.approx(expected, abs=1e-5)


def test_alpha_zero_leaves_the_on_policy_term(policy: QwenOmniPolicy, visits: list[Visit]) -> None:
    config = settings(*PLAIN)
    fresh = part(policy, visits[:1], [torch.tensor([1.0, -1.0])])
    stored = part(policy, visits[1:], [torch.zeros(2)] * 2)
    made = [
        Group(visit.sample.id, 1, tuple(members))
        for visit, members in zip(stored.visits, stored.completions, strict=True)
    ]
    rewarded = [group(one.prompt_id, 1.0, 0.0) for one in made]
    draws = [drawn(one, member, n) for n, one in enumerate(rewarded) for member in (0, 1)]
    replayed = replayed_advantages(draws, [0.2, 0.2, 0.7, 0.7], AdvantageConfig(alpha=0.0))
    assert [one.advantages.tolist() for one in replayed] == [[0.0, 0.0], [0.0, 0.0]]
    stored = stored._replace(advantages=[one.advantages for one in replayed])
    disturb(policy)
    gradients = {}
    for name, old in (("alone", [fresh]), ("with replay", [fresh, stored])):
        terms = update_loss(policy, [again(policy, one) for one in old], config)
        terms.loss.backward()
        gradients[name] = [p.grad.clone() for p in policy.parameters() if p.grad is not None]
        for parameter in policy.parameters():
            parameter.grad = None
    # The mean is over 6 completions instead of 2, and 4 of them add nothing.
    compared = 0
    for alone, mixed in zip(gradients["alone"], gradients["with replay"], strict=True):
        assert torch.allclose(alone / 3, mixed, rtol=1e-3, atol=1e-6)
        compared += bool((alone != 0).any())
    assert compared > 50


@pytest.mark.parametrize("aggregate", ["bnpo", "dr_grpo", "dapo"])
def test_every_aggregation_runs_with_what_the_configuration_holds(
    policy: QwenOmniPolicy, visits: list[Visit], aggregate: str
) -> None:
    old = part(policy, visits[:1], [torch.tensor([1.0, -2.0])])
    terms = update_loss(policy, [old], settings(*PLAIN, f"loss.aggregate={aggregate}"))
    lengths = [len(member.token_ids) for member in old.completions[0]]
    # Ratios are 1: −(1 · L₁ − 2 · L₂) over all tokens, or over 2 rows of at most 8 tokens.
    divisor = 16 if aggregate == "dr_grpo" else sum(lengths)
    assert float(terms.loss.detach()) == pytest.approx(
        (2 * lengths[1] - lengths[0]) / divisor, abs=1e-5
    )


def test_the_reference_is_left_out_without_its_weight(
    policy: QwenOmniPolicy, visits: list[Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "reference", None)
    terms = update_loss(policy, [part(policy, visits[:1], [torch.ones(2)])], settings(*PLAIN))
    assert terms.kl is None


def test_trained_members_follow_from_seed_step_and_prompt() -> None:
    groups = [group("a", *[0.0] * 8), group("a", *[0.0] * 8), group("b", *[0.0] * 3)]
    chosen = trained_members(groups, 4, seed=0, step=5)
    assert [len(members) for members in chosen] == [4, 4, 3]
    assert all(members == sorted(set(members)) for members in chosen)
    assert chosen == trained_members(groups, 4, seed=0, step=5)
    assert chosen[0] != chosen[1]
    others = [trained_members(groups, 4, seed=0, step=6), trained_members(groups, 4, 1, 5)]
    assert chosen not in others
    # Every member is as likely as any other: 400 choices of 4 out of 8 take each about 200 times.
    counts = Counter(m for step in range(400) for m in trained_members(groups[:1], 4, 0, step)[0])
    assert len(counts) == 8
    assert all(150 < count < 250 for count in counts.values())


def test_gaps_to_the_reference_are_of_the_rollout_and_by_hand(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    old = part(policy, visits, [torch.zeros(2)] * 3)
    groups = [
        Group(visit.sample.id, 1, tuple(members))
        for visit, members in zip(visits, old.completions, strict=True)
    ]
    with policy.reference():
        pass
    with torch.no_grad():
        expected = logprobs_by_hand(policy, old)
    disturb(policy)
    found = reference_gaps(policy, visits, groups)
    flat = [gap for row in found for gap in row]
    for gap, member, frozen in zip(flat, members_of([old]), expected, strict=True):
        by_hand = float((torch.from_numpy(member.logprobs) - frozen).mean())
        assert gap == pytest.approx(by_hand, abs=1e-5)
    assert [len(row) for row in found] == [2, 2, 2]
