"""Which prompts of a step are stuck, and how far the policy has moved on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import pytest
import torch

from avatar_core.asking import Asker
from avatar_core.config.hints import HintConfig
from avatar_core.config.resolve import resolve_train
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.replay import ReplayBuffer
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.curriculum import Course
from avatar_core.training.hinting import (
    Recalled,
    divergences,
    due_hints,
    observe_hints,
    recall,
    reward_places,
    show_hints,
)
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.rollout import Visit, draw_completions
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Trainee
from avatar_core.types import Completion, Group, Sample
from tests.training.groups import completion, group
from tests.training.test_update import disturb

HINT = "Listen to the tones first."
STUCK = HintConfig(rule="stuck", reward_quantile=0.3, kl_quantile=1.0)
NAMES = [str(number) for number in range(10)]
CONFIG = resolve_train(stage=2, assignments=["sampling.max_new_tokens=6"])


@pytest.fixture
def trainee(policy: QwenOmniPolicy, asker: Asker, samples: list[Sample]) -> Iterator[Trainee]:
    """Ten prompts with one visit behind them; prompt n has earned n tenths and is never right."""
    state = TrainerState(None, Counters(), ReplayBuffer(), "")  # type: ignore[arg-type]
    many = {name: replace(samples[0], id=name, hint=HINT) for name in NAMES}
    with Lookahead(asker) as lookahead:
        trainee = Trainee(policy, lookahead, many, Course(10, 2, 10, 1, 0), state)
        key = visits_of(trainee, "0")[0].media_key
        for number, name in enumerate(NAMES):
            member = completion(number / 10, tokens=(3, 4, 5 + number), accuracy=0.0)
            made = Group(name, 1, (member, member), media_key=key)
            state.buffer.insert(made)
            observe_hints(trainee, HintConfig(), [made])
        yield trainee


def visits_of(trainee: Trainee, *names: str) -> list[Visit]:
    return trainee.look_at([trainee.samples[name] for name in names]).visits


def sampled(policy: QwenOmniPolicy, visits: Sequence[Visit], step: int = 1) -> list[Group]:
    """Completions of the policy as it is now, a group of two for each visit."""
    with torch.no_grad():
        encoded = policy.encode([visit.prepared for visit in visits])
        drawn = draw_completions(
            policy, encoded, visits, sizes=[2] * len(visits), config=CONFIG, step=step
        )
    return [
        Group(visit.sample.id, step, tuple(scored(members)), media_key=visit.media_key)
        for visit, members in zip(visits, drawn, strict=True)
    ]


def scored(members: Sequence[Completion]) -> list[Completion]:
    return [replace(member, reward=0.0) for member in members]


def test_places_by_rank_of_the_mean_reward() -> None:
    buffer = ReplayBuffer()
    for name, reward in (("a", 0.7), ("b", 0.1), ("c", 0.4), ("d", 0.9)):
        buffer.insert(group(name, reward, reward))
    # b, c, a, d: at (p + ½)/4.
    places = reward_places(["a", "b", "new", "d"], ["a", "b", "c", "d", "new"], buffer)
    assert places == [0.625, 0.125, None, 0.875]
    assert reward_places([], ["a"], buffer) == []


def test_equal_rewards_share_the_places_instead_of_all_being_lowest() -> None:
    buffer = ReplayBuffer()
    for name in NAMES:
        buffer.insert(group(name, 0.0, 0.0))
    places = reward_places(NAMES, NAMES, buffer)
    assert sorted(place or 0.0 for place in places) == pytest.approx(
        [(number + 0.5) / 10 for number in range(10)]
    )


def test_stuck_is_hard_and_low_and_visited(trainee: Trainee) -> None:
    visits = visits_of(trainee, *NAMES)
    # Hard are places below 0.4, low those below 0.3: 0, 1 and 2.
    assert due_hints(trainee, STUCK, visits) == {"0", "1", "2"}
    # With all rewards low the hard tier is what is left of the rule.
    wide = STUCK.model_copy(update={"reward_quantile": 1.0})
    assert due_hints(trainee, wide, visits) == {"0", "1", "2", "3"}
    trainee.samples["1"] = replace(trainee.samples["1"], hint=None)
    assert due_hints(trainee, STUCK, visits_of(trainee, *NAMES)) == {"0", "2"}
    assert due_hints(trainee, HintConfig(rule="zero_streak"), visits) == set()
    short = HintConfig(rule="zero_streak", zero_streak=1)
    assert due_hints(trainee, short, visits) == set(NAMES)


def test_of_the_stuck_prompts_those_with_a_low_divergence_are_hinted(trainee: Trainee) -> None:
    visits = visits_of(trainee, *NAMES)
    half = STUCK.model_copy(update={"kl_quantile": 0.5})
    found = divergences(trainee.policy, recall(visits[:3], trainee.state.buffer), half)
    assert len(set(found)) == 3
    # Of three the smallest value that half do not exceed is the second.
    expected = {NAMES[place] for place in range(3) if found[place] <= sorted(found)[1]}
    assert due_hints(trainee, half, visits) == expected != {"0", "1", "2"}


def test_only_hinted_visits_are_made_anew(trainee: Trainee) -> None:
    config = CONFIG.model_copy(update={"hints": STUCK})
    look = trainee.look_at([trainee.samples[name] for name in ("0", "9")])
    visits, shown = look.visits, show_hints(trainee, config, look).visits
    assert [visit.hinted for visit in shown] == [True, False]
    assert shown[1] is visits[1]
    assert (shown[0].media_key, shown[0].clips) == (visits[0].media_key, visits[0].clips)
    texts = [
        trainee.policy.decode(visit.prepared.input_ids)  # special tokens left out
        for visit in (*visits[:1], *shown[:1])
    ]
    assert HINT not in texts[0] and f"\nHint: {HINT}" in texts[1]
    off = CONFIG.model_copy(update={"hints": STUCK.model_copy(update={"enabled": False})})
    assert not any(visit.hinted for visit in show_hints(trainee, off, look).visits)


def test_a_leaking_hint_is_refused_and_counted_each_time_it_is_due(trainee: Trainee) -> None:
    told = trainee.samples["0"]
    trainee.samples["0"] = replace(told, hint=f"The answer is {told.solution}.")
    visits = visits_of(trainee, "0", "1")
    assert due_hints(trainee, STUCK, visits) == {"1"}
    assert due_hints(trainee, STUCK, visits) == {"1"}
    assert trainee.state.hints.refused == 2
    mark = STUCK.model_copy(update={"leak": "mark"})
    assert due_hints(trainee, mark, visits) == {"0", "1"}
    assert trainee.state.hints.refused == 2


def test_the_newest_unhinted_group_of_the_same_clips_is_recalled(visits: list[Visit]) -> None:
    buffer, one = ReplayBuffer(), visits[0]
    name, key, steps = one.sample.id, one.media_key, count(1)
    assert recall([one], buffer) == []
    old, new = (group(name, 0.0, step=next(steps), media_key=key) for _ in range(2))
    others = [
        replace(group(name, 0.0, step=next(steps), media_key=key), hinted=True),
        group(name, 0.0, step=next(steps), media_key="another clip"),
        group("another prompt", 0.0, step=next(steps), media_key=key),
    ]
    for made in (old, new, *others):
        buffer.insert(made)
    (pair,) = recall(visits, buffer)
    assert (pair.visit, pair.group.step) == (one, 2)


@pytest.mark.parametrize("kl_to", ["behaviour", "reference"])
def test_the_divergence_by_hand(policy: QwenOmniPolicy, visits: list[Visit], kl_to: str) -> None:
    with policy.reference():
        pass
    disturb(policy)
    pairs = [Recalled(v, g) for v, g in zip(visits, sampled(policy, visits), strict=True)]
    disturb(policy)
    found = divergences(policy, pairs, HintConfig(kl_to=kl_to))
    compared = 0
    for (visit, made), value in zip(pairs, found, strict=True):
        terms: list[float] = []
        for member in made.completions:
            ids = [[torch.from_numpy(member.token_ids.astype("int64"))]]
            with torch.no_grad():
                now = policy.logprobs(policy.encode([visit.prepared]), ids).logprobs[0]
            with policy.reference() as reference:
                frozen = reference.logprobs(reference.encode([visit.prepared]), ids).logprobs[0]
            behaviour = torch.from_numpy(member.logprobs)
            # min(1, ρ) (eᵈ − d − 1), token by token.
            d = (behaviour if kl_to == "behaviour" else frozen) - now
            terms += ((now - behaviour).exp().clamp(max=1.0) * (d.exp() - d - 1)).tolist()
        assert value == pytest.approx(sum(terms) / len(terms), rel=1e-3)
        assert value > 1e-4
        compared += len(terms)
    assert compared > 20


def test_what_the_policy_has_just_sampled_is_near_it_and_far_from_the_reference(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    with policy.reference():
        pass
    disturb(policy)
    pairs = [Recalled(v, g) for v, g in zip(visits, sampled(policy, visits), strict=True)]
    near = divergences(policy, pairs, HintConfig(kl_to="behaviour"))
    far = divergences(policy, pairs, HintConfig(kl_to="reference"))
    assert near == pytest.approx([0.0] * 3, abs=1e-8)
    assert min(far) > 1e-4
    assert divergences(policy, [], HintConfig()) == []
