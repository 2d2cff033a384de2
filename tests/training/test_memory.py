"""Estimates of memory: their arithmetic, and the peak of runs in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from avatar_core.models.loading import load_policy
from avatar_core.training.memory import AT_WORK, Load, MemoryEstimate, estimate
from avatar_core.training.memory_layers import (
    Layers,
    Pass,
    Precision,
    Thinker,
    attention_bytes,
    branch_bytes,
    layer_bytes,
)
from tests.models.full_shape import FULL_7B, NARROW, write_checkpoint

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 0.15
TEXT = Layers(depth=2, hidden=8, keys=4, inner=16, gated=True)
SMALL = Thinker(
    text=TEXT,
    vision=TEXT._replace(depth=1, keys=8),
    audio=TEXT._replace(depth=1, keys=8, gated=False),
    vocabulary=1000,
    patch=12,
    mels=4,
    parameters=50_000,
    trained=50_000,
)
BATCH = Pass(rows=2, prefix=10, branches=3, length=5, patches=8, frames=20)
LOAD = Load(
    updates=((BATCH,),),
    rollout=BATCH,
    held_out=None,
    reference=True,
    again=False,
    accumulated=False,
    media=700,
    preparation=500,
    prompts=300,
    replay=100,
)
FULL = Precision(width=4, rank=0)


def made(load: Load = LOAD, precision: Precision = FULL, **changes: Any) -> MemoryEstimate:
    options = {"model": SMALL, "base": 10_000, "gpu": False, **changes}
    return estimate(precision=precision, load=load, **options)


def test_all_weights_take_sixteen_bytes_a_parameter_and_the_reference_four() -> None:
    found = made()
    # 50,000 parameters: 4 bytes each, a copy for the reference, two moments of 4 bytes.
    assert found.always["weights"] == found.always["frozen reference"] == 200_000
    assert found.always["optimiser"] == 400_000
    assert found.phases["step"]["gradients"] == 200_000
    assert made(LOAD._replace(reference=False)).always["frozen reference"] == 0


def test_an_adapter_trains_alone_and_needs_no_copy_of_its_base() -> None:
    model = SMALL._replace(trained=1000)
    found = estimate(model, Precision(2, 4), LOAD, base=0, gpu=False)
    # A base in 2 bytes, the adapter in 4, and only the adapter has gradients and moments.
    assert found.always["weights"] == 2 * 50_000 + 4 * 1000
    assert found.always["frozen reference"] == 0
    assert found.always["optimiser"] == 8000
    assert found.phases["update"]["gradients"] == 4000


def test_the_peak_is_that_of_the_fullest_phase() -> None:
    found = made()
    held = sum(found.always.values())
    totals = {name: held + sum(parts.values()) for name, parts in found.phases.items()}
    assert set(totals) == {"rollout", "update", "step", "checkpoint"}
    assert found.peak == max(totals.values()) == totals[found.fullest]
    row = json.loads(json.dumps(found.to_row()))
    assert (row["place"], row["peak_bytes"]) == ("process", found.peak)


def test_what_an_update_holds_grows_with_its_passes_and_shrinks_when_computed_again() -> None:
    once, twice = made(), made(LOAD._replace(updates=((BATCH,), (BATCH, BATCH))))
    for name in ("towers", "language model", "attention", "log-probabilities"):
        assert twice.phases["update"][name] == 2 * once.phases["update"][name] > 0
    again = made(LOAD._replace(again=True)).phases["update"]
    assert again["attention"] == attention_bytes(TEXT, BATCH, FULL, again=True)
    assert again["language model"] < once.phases["update"]["language model"] / 3
    # One layer at a time is whole in the backward pass; a smaller head would not hide it.
    bare = SMALL._replace(vocabulary=16)
    loads = [LOAD._replace(again=again) for again in (False, True)]
    works = [made(load, model=bare).phases["update"]["work"] for load in loads]
    layer = layer_bytes(TEXT, BATCH.tokens, FULL) + branch_bytes(TEXT, BATCH, FULL)
    assert works[1] - works[0] == layer


def test_gradients_are_there_while_activations_are_if_an_update_is_cut() -> None:
    # Else only that of the head, 1,000 x 8 numbers, has been made.
    assert made().phases["update"]["gradients"] == 4 * 1000 * 8
    cut = made(LOAD._replace(accumulated=True))
    assert cut.phases["update"]["gradients"] == 200_000
    # Its prompts are encoded again with gradients, and without them before.
    assert cut.phases["rollout"]["towers"] == 0 < made().phases["rollout"]["towers"]


def test_supervised_training_draws_nothing_and_held_out_samples_are_a_phase() -> None:
    found = made(LOAD._replace(rollout=None, held_out=BATCH._replace(branches=1)))
    assert set(found.phases) == {"update", "step", "checkpoint", "held-out"}
    assert found.always["not given back"] == 0
    # 2 answers, drawn greedily: 12 bytes for each of 1,000 entries.
    assert found.phases["held-out"]["logits"] == 2 * 1000 * 12


def test_a_gpu_holds_neither_the_process_nor_its_data() -> None:
    found = made(gpu=True)
    assert found.place == "gpu"
    assert set(found.always) == {"weights", "frozen reference", "optimiser"}
    host = made()
    assert host.always["process"] == 10_000 + AT_WORK
    data = [host.always[n] for n in ("decoded media", "prepared prompts", "preparing prompts")]
    assert data == [700, 300, 500] and host.always["replay"] == 100


def measured(checkpoint: Path, out: Path, settings: Sequence[str]) -> dict[str, Any]:
    """Estimate and peak of a run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.memory_run", str(checkpoint), str(out), *settings],
        cwd=ROOT,
        env={**os.environ, "AVATAR_CACHE": str(out.parent / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def check_peak(checkpoint: Path, out: Path, *settings: str) -> None:
    # The second step replays the first one's completions, 2 x 4 of them.
    plain = ("steps=2", "replay.min_fill=8", "held_out.samples=0")
    row = measured(checkpoint, out, (*plain, *settings))
    error = row["estimate"]["peak_bytes"] / row["peak_bytes"] - 1
    assert abs(error) < WITHIN, (f"{error:+.1%}", row)


on_linux_alone = pytest.mark.skipif(
    torch.cuda.is_available() or sys.platform != "linux", reason="measures a process on Linux"
)


@on_linux_alone
def test_the_peak_of_the_embedded_model_is_foreseen(tmp_path: Path) -> None:
    load_policy("tiny", device="cpu").save(tmp_path / "tiny")
    larger = ("rollout.prompts_per_step=4", "rollout.group_size=8", "sampling.max_new_tokens=64")
    check_peak(tmp_path / "tiny", tmp_path / "run", *larger, "rollout.fresh_per_group=4")


@on_linux_alone
@pytest.mark.slow
def test_the_peak_with_the_full_vocabulary_all_weights_trained_is_foreseen(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "omni", NARROW)
    check_peak(checkpoint, tmp_path / "run", "media.audio=off", "checkpoint.every=1")


@on_linux_alone
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("full shape")
def test_the_peak_of_a_7b_cut_in_depth_with_an_adapter_is_foreseen(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "omni", FULL_7B)
    try:
        check_peak(checkpoint, tmp_path / "run", "--lora", "media.audio=off")
    finally:
        shutil.rmtree(checkpoint)
