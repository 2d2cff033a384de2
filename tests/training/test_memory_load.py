"""What a run does with a model, from its settings; numbers follow from those beside them."""

from __future__ import annotations

from typing import Any

from avatar_core.config.resolve import resolve_train
from avatar_core.training.memory import Load
from avatar_core.training.memory_layers import Pass
from avatar_core.training.memory_load import PromptSize, load_of

PROMPT = PromptSize(
    tokens=50, patches=16, frames=200, prepared=1000, preparation=77, clips=400, traces=2, trace=9
)
SETTINGS = (
    "rollout.prompts_per_step=3",
    "rollout.group_size=8",
    "rollout.fresh_per_group=4",
    "sampling.max_new_tokens=20",
    "held_out.samples=5",
    "steps=10",
)


def load(*settings: str, stage: int = 1, **options: Any) -> Load:
    config = resolve_train(stage=stage, assignments=[*SETTINGS, *settings], **options)
    return load_of(config, PROMPT, 100, reference=True)


def behind(rows: int, branches: int, length: int = 20) -> Pass:
    return Pass(rows, 50, branches, length, 16 * rows, 200 * rows)


def test_an_update_before_and_after_replay_supplies_its_share() -> None:
    found = load("replay.members_per_group=2")
    # 3 x (8 - 4) completions are replayed, two of a group.
    assert found.updates == ((behind(3, 8),), (behind(3, 4), behind(6, 2)))
    assert found.rollout == behind(3, 8)
    assert found.held_out == behind(5, 1)
    # Of this step, of the next one, and of what is replayed.
    assert found.prompts == (3 + 3 + 6) * 1000
    assert (found.preparation, found.again, found.accumulated) == (77, False, False)


def test_without_replay_an_update_is_fresh_alone() -> None:
    found = load("replay.enabled=false")
    assert found.updates == ((behind(3, 8),),)
    assert found.prompts == 6 * 1000


def test_a_cut_update_is_its_largest_part() -> None:
    found = load("optim.accumulate=4", "replay.members_per_group=2")
    # Three prompts in four parts are one each; with six more it is 9 / 4, so three.
    assert found.updates == ((behind(1, 8),), (behind(3, 4),))
    assert found.accumulated


def test_supervised_training_is_prompts_with_their_traces() -> None:
    found = load("supervised.batch_size=6", "held_out.samples=0", stage=0)
    assert found.updates == ((behind(6, 2, 9),),)
    assert found.rollout is None and found.held_out is None
    assert (found.prompts, found.replay) == (12 * 1000, 0)


def test_decoded_clips_fill_their_budget_and_no_more() -> None:
    # 100 samples and 5 that are held out, 400 bytes each.
    assert load().media == 105 * 400
    assert load("media.cache_bytes=9000").media == 9000


def test_the_replay_buffer_is_full_or_holds_all_that_was_drawn() -> None:
    # A token is 11 bytes: id, log-probability, text. 10 steps draw 3 x 8 completions of 20 tokens.
    assert load().replay == 10 * 24 * 20 * 11
    assert load("replay.capacity=100", "replay.min_fill=50").replay == 100 * 20 * 11
