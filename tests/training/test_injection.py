from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avatar_core.replay import DrawRule, ReplayBuffer
from avatar_core.training.injection import (
    best_right,
    has_failed,
    split,
    stored_successes,
    with_successes,
)
from avatar_core.training.rollout import Visit
from avatar_core.training.update import NOTHING_REPLAYED, Rehearsal, Replayed
from avatar_core.types import Group, Sample
from tests.training.groups import completion


def answers(name: str, *accuracies: float | None, step: int = 1, key: str = "k") -> Group:
    """A group whose rewards are the accuracy of its answers, ½ where that was not scored."""
    members = tuple(
        completion(0.5 if value is None else value, accuracy=value) for value in accuracies
    )
    return Group(name, step, members, media_key=key)


def visit(name: str) -> Visit:
    return Visit(Sample(name, "?", (), "A", "multiple choice"), None, "k")  # type: ignore[arg-type]


def stored(*groups: Group, rule: DrawRule | None = None) -> ReplayBuffer:
    buffer = ReplayBuffer(min_fill=0, rule=rule)
    for group in groups:
        buffer.insert(group)
    return buffer


def found(buffer: ReplayBuffer, *groups: Group, step: int = 9) -> dict[int, tuple[int, int]]:
    """Step and member of the success of each place."""
    successes = stored_successes(groups, buffer, NOTHING_REPLAYED, step=step)
    return {place: (drawn.group.step, drawn.member) for place, drawn in successes.items()}


FAILED = answers("a", 0.0, 0.0, step=9)


def test_a_group_has_failed_when_no_scored_answer_is_right() -> None:
    cases = {
        (0.0, 0.0): True,
        (0.0, None): True,
        (0.0, 1.0): False,
        (0.0, 0.2): False,
        (None, None): False,
    }
    for accuracies, failed in cases.items():
        assert has_failed(answers("a", *accuracies)) is failed


def test_the_newest_success_is_found_the_best_of_its_group_and_the_first_of_equals() -> None:
    buffer = stored(
        answers("a", 1.0, step=1),
        answers("a", 0.0, 0.5, 1.0, 1.0, step=2),
        answers("a", 0.0, 0.0, step=3),
        answers("b", 1.0, step=4),
    )
    assert found(buffer, FAILED) == {0: (2, 2)}
    assert best_right(answers("a", 0.0, None)) is None


def test_only_prompts_that_failed_get_one_and_only_when_one_is_stored() -> None:
    buffer = stored(answers("a", 1.0), answers("b", 1.0), answers("c", 0.0))
    fresh = [answers("b", 0.0, 1.0), answers("c", 0.0), answers("d", 0.0), FAILED]
    assert found(buffer, *fresh) == {3: (1, 0)}
    assert found(stored(), *fresh) == {}


def test_another_clip_a_hint_now_or_a_group_past_use_gives_none() -> None:
    buffer = stored(answers("a", 1.0, step=1))
    assert found(buffer, replace(FAILED, media_key="other")) == {}
    assert found(buffer, replace(FAILED, hinted=True)) == {}
    old = stored(answers("a", 1.0, step=1), rule=DrawRule(max_age=7))
    assert (found(old, FAILED, step=8), found(old, FAILED, step=9)) == ({0: (1, 0)}, {})
    worn = stored(answers("a", 1.0, step=1), rule=DrawRule(max_reuse=1))
    (drawn,) = stored_successes([FAILED], worn, NOTHING_REPLAYED, step=9).values()
    worn.mark_used([drawn])
    assert found(worn, FAILED) == {}


def test_a_success_that_a_hint_led_to_counts() -> None:
    assert found(stored(replace(answers("a", 1.0), hinted=True)), FAILED) == {0: (1, 0)}


def test_nothing_is_trained_on_twice_in_one_step() -> None:
    buffer = stored(answers("a", 1.0, 0.5, step=2))
    # The prompt is visited twice: the second visit gets the second best.
    assert found(buffer, FAILED, FAILED, FAILED) == {0: (2, 0), 1: (2, 1)}
    (drawn,) = stored_successes([FAILED], buffer, NOTHING_REPLAYED, step=9).values()
    replayed = Replayed(drawn.group, [0], drawn, torch.zeros(1), 0.0)
    again = stored_successes([FAILED], buffer, Rehearsal([replayed], []), step=9)
    assert [one.member for one in again.values()] == [1]


def test_a_success_joins_the_comparison_and_is_replayed() -> None:
    buffer = stored(answers("a", 0.0, 1.0, step=2))
    fresh = [answers("b", 1.0, 0.0, step=9), FAILED]
    successes = stored_successes(fresh, buffer, NOTHING_REPLAYED, step=9)
    both = with_successes(fresh, successes)
    assert [[c.reward for c in group.completions] for group in both] == [[1, 0], [0, 0, 1]]
    assert [len(group.completions) for group in fresh] == [2, 2]
    visits = [visit(name) for name in "ba"]
    values = [torch.tensor([0.5, -0.5]), torch.tensor([-1.0, -1.0, 2.0])]
    kept = Replayed(fresh[0], [0], successes[1], torch.ones(1), 0.25)
    advantages, rehearsal = split(values, successes, visits, Rehearsal([kept], visits[:1]))
    assert [row.tolist() for row in advantages] == [[0.5, -0.5], [-1.0, -1.0]]
    first, second = rehearsal.replayed
    assert first is kept
    assert (second.group.step, second.members, second.advantages.tolist()) == (2, [1], [2.0])
    assert second.baseline is None
    assert rehearsal.visits == [visits[0], visits[1]]
    assert rehearsal.size == 2
    # Where another process visited the prompt, that one trains on it.
    elsewhere = split(values, successes, [visits[0], None], Rehearsal([kept], visits[:1])).rehearsal
    assert elsewhere.visits == [visits[0], None]


@pytest.mark.parametrize("failed", [True, False])
def test_without_a_success_everything_stays_as_it_is(failed: bool) -> None:
    fresh = [FAILED if failed else answers("a", 1.0, 0.0)]
    assert with_successes(fresh, {}) == fresh
    values = [torch.tensor([1.0, -1.0])]
    advantages, rehearsal = split(values, {}, [], NOTHING_REPLAYED)
    assert advantages == values and rehearsal == Rehearsal([], [])
