"""The embedded model after stage 0 sees and hears: blanking either costs what needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest

from avatar_core.asking import Asker, Blanked
from avatar_core.config.resolve import resolve_train
from avatar_core.data.scenes import scene_samples
from avatar_core.evaluation.answering import answer_samples
from avatar_core.media import MediaLoader
from avatar_core.models import load_policy
from avatar_core.models.policy import Policy
from avatar_core.training.run import cold_start
from avatar_core.training.watcher import SILENT
from avatar_core.types import Sample

QUESTIONS = 420
POINTS = 0.15


class Asked(NamedTuple):
    """The model after stage 0 and its answers to whole clips.

    Attributes:
        policy: the model.
        samples: what it was asked.
        right: whether its answer was right, by id of the sample.
    """

    policy: Policy
    samples: Sequence[Sample]
    right: Mapping[str, bool]


@pytest.fixture(scope="module")
def asked() -> Asked:
    policy = load_policy(str(cold_start(SILENT)))
    samples = scene_samples(split="test", stage=2, count=QUESTIONS)
    return Asked(policy, samples, answers(policy, samples, frozenset()))


def answers(policy: Policy, samples: Sequence[Sample], blanked: Blanked) -> dict[str, bool]:
    """Whether the answer to each sample is right, by its id."""
    config = resolve_train(stage=2)
    with MediaLoader(config.media) as loader:
        asker = Asker(policy, loader, system_prompt=config.rollout.system_prompt, blanked=blanked)
        rows = answer_samples(
            policy,
            asker,
            samples,
            max_new_tokens=config.sampling.max_new_tokens,
            batch_size=config.held_out.batch_size,
        )
        return {row.id: bool(row.correct) for row in rows}


@pytest.mark.slow
@pytest.mark.xdist_group("cold start")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("modality", ["sound", "frames"])
def test_blanking_a_modality_costs_the_questions_that_need_it(asked: Asked, modality: str) -> None:
    needing = [sample for sample in asked.samples if modality in sample.needs]
    assert len(needing) > 200
    blank = answers(asked.policy, needing, frozenset({modality}))
    assert blank.keys() == {sample.id for sample in needing}
    loss = sum(asked.right[name] - right for name, right in blank.items()) / len(needing)
    assert loss >= POINTS, f"blanking the {modality} costs {100 * loss:.1f} points"
