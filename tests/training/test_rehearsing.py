from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from avatar_core.asking import Asker
from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import SamplingConfig, TrainConfig
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.replay import ReplayBuffer
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.curriculum import Course
from avatar_core.training.learning import replayed_share
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.rehearsing import fresh_size, kept_members, rehearse
from avatar_core.training.rollout import draw_completions
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Trainee
from avatar_core.training.update import NOTHING_REPLAYED
from avatar_core.types import Group, MediaRef, Sample
from tests.training.groups import group

CONFIG = resolve_train(
    stage=1,
    assignments=[
        "rollout.prompts_per_step=2",
        "rollout.group_size=5",
        "rollout.fresh_per_group=2",
        "replay.members_per_group=2",
    ],
)


@pytest.fixture
def trainee(policy: QwenOmniPolicy, asker: Asker, samples: list[Sample]) -> Trainee:
    buffer = ReplayBuffer(min_fill=9, members_per_group=2)
    return Trainee(
        policy,
        Lookahead(asker),
        {sample.id: sample for sample in samples},
        Course(pool=3, per_step=2, window=3, visits=1, seed=0),
        TrainerState(None, Counters(), buffer, ""),  # type: ignore[arg-type]
    )


def fill(trainee: Trainee) -> None:
    """Store three completions of each prompt."""
    look = trainee.look_at(list(trainee.samples.values()))
    for visit in look.visits:
        made = group(visit.sample.id, 1.0, 0.0, 0.5, media_key=visit.media_key)
        trainee.state.buffer.insert(made)


def test_the_whole_group_is_drawn_until_replay_can_supply_its_share(trainee: Trainee) -> None:
    off = CONFIG.model_copy(update={"replay": CONFIG.replay.model_copy(update={"enabled": False})})
    assert rehearse(trainee, CONFIG, 2, []) == NOTHING_REPLAYED
    assert fresh_size(CONFIG, NOTHING_REPLAYED) == 5
    fill(trainee)
    assert trainee.state.buffer.ready
    # Of each of 2 prompts 5 − 2 completions are replayed.
    rehearsal = rehearse(trainee, CONFIG, 2, [])
    assert rehearsal.size == 6
    assert fresh_size(CONFIG, rehearsal) == 2
    # A store that is worn, stale or of other prompts cannot supply it, however full it is.
    short = rehearsal._replace(replayed=rehearsal.replayed[:2], visits=rehearsal.visits[:2])
    assert fresh_size(CONFIG, short) == 5
    assert (fresh_size(off, rehearsal), rehearse(trainee, off, 2, [])) == (5, NOTHING_REPLAYED)


def test_with_discard_whole_groups_are_drawn_and_as_many_members_as_before_are_kept(
    trainee: Trainee,
) -> None:
    rollout = CONFIG.rollout.model_copy(update={"discard": True})
    config = CONFIG.model_copy(update={"rollout": rollout})
    fresh = [group("a", *range(5)), group("b", *range(5))]
    assert kept_members(fresh, config, NOTHING_REPLAYED, 2) == [[0, 1, 2, 3, 4]] * 2
    fill(trainee)
    rehearsal = rehearse(trainee, config, 2, [])
    assert fresh_size(config, rehearsal) == 5
    kept = kept_members(fresh, config, rehearsal, 2)
    assert [len(set(members)) for members in kept] == [2, 2]
    # Without it fewer are drawn, so all of them stay.
    assert kept_members(fresh, CONFIG, rehearsal, 2) == [[0, 1, 2, 3, 4]] * 2


def test_a_rehearsal_holds_prompts_with_their_completions(trainee: Trainee) -> None:
    fill(trainee)
    rehearsal = rehearse(trainee, CONFIG, 2, [])
    assert len(rehearsal.visits) == len(rehearsal.replayed) == 3
    for visit, part in zip(rehearsal.visits, rehearsal.replayed, strict=True):
        assert visit.sample.id == part.group.prompt_id
        assert len(part.members) == len(part.advantages) == 2
        # R̄ is the mean of 1, 0 and ½.
        assert part.baseline == 0.5


