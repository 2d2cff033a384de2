"""The embedded model after stage 0 sees and hears: blanking either costs what needs it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from avatar_core.asking import Asker, Blanked
from avatar_core.config.resolve import resolve_train
from avatar_core.data.scenes import scene_samples
from avatar_core.evaluation.answering import answer_samples
from avatar_core.media import MediaLoader
from avatar_core.models import load_policy
from avatar_core.training.run import SILENT, cold_start
from avatar_core.types import Sample

QUESTIONS = 420
POINTS = 0.15


@pytest.mark.slow
@pytest.mark.xdist_group("cold start")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("modality", ["sound", "frames"])
def test_blanking_a_modality_costs_the_questions_that_need_it(modality: str) -> None:
    config = resolve_train(stage=2)
    policy = load_policy(str(cold_start(SILENT)))
    samples = scene_samples(split="test", stage=2, count=QUESTIONS)

    def accuracy(asked: Sequence[Sample], blanked: Blanked) -> float:
        with MediaLoader(config.media) as loader:
            asker = Asker(
                policy,
                loader,
                system_prompt=config.rollout.system_prompt,
                blanked=blanked,
            )
            rows = list(
                answer_samples(
                    policy,
                    asker,
                    asked,
                    max_new_tokens=config.sampling.max_new_tokens,
                    batch_size=config.held_out.batch_size,
                )
            )
        assert len(rows) == len(asked)
        return sum(bool(row.correct) for row in rows) / len(rows)

    asked = [sample for sample in samples if modality in sample.needs]
    assert len(asked) > 200
    loss = accuracy(asked, frozenset()) - accuracy(asked, frozenset({modality}))
    assert loss >= POINTS, f"blanking the {modality} costs {100 * loss:.1f} points"
