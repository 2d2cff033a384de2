from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from avatar_core.config.resolve import resolve_train
from avatar_core.config.reward import RewardConfig
from avatar_core.config.train import TrainConfig
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.rewards import REWARDS
from avatar_core.training.parallel import World
from avatar_core.training.rollout import (
    Visit,
    draw_completions,
    has_signal,
    mean_reward,
    reward_options,
    score_group,
    scored_rewards,
)
from avatar_core.types import Completion, Sample
from tests.training.groups import completion, group

CONFIG = resolve_train(stage=2, assignments=["sampling.max_new_tokens=8", "seed=5"])


def draw(
    policy: QwenOmniPolicy,
    visits: Sequence[Visit],
    size: int = 3,
    step: int = 4,
    config: TrainConfig = CONFIG,
) -> list[list[Completion]]:
    with torch.no_grad():
        encoded = policy.encode([visit.prepared for visit in visits])
    sizes = [size] * len(visits)
    return draw_completions(policy, encoded, visits, sizes=sizes, config=config, step=step)


def tokens(members: Sequence[Completion]) -> list[list[int]]:
    return [member.token_ids.tolist() for member in members]


def test_a_completion_depends_on_its_coordinates_and_not_on_the_batch(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    together = draw(policy, visits)
    alone = [draw(policy, [visit])[0] for visit in visits]
    turned = draw(policy, visits[::-1])[::-1]
    fewer = draw(policy, visits, size=2)
    compared = 0
    for all_at_once, by_itself, reverse, two in zip(together, alone, turned, fewer, strict=True):
        assert tokens(all_at_once) == tokens(by_itself) == tokens(reverse)
        assert tokens(all_at_once)[:2] == tokens(two)
        for one, other in zip(all_at_once, by_itself, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)
            compared += 1
    assert compared == 9


def test_run_seed_and_step_are_coordinates(policy: QwenOmniPolicy, visits: list[Visit]) -> None:
    first = tokens(draw(policy, visits[:1])[0])
    other_step = tokens(draw(policy, visits[:1], step=5)[0])
    other_seed = tokens(draw(policy, visits[:1], config=CONFIG.model_copy(update={"seed": 6}))[0])
    assert first == tokens(draw(policy, visits[:1])[0])
    assert first != other_step
    assert first != other_seed


def test_a_prompt_visited_twice_in_a_step_gets_other_completions(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    first, second = draw(policy, [visits[0], visits[0]], size=2)
    assert tokens([*first, *second]) == tokens(draw(policy, visits[:1], size=4)[0])
    assert tokens(first) != tokens(second)


def test_a_prompt_that_several_processes_visit_gets_the_completions_of_one(
    policy: QwenOmniPolicy, visits: list[Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, other = visits[0].sample.id, visits[1].sample.id
    whole = tokens(draw(policy, visits[:1], size=6)[0])
    # Rank 0 draws 1 + 2 completions of the prompt and 4 of another, rank 2 takes its turn later.
    drawn = [[(name, 1), (other, 4), (name, 2)], [(name, 2)], [(name, 1)]]
    monkeypatch.setattr(World, "gather", lambda self, items: drawn)
    with torch.no_grad():
        encoded = policy.encode([visits[0].prepared])
    for rank, size, first in ((1, 2, 3), (2, 1, 5)):
        (made,) = draw_completions(
            *(policy, encoded, visits[:1]),
            sizes=[size],
            config=CONFIG,
            step=4,
            world=World(rank, 3),
        )
        assert tokens(made) == whole[first : first + size]


def test_a_process_without_visits_still_says_so(
    policy: QwenOmniPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered: list[object] = []

    def gather(self: World, items: Sequence[object]) -> list[object]:
        gathered.extend(items)
        return []

    monkeypatch.setattr(World, "gather", gather)
    world = World(1, 2)
    made = draw_completions(policy, None, [], sizes=[], config=CONFIG, step=4, world=world)
    assert (made, gathered) == ([], [[]])


def test_completions_are_as_the_buffer_wants_them(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    for member in draw(policy, visits[:1])[0]:
        assert [str(a.dtype) for a in (member.token_ids, member.logprobs)] == ["int32", "float32"]
        assert 1 <= len(member.token_ids) == len(member.logprobs) <= 8
        assert member.reward is None
        assert bool((member.logprobs < 0).all())


def test_what_cannot_be_scored_stays_unscored(
    visits: list[Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(texts: Sequence[str], sample: Sample) -> list[float | None]:
        return [None, 1.0, 0.5]

    monkeypatch.setitem(REWARDS, "judge", judge)
    weights = {"judge": 0.8, "format": 0.2}
    scored = score_group(visits[0], [completion()] * 3, RewardConfig(weights=weights), step=7)
    # The text states an answer without reasoning: format −1. Totals 0.8 · 1 − 0.2, 0.8 · 0.5 − 0.2.
    assert [member.reward for member in scored.completions] == [
        None,
        pytest.approx(0.6),
        pytest.approx(0.2),
    ]
    assert [member.parts["judge"] for member in scored.completions] == [None, 1.0, 0.5]
    assert (scored.prompt_id, scored.step, scored.hinted) == (visits[0].sample.id, 7, False)
    assert scored.media_key == visits[0].media_key


def test_accuracy_is_recorded_also_when_it_earns_nothing(visits: list[Visit]) -> None:
    hinted = visits[0]._replace(hinted=True)
    texts = [visits[0].sample.solution, "no answer"]
    members = [replace(completion(), text=f"<answer>{text}</answer>") for text in texts]
    scored = score_group(hinted, members, RewardConfig(weights={"format": 1.0}), step=7)
    assert [member.parts["accuracy"] for member in scored.completions] == [1.0, 0.0]
    assert [member.reward for member in scored.completions] == [-1.0, -1.0]
    assert scored.hinted


def test_the_mean_reward_leaves_out_what_has_none() -> None:
    assert mean_reward(group("p", 1.0, None, 0.5)) == 0.75


def test_options_go_to_the_rewards_that_have_a_weight() -> None:
    both = RewardConfig(format_values="binary", numerical="strict")
    assert reward_options(both) == {
        "format": {"values": "binary"},
        "accuracy": {"numeric": "strict"},
    }
    assert reward_options(RewardConfig(weights={"spread": 1.0})) == {}


def test_signal_is_decided_on_scored_rewards() -> None:
    cases = {
        (0.1, 0.1, 0.1): (1, False),
        (0.1, None, 0.1): (1, False),
        (None, None): (0, False),
        (0.5,): (1, False),
        (0.1, None, 0.2): (2, True),
    }
    for rewards, (distinct, signal) in cases.items():
        made = group("p", *rewards)
        assert (len(set(scored_rewards(made))), has_signal(made)) == (distinct, signal)
    assert len(cases) == 5