def test_the_draw_follows_from_seed_and_step(
    policy: QwenOmniPolicy, asker: Asker, samples: list[Sample]
) -> None:
    many = {str(number): replace(samples[0], id=str(number)) for number in range(12)}

    def drawn(config: TrainConfig, step: int) -> list[tuple[int, list[int]]]:
        buffer = ReplayBuffer(min_fill=9, members_per_group=2)
        course = Course(pool=12, per_step=2, window=3, visits=1, seed=0)
        state = TrainerState(None, Counters(), buffer, "")  # type: ignore[arg-type]
        trainee = Trainee(policy, Lookahead(asker), many, course, state)
        fill(trainee)
        return [
            (part.draw.number, part.members)
            for part in rehearse(trainee, config, step, []).replayed
        ]

    first = drawn(CONFIG, 4)
    assert drawn(CONFIG, 4) == first
    assert drawn(CONFIG, 5) != first
    assert drawn(CONFIG.model_copy(update={"seed": 1}), 4) != first


def test_a_prompt_that_is_lost_or_has_another_clip_is_left_out(
    trainee: Trainee, samples: list[Sample], tmp_path: Path
) -> None:
    fill(trainee)
    lost, changed, kept = samples
    trainee.samples[lost.id] = replace(lost, media=(MediaRef("video", str(tmp_path / "no.mp4")),))
    trainee.samples[changed.id] = replace(changed, media=kept.media)
    rehearsal = rehearse(trainee, CONFIG, 2, [])
    assert [part.group.prompt_id for part in rehearsal.replayed] == [kept.id]
    assert [visit.sample.id for visit in rehearsal.visits] == [kept.id]
    assert rehearsal.size == 2
    assert trainee.state.counters.media_failed == 1


def test_what_was_sampled_with_a_hint_is_replayed_with_it(
    trainee: Trainee, samples: list[Sample]
) -> None:
    sample, policy = replace(samples[0], hint="Listen first."), trainee.policy
    config = CONFIG.model_copy(update={"sampling": SamplingConfig(max_new_tokens=6)})
    trainee.samples[sample.id] = sample
    (plain,) = trainee.look_at([sample]).visits
    shown = [plain, trainee.with_hint(plain, CONFIG.hints.place), plain]
    for step, visit in enumerate(shown):
        encoded = policy.encode([visit.prepared])
        (drawn,) = draw_completions(policy, encoded, [visit], sizes=[3], config=config, step=step)
        members = tuple(
            replace(member, reward=reward)
            for member, reward in zip(
                drawn, (2.0 if visit.hinted else 1.0, 0.5, 0.25 * step), strict=True
            )
        )
        trainee.state.buffer.insert(Group(sample.id, step, members, visit.hinted, visit.media_key))
    rehearsal = rehearse(trainee, CONFIG, 3, [])
    # The two newest groups, whole. R̄ is the mean of (1, ½, 0) and (1, ½, ½); the hinted group is
    # left out of it and has a mean of its own, (2 + ½ + ¼) / 3.
    found = {replayed.group.step: replayed.baseline for replayed in rehearsal.replayed}
    assert found == pytest.approx({1: 11 / 12, 2: 7 / 12})
    assert [visit.hinted for visit in rehearsal.visits] == [
        replayed.group.hinted for replayed in rehearsal.replayed
    ]
    part = replayed_share(rehearsal).part(policy)
    ids = [[torch.from_numpy(c.token_ids.astype("int64")) for c in g] for g in part.completions]
    current = policy.logprobs(part.encoded, ids)
    stored = np.concatenate([c.logprobs for g in part.completions for c in g])
    # The policy has not changed, so only under the very same prompts nothing differs.
    assert np.abs(current.logprobs[current.mask].detach().numpy() - stored).max() < 1e-5
