from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from avatar_core.asking import Asker
from avatar_core.config.resolve import resolve_train
from avatar_core.evaluation_records import EvalRow
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.training import held_out
from avatar_core.training.held_out import measure_held_out, summarise
from avatar_core.types import MediaRef, Sample
from tests.eval_rows import eval_row

CONFIG = resolve_train(stage=2, assignments=["sampling.max_new_tokens=4", "held_out.batch_size=2"])


def test_rows_are_written_once_and_read_from_then_on(
    policy: QwenOmniPolicy,
    asker: Asker,
    samples: list[Sample],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "held_out" / "before.jsonl"
    rows = measure_held_out(policy, asker, samples, CONFIG, path)
    assert [row.id for row in rows] == [sample.id for sample in samples]
    monkeypatch.setattr(held_out, "answer_samples", None)
    assert measure_held_out(policy, asker, samples, CONFIG, path) == rows


def test_rows_of_other_samples_are_made_again(
    policy: QwenOmniPolicy, asker: Asker, samples: list[Sample], tmp_path: Path
) -> None:
    path = tmp_path / "before.jsonl"
    measure_held_out(policy, asker, samples[:2], CONFIG, path)
    rows = measure_held_out(policy, asker, samples, CONFIG, path)
    assert [row.id for row in rows] == [sample.id for sample in samples]


def rows_of(samples: Sequence[Sample], correct: str) -> list[EvalRow]:
    return [eval_row(s.id, answer == "1") for s, answer in zip(samples, correct, strict=True)]


def test_accuracy_and_paired_gain_by_hand() -> None:
    one = Sample("", "?", (MediaRef("video", "1.mp4"),), "A", "multiple choice")
    samples = [
        replace(one, id=str(n), media=(MediaRef("video", f"{n % 5}.mp4"),)) for n in range(10)
    ]
    # Three right before; two of them and four others after.
    before, after = rows_of(samples, "1110000000"), rows_of(samples, "1101111000")
    result = summarise(before, after, samples)
    assert result.samples == 10
    assert (result.before.value, result.after.value) == (0.3, 0.6)
    assert result.gain == pytest.approx(0.3)
    assert result.gain_interval is not None
    assert result.gain_interval.low < 0.3 < result.gain_interval.high
    # Samples n and n + 5 share a clip and are drawn together.
    apart = [replace(sample, media=(MediaRef("video", sample.id),)) for sample in samples]
    assert summarise(before, after, apart).gain_interval != result.gain_interval


def test_the_same_answers_are_no_gain() -> None:
    samples = [Sample(str(n), "?", (), "A", "multiple choice") for n in range(4)]
    rows = rows_of(samples, "1111")
    result = summarise(rows, rows, samples)
    assert (result.gain, result.gain_interval) == (0.0, None)
    # Four of four, without media each its own cluster: from 0.025^¼ = 0.3976 up.
    assert result.before == result.after
    assert result.before.interval is not None
    assert result.before.interval.low == pytest.approx(0.025**0.25)
    assert result.before.interval.high == 1.0
