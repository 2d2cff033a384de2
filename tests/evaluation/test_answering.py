from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from avatar_core.asking import Asked, Asker, look_at
from avatar_core.data.scenes import scene_samples
from avatar_core.errors import OutOfMemoryError
from avatar_core.evaluation.answering import LocalModel, Reply, answer_samples, answered_row, reply
from avatar_core.evaluation.tasks import sample_tasks
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Encoded, Prepared, Sampling
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.run_settings import run_settings
from avatar_core.types import MediaRef, Sample

CHOICE = Sample(
    "s", "Which colour?", (), "A", "multiple choice", ("red", "blue"), family="colour", stage=1
)


def test_every_sample_gets_one_row_in_order(run: Path, clips: Path, tmp_path: Path) -> None:
    good = scene_samples(split="test", stage=1, count=3, root=clips)
    (tmp_path / "noise.mp4").write_bytes(b"noise")
    ill = [
        replace(good[0], id="gone", media=(MediaRef("video", str(tmp_path / "gone.mp4")),)),
        replace(good[0], id="noise", media=(MediaRef("video", str(tmp_path / "noise.mp4")),)),
        replace(good[0], id="control", question="<|im_end|> What colour?"),
    ]
    asked = [good[0], ill[0], ill[1], good[1], ill[2], good[2], replace(ill[0], id="last")]
    settings = run_settings(str(run))
    policy = load_policy(settings.checkpoint)
    with MediaLoader(settings.media) as loader:
        asker = Asker(policy, loader, system_prompt="Answer.")
        rows = answer_samples(policy, asker, asked, max_new_tokens=3, batch_size=3)
    assert [row.id for row in rows] == [sample.id for sample in asked]
    answered = {"ok", "unparsed", "truncated"}
    gone, ill_formed = {"missing_media"}, {"error"}
    expected = [answered, gone, ill_formed, answered, ill_formed, answered, gone]
    assert all(row.status in one for row, one in zip(rows, expected, strict=True))
    for row in rows:
        failed = row.status in {"error", "missing_media"}
        assert (row.text is None) == (row.error is not None) == failed
        assert row.modalities == (() if failed else ("text", "frames", "sound"))
        assert row.correct is not None
    assert "control token" in str(rows[4].error)


REPLIES = [
    (Reply("<think>x</think><answer>red</answer>", False), "ok", "red", True),
    (Reply("<think>x</think><answer>blue</answer>", False), "ok", "blue", False),
    (Reply("<think>x</think><answer>green</answer>", False), "unparsed", None, False),
    (Reply("<think>red or", False), "unparsed", None, False),
    (Reply("<think>red or", True), "truncated", None, False),
    (Reply("<think>x</think><answer>red", True), "truncated", "red", True),
    (Reply("", False), "unparsed", None, False),
]


def test_status_prediction_and_score_of_a_reply() -> None:
    (task,) = sample_tasks([CHOICE])
    for replied, status, prediction, correct in REPLIES:
        row = answered_row(task, [], replied, 0.25)
        assert (row.status, row.prediction, row.correct) == (status, prediction, correct)
        assert (row.score, row.gold) == (float(correct), "red")
        assert (row.text, row.truncated, row.seconds) == (replied.text, replied.truncated, 0.25)
        assert row.groups == {"family": "colour", "stage": "1"}
    assert len(REPLIES) == 7


def test_a_numerical_answer_keeps_partial_credit() -> None:
    sample = Sample("n", "How many?", (), "4", "numerical")
    (task,) = sample_tasks([sample])
    row = answered_row(task, [], Reply("<answer>3</answer>", False), 0.0)
    # 1 − |3 − 4| / 4.
    assert (row.score, row.correct, row.prediction) == (0.75, False, "3")


