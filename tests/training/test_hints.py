"""When a hint comes on and goes off: by hand, in the loop, and over a resumed run."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from avatar_core.asking import Asker
from avatar_core.config.hints import HintConfig
from avatar_core.config.resolve import resolve_train
from avatar_core.errors import Stopped
from avatar_core.evaluation.answering import answer_samples
from avatar_core.files import read_json
from avatar_core.models.policy import Prepared, Prompt
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.records import Tier
from avatar_core.replay import ReplayBuffer
from avatar_core.rewards import REWARDS
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.curriculum import Course
from avatar_core.training.held_out import measure_held_out
from avatar_core.training.hints import HintMemory, History, is_due, may_be_stuck
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.loop import reinforce
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.rows import StepRecord, group_rows, metrics_row
from avatar_core.training.run import train
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Trainee
from avatar_core.types import Group, Sample
from tests.training.groups import completion
from tests.training.runs import (
    at_step,
    read_rows,
    replay_state,
    same_tensors,
    small,
    tensors,
    timeless,
)

HINT = "Listen to the tones first."


def visit(*accuracies: float | None, hinted: bool = False) -> Group:
    """A visit in which every completion is well formed, so that none of them earns nothing."""
    made = tuple(completion(0.5, accuracy=accuracy) for accuracy in accuracies)
    return Group("q", 1, made, hinted=hinted)


def remembered(*visits: Group) -> HintMemory:
    memory = HintMemory()
    for one in visits:
        memory.observe(one)
    return memory


def test_the_streak_is_one_of_visits_and_of_the_accuracy_part() -> None:
    cases = {
        (): History(),
        (visit(0.0, 0.0),): History(visits=1, streak=1),
        # Four wrong completions of one visit are one visit, though all of them are in a row.
        (visit(0.0, 0.0, 0.0, 0.0),): History(visits=1, streak=1),
        (visit(0.0), visit(0.0, 1.0)): History(visits=2, streak=0),
        (visit(0.0), visit(0.0, 0.2), visit(0.0)): History(visits=3, streak=1),
        # What has no score is neither right nor wrong.
        (visit(0.0), visit(None, None)): History(visits=1, streak=1),
        (visit(0.0), visit(None, 0.0)): History(visits=2, streak=2),
    }
    for visits, expected in cases.items():
        assert remembered(*visits).history("q") == expected, visits
    assert len(cases) == 7


def test_a_hint_stays_on_until_it_helps_and_the_prompt_begins_anew() -> None:
    wrong, right, hinted = visit(0.0), visit(0.0, 1.0, hinted=True), visit(0.0, hinted=True)
    unscored = visit(None, hinted=True)
    config = HintConfig(rule="zero_streak", zero_streak=2)
    cases = [
        ((wrong,), False),
        ((wrong, wrong), True),
        ((wrong, wrong, hinted), True),
        ((wrong, wrong, hinted, unscored), True),
        ((wrong, wrong, right), False),
        ((wrong, wrong, hinted, right), False),
        ((wrong, wrong, right, wrong), False),
        ((wrong, wrong, right, wrong, wrong), True),
    ]
    for visits, due in cases:
        assert is_due(remembered(*visits).history("q"), config) is due, visits
    # Under the other rule, too, a new visit without the hint comes before the next one.
    assert not may_be_stuck(remembered(wrong, right).history("q"), "hard", 0.1, HintConfig())
    assert may_be_stuck(remembered(wrong, right, wrong).history("q"), "hard", 0.1, HintConfig())


@pytest.mark.parametrize(
    ("rule", "streak", "stuck"),
    [("stuck", False, True), ("zero_streak", True, False), ("either", True, True)],
)
def test_the_rules_look_at_other_things(
    rule: Literal["stuck", "zero_streak", "either"], streak: bool, stuck: bool
) -> None:
    config = HintConfig(rule=rule)
    assert is_due(History(visits=3, streak=3), config) is streak
    assert not is_due(History(visits=2, streak=2), config)
    assert may_be_stuck(History(visits=1), "hard", 0.19, config) is stuck
    # A hint that is on is shown under every rule.
    assert is_due(History(visits=1, streak=1, on=True), config)


def test_every_condition_of_stuck_counts() -> None:
    config = HintConfig(rule="stuck", reward_quantile=0.2)
    cases: list[tuple[int, Tier, float | None]] = [
        (0, "hard", 0.1),
        (1, "medium", 0.1),
        (1, "hard", 0.2),
        (1, "hard", None),
    ]
    for visits, tier, place in cases:
        assert not may_be_stuck(History(visits=visits), tier, place, config)
    assert may_be_stuck(History(visits=1), "hard", 0.1, config)
    assert len(cases) == 4


def test_low_divergences_by_hand() -> None:
    memory = HintMemory()
    config = HintConfig(kl_quantile=0.5, kl_window=4)
    # Of one value the median is itself; of (.3, .1, .2) it is .2; the window then holds
    # (.1, .2, .4, .5), whose smallest value that half of them do not exceed is .2.
    assert memory.are_low([0.3], config) == [True]
    assert memory.are_low([0.1, 0.2], config) == [True, True]
    assert memory.are_low([], config) == []
    assert memory.are_low([0.4, 0.5], config) == [False, False]
    # (.2, .4, .5, .15): .2 again.
    assert memory.are_low([0.15], config) == [True]
    assert memory.are_low([9.0], config.model_copy(update={"kl_quantile": 1.0})) == [True]
    assert memory.are_low([8.0], config.model_copy(update={"kl_quantile": 0.0})) == [False]


def test_a_divergence_that_is_not_finite_is_forgotten_and_never_low() -> None:
    memory = HintMemory()
    config = HintConfig(kl_quantile=1.0)
    nan, inf = float("nan"), float("inf")
    assert memory.are_low([nan], config) == [False]
    # The largest of those that count is .2, so that both of them are low.
    assert memory.are_low([0.1, nan, inf, 0.2], config) == [True, False, False, True]
    assert memory.state_dict()["divergences"] == [0.1, 0.2]


def test_what_is_remembered_survives_a_trip_through_json() -> None:
    memory = remembered(visit(0.0), visit(0.0), visit(0.0, hinted=True))
    memory.refused = 2
    config = HintConfig()
    memory.are_low([0.25, 0.1], config)
    again = HintMemory()
    again.load_state_dict(json.loads(json.dumps(memory.state_dict())))
    assert again.state_dict() == memory.state_dict()
    assert again.history("q") == History(visits=2, streak=2, on=True)
    assert again.are_low([0.2], config) == memory.are_low([0.2], config) == [True]
    # A checkpoint of a release without hints.
    again.load_state_dict({})
    assert again.state_dict() == HintMemory().state_dict()


class Grader:
    """Accuracies of the visits one after the other; every completion is well formed."""

    def __init__(self, *accuracies: float) -> None:
        self._visits: Iterator[float] = iter(accuracies)

    def accuracy(
        self, texts: Sequence[str], sample: Sample, numeric: str = ""
    ) -> list[float | None]:
        return [next(self._visits)] * len(texts)

    def format(self, texts: Sequence[str], sample: Sample, values: str = "") -> list[float | None]:
        return [1.0] * len(texts)


def steps_of(
    policy: QwenOmniPolicy,
    asker: Asker,
    sample: Sample,
    monkeypatch: pytest.MonkeyPatch,
    *accuracies: float,
    settings: Sequence[str] = ("hints.rule=zero_streak", "hints.zero_streak=2"),
) -> tuple[Trainee, list[StepRecord]]:
    """Visit one prompt again and again, its completions being as right as the list says."""
    grader = Grader(*accuracies)
    monkeypatch.setitem(REWARDS, "accuracy", grader.accuracy)
    monkeypatch.setitem(REWARDS, "format", grader.format)
    config = resolve_train(
        stage=2,
        assignments=[
            f"steps={len(accuracies)}",
            "rollout.prompts_per_step=1",
            "rollout.group_size=2",
            "rollout.fresh_per_group=2",
            "sampling.max_new_tokens=4",
            "reward.weights={ format = 0.5, accuracy = 0.5 }",
            "replay.enabled=false",
            "loss.beta=0.0",
            *settings,
        ],
    )
    state = TrainerState(
        make_optimiser(policy.parameters(), config.optim), Counters(), ReplayBuffer(), ""
    )
    course = Course(pool=1, per_step=1, window=1, visits=1, seed=0)
    with Lookahead(asker) as lookahead:
        trainee = Trainee(policy, lookahead, {sample.id: sample}, course, state)
        return trainee, list(reinforce(trainee, config, done=0))


def prompt_of(record: StepRecord, policy: QwenOmniPolicy) -> str:
    (one,) = record.look.visits
    return str(policy.processor.tokenizer.decode(one.prepared.input_ids))


def test_an_all_zero_prompt_gets_its_hint_until_it_is_answered(
    policy: QwenOmniPolicy,
    asker: Asker,
    samples: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = replace(samples[0], hint=HINT)
    trainee, records = steps_of(
        policy, asker, sample, monkeypatch, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0
    )
    # Two visits in vain, then the hint; in vain once more it stays, and a right answer ends it.
    expected = [False, False, True, True, False, False, True]
    assert [record.fresh[0].hinted for record in records] == expected
    assert [f"Hint: {HINT}" in prompt_of(record, policy) for record in records] == expected
    assert [group_rows(record)[0].hinted for record in records] == expected
    rows = [metrics_row(record, trainee.state.counters) for record in records]
    assert (rows[-1].hints_used, rows[-1].hints_refused) == (3, 0)
    # Half a reward for the form each time; the 1.0 earned with the hint is not in R̄.
    assert trainee.state.buffer.baseline(sample.id) == 0.5
    assert trainee.state.buffer.baseline_count(sample.id) == 2 * 4
    # What is trained on is the prompt that was sampled from: under any other, ratios are not 1.
    assert [record.diagnostics["ess"] for record in records] == pytest.approx([1.0] * 7, abs=1e-5)


def test_nothing_is_hinted_without_a_hint_or_with_hints_off(
    policy: QwenOmniPolicy,
    asker: Asker,
    samples: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    off = ("hints.rule=zero_streak", "hints.zero_streak=1", "hints.enabled=false")
    for sample in (samples[0], replace(samples[0], hint=HINT)):
        trainee, records = steps_of(
            policy, asker, sample, monkeypatch, 0.0, 0.0, settings=off if sample.hint else off[:2]
        )
        assert [record.fresh[0].hinted for record in records] == [False, False]
        assert trainee.state.hints.state_dict() == HintMemory().state_dict()


def test_a_hint_that_holds_the_answer_is_refused_and_counted_or_marked(
    policy: QwenOmniPolicy,
    asker: Asker,
    samples: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = replace(samples[0], hint=f"The answer is {samples[0].solution}.")
    rule = ("hints.rule=zero_streak", "hints.zero_streak=1")
    for leak, hinted, refused in (("refuse", False, 2), ("mark", True, 0)):
        settings = (*rule, f"hints.leak={leak}")
        _, records = steps_of(policy, asker, sample, monkeypatch, 0.0, 0.0, 0.0, settings=settings)
        groups = [group_rows(record)[0] for record in records]
        assert [(group.hinted, group.leaked) for group in groups] == [
            (False, False),
            (hinted, hinted),
            (hinted, hinted),
        ]
        assert metrics_row(records[-1], Counters()).hints_refused == refused


def test_no_measurement_shows_a_hint(
    policy: QwenOmniPolicy,
    asker: Asker,
    samples: list[Sample],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Prompt] = []
    prepare = QwenOmniPolicy.prepare

    def spied(self: QwenOmniPolicy, prompt: Prompt) -> Prepared:
        asked.append(prompt)
        return prepare(self, prompt)

    monkeypatch.setattr(QwenOmniPolicy, "prepare", spied)
    hinted = [replace(sample, hint=HINT) for sample in samples]
    config = resolve_train(stage=2, assignments=["sampling.max_new_tokens=2"])
    # Held-out samples and the benchmarks of an evaluation are answered by the same function.
    measure_held_out(policy, asker, hinted, config, tmp_path / "before.jsonl")
    list(answer_samples(policy, asker, hinted, max_new_tokens=2, batch_size=2))
    assert len(asked) == 2 * len(samples)
    assert not any(HINT in f"{prompt.system} {prompt.texts}" for prompt in asked)


def test_a_resumed_run_shows_the_same_hints_and_ends_alike(base: Path, tmp_path: Path) -> None:
    settings = (
        "steps=7",
        # Six scenes, passed over twice in six steps; the last three are of the hardest.
        "rollout.pool=6",
        "sampling.max_new_tokens=6",
        "held_out.samples=0",
        # Every prompt is hard, and no reward or divergence too high to show a hint.
        "replay.ratios=[0.0, 0.0, 1.0]",
        "hints.reward_quantile=1.0",
        "hints.kl_quantile=1.0",
    )
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    train(small(whole, base, *settings, stage=3))
    config = small(torn, base, *settings, stage=3)
    with pytest.raises(Stopped):
        train(config, watcher=at_step(5, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    train(config)
    hinted = [group["step"] for group in read_rows(whole / "groups.jsonl") if group["hinted"]]
    # On both sides of the break.
    assert min(hinted) <= 5 < max(hinted)
    state = [
        read_json(run / "checkpoints" / "step-7" / "trainer/state.json") for run in (whole, torn)
    ]
    assert state[0] == state[1]
    assert state[0]["hints"]["divergences"] and state[0]["hints"]["prompts"]
    assert read_rows(whole / "groups.jsonl") == read_rows(torn / "groups.jsonl")
    assert timeless(whole) == timeless(torn)
    assert replay_state(whole, 7) == replay_state(torn, 7)
    for name in ("model.safetensors", "trainer/optimiser.safetensors"):
        assert same_tensors(tensors(whole, 7, name), tensors(torn, 7, name))
