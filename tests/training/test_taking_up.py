"""Beginning and going on: what is written, and that a refusal writes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import OptimConfig, TrainConfig
from avatar_core.errors import CheckpointError, UsageError
from avatar_core.files import read_json
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.provenance import fingerprint
from avatar_core.replay import ReplayBuffer
from avatar_core.training.checkpoint import TrainerState, save_checkpoint
from avatar_core.training.data import Data, data_digest
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.taking_up import claim, resume_point, run_manifest, take_up
from avatar_core.training.telemetry import Counters
from avatar_core.types import Sample
from avatar_core.version import VERSION
from tests.training.runs import files_of, same_tensors, small

DATA = Data({"a": Sample("a", "How many?", (), "2", "numerical")}, [], {}, {})


def state_of(policy: QwenOmniPolicy, data: Data = DATA) -> TrainerState:
    optimiser = make_optimiser(policy.parameters(), OptimConfig())
    digest = data_digest(data.training.values())
    return TrainerState(optimiser, Counters(), ReplayBuffer(min_fill=0), digest)


@pytest.fixture
def begun(policy: QwenOmniPolicy, base: Path, tmp_path: Path) -> TrainConfig:
    """A run with rows of three steps, saved after the second."""
    config = small(tmp_path / "run", base)
    run = Path(config.out)
    claim(run, config, policy)
    save_checkpoint(run, 2, policy, state_of(policy), keep=2)
    (run / "metrics.jsonl").write_text("".join(f'{{"step":{n}}}\n' for n in (1, 2, 3)), "utf-8")
    (run / "held_out").mkdir()
    (run / "held_out" / "after.jsonl").touch()
    return config


def test_a_new_run_is_claimed_by_manifest_and_configuration(
    policy: QwenOmniPolicy, base: Path, tmp_path: Path
) -> None:
    config = small(tmp_path, base)
    assert resume_point(tmp_path, DATA) is None
    claim(tmp_path, config, policy)
    assert sorted(files_of(tmp_path)) == ["config.json", "manifest.json"]
    assert read_json(tmp_path / "config.json")["steps"] == config.steps


def test_a_run_goes_on_where_it_was_saved(begun: TrainConfig, policy: QwenOmniPolicy) -> None:
    run, other = Path(begun.out), load_policy("tiny", seed=5)
    wanted = {name: weight.clone() for name, weight in policy.model.state_dict().items()}
    more = begun.model_copy(update={"steps": 50})
    point = resume_point(run, DATA)
    assert point == run / "checkpoints" / "step-2"
    assert take_up(run, more, other, state_of(other), point) == 2
    assert same_tensors(other.model.state_dict(), wanted)
    assert (run / "metrics.jsonl").read_text("utf-8") == '{"step":1}\n{"step":2}\n'
    assert not (run / "held_out" / "after.jsonl").exists()
    assert read_json(run / "config.json")["steps"] == 50


def test_no_refusal_writes(begun: TrainConfig, policy: QwenOmniPolicy) -> None:
    run = Path(begun.out)
    more = begun.model_copy(update={"steps": 50})
    before = files_of(run)
    strange = load_policy("tiny", seed=5)
    with pytest.raises(UsageError, match="began with other weights"):
        claim(run, more, strange)
    # The weights are the same, but nothing of the configuration is written before all is restored.
    claim(run, more, policy)
    others = DATA._replace(training={})
    with pytest.raises(UsageError, match="the training samples have changed since"):
        resume_point(run, others)
    point = resume_point(run, DATA)
    with pytest.raises(UsageError, match="the training samples have changed since"):
        take_up(run, more, policy, state_of(policy, others), point)
    assert files_of(run) == before
    weights = run / "checkpoints" / "step-2" / "model.safetensors"
    torn = weights.read_bytes()[:-4]
    weights.write_bytes(torn)
    with pytest.raises(CheckpointError, match="no checkpoint is sound"):
        resume_point(run, DATA)
    assert files_of(run) == before | {"checkpoints/step-2/model.safetensors": torn}


def test_a_run_that_saved_nothing_begins_anew(begun: TrainConfig, policy: QwenOmniPolicy) -> None:
    run = Path(begun.out)
    left = run / "checkpoints" / ".step-3.0123.tmp"
    left.mkdir()
    (run / "checkpoints" / "step-2").rename(run.parent / "elsewhere")
    assert resume_point(run, DATA) is None
    assert take_up(run, begun, policy, state_of(policy), None) == 0
    assert (run / "metrics.jsonl").read_text("utf-8") == ""
    assert not left.exists()


def test_a_manifest_says_what_a_run_was_made_with(policy: QwenOmniPolicy, tmp_path: Path) -> None:
    code = tmp_path / "mine.py"
    code.write_text("x = 1\n", "utf-8")
    config = resolve_train(
        stage=1, assignments=["seed=3", "media.fps=1.5", f'reward.files=["{code}"]']
    )
    manifest = run_manifest(config, policy)
    assert (manifest.seed, manifest.model, manifest.media["fps"]) == (3, "tiny", 1.5)
    assert manifest.model_fingerprint == fingerprint(policy.model)
    assert manifest.versions["avatar"] == VERSION
    assert manifest.versions[f"reward file {code}"] == hashlib.sha256(b"x = 1\n").hexdigest()
    assert manifest.threads == 1