def scarce(policy: QwenOmniPolicy, fits: int, error: Exception) -> list[int]:
    """Let `policy` encode at most `fits` prompts together; gives the sizes that it is asked for."""
    sizes: list[int] = []
    encode = policy.encode

    def encode_few(prompts: Sequence[Prepared]) -> Encoded:
        sizes.append(len(prompts))
        if len(prompts) > fits:
            raise error
        return encode(prompts)

    policy.encode = encode_few  # type: ignore[method-assign]
    return sizes


def test_a_batch_that_does_not_fit_is_answered_in_halves(run: Path, clips: Path) -> None:
    settings = run_settings(str(run))
    policy = load_policy(settings.checkpoint, device="cpu")
    samples = scene_samples(split="test", stage=1, count=5, root=clips)
    with MediaLoader(settings.media) as loader:
        looked_at = look_at(Asker(policy, loader, system_prompt="Answer."), samples)
    prompts = [seen.prepared for seen in looked_at if isinstance(seen, Asked)]
    assert len(prompts) == 5
    greedy = Sampling(6, temperature=0.0)
    whole = reply(policy, prompts, greedy)
    full = "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: 9 bytes"
    sizes = scarce(policy, 2, RuntimeError(full))
    assert reply(policy, prompts, greedy) == whole
    # 5 are 2 and 3, and 3 are 1 and 2.
    assert sizes == [5, 2, 3, 1, 2]
    assert len({one.text for one in whole}) > 1
    scarce(policy, 0, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    with pytest.raises(OutOfMemoryError, match=f"a prompt of {len(prompts[0].input_ids)} tokens"):
        reply(policy, prompts, greedy)
    scarce(policy, 0, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        reply(policy, prompts, greedy)


def test_batches_of_a_window_are_sorted_by_length_and_change_no_answer(
    run: Path, clips: Path
) -> None:
    settings = run_settings(str(run))
    policy = load_policy(settings.checkpoint, device="cpu")
    samples = scene_samples(split="test", stage=1, count=6, root=clips)
    padded = [
        replace(sample, question=f"{'Look closely. ' * (5 * (n % 3))}{sample.question}")
        for n, sample in enumerate(samples)
    ]
    with MediaLoader(settings.media) as loader:
        asker = Asker(policy, loader, system_prompt="Answer.")
        one = answer_samples(policy, asker, padded, max_new_tokens=8, batch_size=1)
        model = LocalModel(policy, asker, max_new_tokens=8, batch_size=2)
        tasks = sample_tasks(padded)
        batches = [rows for rows in model.answer(tasks, {task.id for task in tasks}) if rows]
        owed = {padded[1].id}
        again = [rows for rows in model.answer(tasks, owed) if rows]
    # Short, middle and long questions: each batch holds the two of one length.
    places = {sample.id: n % 3 for n, sample in enumerate(padded)}
    assert [[places[row.id] for row in rows] for rows in batches] == [[0, 0], [1, 1], [2, 2]]
    alone = {row.id: row.text for row in one}
    assert {row.id: row.text for rows in batches for row in rows} == alone
    assert len(set(alone.values())) > 1
    # Only the batch with the task that is owed is answered, whole.
    assert [[places[row.id] for row in rows] for rows in again] == [[1, 1]]


def test_a_window_that_owes_missing_media_alone_decodes_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = run_settings(str(run))
    policy = load_policy(settings.checkpoint)
    lost, there = (
        task._replace(missing=missing)
        for task, missing in zip(
            sample_tasks([replace(CHOICE, id="lost"), replace(CHOICE, id="there")]),
            ((str(tmp_path / "gone.mp4"),), ()),
            strict=True,
        )
    )
    monkeypatch.setattr(Asker, "look", None)
    with MediaLoader(settings.media) as loader:
        asker = Asker(policy, loader, system_prompt=None)
        model = LocalModel(policy, asker, max_new_tokens=2, batch_size=2)
        (rows,) = model.answer([lost, there], {"lost"})
    assert [(row.id, row.status) for row in rows] == [("lost", "missing_media")]
