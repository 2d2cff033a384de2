"""An update in micro-batches is the update in one piece."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
import torch
from torch import Tensor

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.replay import Drawn
from avatar_core.training import learning
from avatar_core.training.learning import Share, learn, micro_batches, replayed_share
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.rollout import Visit, draw_completions
from avatar_core.training.step import StepOutcome
from avatar_core.training.update import NOTHING_REPLAYED, Rehearsal, Replayed
from avatar_core.types import Completion, Group
from tests.training.gradients import Gradients, gradients_of, same_gradients, update_loss


def settings(*assignments: str) -> TrainConfig:
    return resolve_train(stage=2, assignments=["sampling.max_new_tokens=9", *assignments])


def shares(policy: QwenOmniPolicy, visits: Sequence[Visit]) -> tuple[Share, Rehearsal]:
    """Two fresh prompts and a replayed one; completions of unlike length, drawn from the policy."""
    encoded = policy.encode([visit.prepared for visit in visits])
    drawn = draw_completions(
        policy, encoded, visits, sizes=[3] * len(visits), config=settings(), step=1
    )
    # Sampling hardly ever ends early here; lengths 9, 6, 3 make the divisors matter.
    cut = [
        [
            Completion(c.token_ids[: 9 - 3 * n], c.logprobs[: 9 - 3 * n] - 0.1 * n, c.text, False)
            for n, c in enumerate(group)
        ]
        for group in drawn
    ]
    fresh = Share(
        visits[:2],
        [cut[0], cut[1][:1]],
        [torch.tensor([1.0, -1.0, 0.5]), torch.tensor([2.0])],
    )
    group = Group(visits[2].sample.id, 1, tuple(cut[2]))
    draw = Drawn(group, 1, "hard", 0, 0)
    replayed = Replayed(group, [1, 2], draw, torch.tensor([-0.5, 1.5]), 0.0)
    return fresh, Rehearsal([replayed], [visits[2]])


@pytest.mark.parametrize("aggregate", ["grpo", "bnpo", "dr_grpo", "dapo"])
def test_losses_and_gradients_are_those_of_the_whole_update(
    policy: QwenOmniPolicy,
    visits: list[Visit],
    aggregate: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh, rehearsal = shares(policy, visits)
    config = settings(f"loss.aggregate={aggregate}", "loss.beta=0.3", "optim.accumulate=3")
    with policy.reference():
        pass
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.mul_(1.01)
    parts = [fresh.part(policy), replayed_share(rehearsal).part(policy)]
    terms = update_loss(policy, parts, config)
    whole = gradients_of(policy, [terms.loss])
    found: list[Gradients] = []

    def take(_: object, losses: Iterable[Tensor], **__: object) -> StepOutcome:
        found.append(gradients_of(policy, losses))
        return StepOutcome(True, 1.0)

    monkeypatch.setattr(learning, "take_step", take)
    optimiser = make_optimiser(policy.parameters(), config.optim)
    updated = learn(policy, optimiser, fresh, None, rehearsal, config, lr=1e-3)
    assert found[0].loss == pytest.approx(whole.loss, rel=1e-5)
    assert same_gradients(whole, found[0])
    # Loss and diagnostics are over the whole update, too.
    names = [name for name in terms._fields if getattr(terms, name) is not None]
    assert len(names) == 7
    for name in names:
        expected = float(getattr(terms, name).detach())
        assert float(getattr(updated.terms, name)) == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert not updated.terms.loss.requires_grad


def test_batches_keep_the_order_and_leave_nothing_out(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    fresh, rehearsal = shares(policy, visits)
    for count, sizes in ((1, [3]), (2, [2, 1]), (3, [1, 1, 1]), (7, [1, 1, 1])):
        batches = micro_batches(fresh, replayed_share(rehearsal), count)
        assert [len(batch.visits) for batch in batches] == sizes
        assert [visit for batch in batches for visit in batch.visits] == visits
        lengths = [len(group) for batch in batches for group in batch.completions]
        assert lengths == [3, 1, 2]
    assert len(micro_batches(fresh, replayed_share(NOTHING_REPLAYED), 2)) == 2


def test_a_part_that_is_not_finite_costs_the_step_and_nothing_else(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    fresh, rehearsal = shares(policy, visits)
    fresh = fresh._replace(advantages=[fresh.advantages[0], torch.tensor([float("nan")])])
    config = settings("loss.beta=0.0", "optim.accumulate=3")
    before = [parameter.detach().clone() for parameter in policy.parameters()]
    optimiser = make_optimiser(policy.parameters(), config.optim)
    updated = learn(policy, optimiser, fresh, None, rehearsal, config, lr=1.0)
    assert not updated.outcome.taken
    for parameter, value in zip(policy.parameters(), before, strict=True):
        assert torch.equal(parameter, value)
        assert parameter.grad is None
