"""The comparison with ms-swift, as far as it goes without it: data, our side, logs, checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig, Qwen2_5OmniForConditionalGeneration

from avatar_core.asking import Asked, Asker, look_at
from avatar_core.data.samples import read_samples
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Prompt
from avatar_core.models.prompting import control_tokens, processor_inputs
from tests.performance.peer_data import MODEL, QUESTION, ROWS, SYSTEM, Case, make_data
from tests.performance.peer_swift import (
    OURS,
    THEIRS,
    check_model,
    check_work,
    options,
    rates,
    task_of,
)
from tests.performance.peer_swift_command import swift_environment, swift_settings, turn_of_log
from tests.performance.peer_swift_plugin import StepLog, letter_share
from tests.performance.peer_turns import (
    GROUP,
    Task,
    Turn,
    mean_phases,
    our_config,
    our_turn,
)
from tests.performance.rl_step import family_logprobs

SMALL = Case(clips=2, frames=8, side=56, new_tokens=3, steps=1, warm_up=1, repeats=1)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return Task(make_data(tmp_path_factory.mktemp("peer"), SMALL), SMALL, beta=0.0, seed=0)


def test_the_checkpoint_is_one_for_both_sides(task: Task) -> None:
    policy = load_policy(str(task.data / MODEL), tuning="full")
    whole: Any = Qwen2_5OmniForConditionalGeneration
    theirs = whole.from_pretrained(task.data / MODEL)
    ours, own = policy.model.state_dict(), theirs.thinker.state_dict()
    assert len(ours) > 50 and ours.keys() == own.keys()
    assert all(torch.equal(weight, own[name]) for name, weight in ours.items())
    suppressed = GenerationConfig.from_pretrained(task.data / MODEL).suppress_tokens
    assert set(suppressed) == set(control_tokens(policy.processor).values())


def test_the_rows_are_read_with_their_clips(task: Task) -> None:
    samples = read_samples(task.data / ROWS)
    assert [(one.id, one.question) for one in samples] == [("0", QUESTION), ("1", QUESTION)]
    config = our_config(task, "grpo", Path("unused"))
    with MediaLoader(config.media) as loader:
        clips = [loader.load(one.media[0]) for one in samples]
    # 8 frames in 1.024 s of video, of which 4 a second are taken, as many as the least.
    assert [clip.frames.shape for clip in clips if clip.frames is not None] == [(4, 56, 56, 3)] * 2
    for clip in clips:
        assert clip.sound is not None and abs(clip.sound).max() > 0.3


def test_our_turn_counts_the_steps_behind_the_first(task: Task, tmp_path: Path) -> None:
    turn = our_turn(task, "grpo", tmp_path / "grpo")
    assert turn.generated == [SMALL.new_tokens] * GROUP
    assert turn.trained == GROUP
    assert 0 < turn.phases["generate"] + turn.phases["train"] < turn.seconds
    check_work({OURS: [turn], THEIRS: [turn]}, task)


def test_a_turn_with_replay_generates_half_of_what_it_trains_on(task: Task, tmp_path: Path) -> None:
    turn = our_turn(task, "paper", tmp_path / "paper")
    assert turn.generated == [SMALL.new_tokens] * (GROUP // 2)
    assert turn.trained == GROUP
    (found,) = rates({"replay": [turn]}, SMALL.steps).values()
    assert (found["generated_per_step"], found["trained_per_step"]) == (4.0, 8.0)


def test_a_log_of_the_other_side_becomes_a_turn(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "steps.jsonl")
    log.begin({"ms-swift": "4.6.0"})
    # Two prompts of three tokens, the second with a completion that is one token shorter.
    ids = torch.tensor([[1, 2, 3, 7, 8], [1, 2, 4, 9, 0]])
    mask = torch.tensor([[True, True], [True, False]])
    for _ in range(2):
        log.batch(["a", "b"], ids, mask, torch.tensor([[-1.0, -2.0], [-3.0, 0.0]]))
        log.end_step()
    turn = turn_of_log(log.path, SMALL)
    assert turn.seconds > 0
    assert turn.generated == [2, 1] and turn.trained == 2
    assert turn.prompts == {"a": [1, 2, 3], "b": [1, 2, 4]}
    assert [(row["tokens"], row["logprobs"]) for row in turn.first] == [
        ([7, 8], [-1.0, -2.0]),
        ([9], [-3.0]),
    ]
    assert turn.versions == {"ms-swift": "4.6.0"}


def test_unequal_work_is_refused(task: Task) -> None:
    whole = Turn(1.0, [SMALL.new_tokens] * GROUP, GROUP)
    check_work({OURS: [whole], THEIRS: [whole]}, task)
    shorter = whole._replace(generated=[*whole.generated[:-1], SMALL.new_tokens - 1])
    unused = whole._replace(trained=GROUP - 1)
    for other in (shorter, unused):
        with pytest.raises(AssertionError, match=THEIRS):
            check_work({OURS: [whole], THEIRS: [other]}, task)


def test_another_prompt_or_another_model_is_refused(task: Task) -> None:
    policy = load_policy(str(task.data / MODEL), tuning="full")
    config = our_config(task, "grpo", Path("unused"))
    (sample, _) = read_samples(task.data / ROWS)
    with MediaLoader(config.media) as loader:
        (seen,) = look_at(Asker(policy, loader, system_prompt=SYSTEM), [sample])
    assert isinstance(seen, Asked)
    prompt = Prompt(SYSTEM, (*seen.clips, QUESTION))
    inputs: dict[str, Any] = dict(processor_inputs(prompt, policy.processor))
    inputs["video_second_per_grid"] = torch.as_tensor(inputs["video_second_per_grid"])
    tokens = torch.tensor([300, 40, 500])
    with torch.no_grad():
        (values,) = family_logprobs(policy.model, inputs, [tokens]).tolist()
    row = {"id": "0", "tokens": tokens.tolist(), "logprobs": values}
    turn = Turn(1.0, [], 0, prompts={"0": seen.prepared.input_ids.tolist()}, first=[row])
    found = check_model([turn], task)
    assert found["prompt_tokens"] == [len(seen.prepared.input_ids)]
    assert found["logprob_difference"] < 1e-5
    moved = {**row, "logprobs": [value - 0.01 for value in values]}
    for other in (turn._replace(prompts={"0": [1, 2]}), turn._replace(first=[moved])):
        with pytest.raises(AssertionError):
            check_model([other], task)


def test_both_sides_have_the_same_settings(task: Task) -> None:
    config = our_config(task._replace(beta=0.04), "grpo", Path("unused"))
    settings = swift_settings(task._replace(beta=0.04), Path("out"))
    variables = swift_environment(task, Path("out"))
    pairs = {
        "num_generations": config.rollout.fresh_per_group,
        "per_device_train_batch_size": config.rollout.group_size,
        "max_completion_length": config.sampling.max_new_tokens,
        "temperature": config.sampling.temperature,
        "top_k": config.sampling.top_k,
        "top_p": config.sampling.top_p,
        "beta": config.loss.beta,
        "learning_rate": config.optim.lr,
        "weight_decay": config.optim.weight_decay,
        "adam_beta2": config.optim.beta2,
        "max_grad_norm": config.optim.max_grad_norm,
        "system": config.rollout.system_prompt,
        "seed": config.seed,
    }
    assert {name: settings[name] for name in pairs} == pairs
    assert config.tuning == settings["tuner_type"] and config.rollout.prompts_per_step == 1
    assert not config.replay.enabled and config.threads == int(variables["OMP_NUM_THREADS"])
    frames = (config.media.fps, config.media.min_frames, config.media.max_frames)
    assert [float(variables[f"FPS{end}"]) for end in ("", "_MIN_FRAMES", "_MAX_FRAMES")] == [
        *frames
    ]
    pixels = (config.media.min_pixels, config.media.max_pixels)
    assert [int(variables[f"VIDEO_{end}_PIXELS"]) for end in ("MIN", "MAX")] == [*pixels]


def test_sizes_come_from_the_case_unless_given(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.performance.peer_swift.make_data", lambda directory, case: directory)
    given = ["--swift-python", "venv/bin/python", "--data", "somewhere"]
    found = task_of(options([*given, "--case", "long", "--steps", "5", "--beta", "0.04"]))
    # One step before the five, and three turns, as the case has it.
    assert (found.case.steps, found.steps, found.case.repeats) == (5, 6, 3)
    assert found.data == Path("somewhere/long") and found.beta == 0.04


def test_means_are_taken_by_phase() -> None:
    rows: list[dict[str, Any]] = [
        {"step": 1, "seconds_a": 1.0, "seconds_b": None},
        {"step": 2, "seconds_a": 3.0, "seconds_b": 4.0},
    ]
    assert mean_phases(rows) == {"a": 2.0, "b": 2.0}


def test_the_reward_is_the_share_of_letters() -> None:
    assert letter_share("ab1 ") == 0.5
    assert letter_share("") == 0.0
