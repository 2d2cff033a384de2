from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import pytest
import torch
from safetensors.torch import save_file

from avatar_core.config.train import OptimConfig
from avatar_core.errors import DiskError, UsageError
from avatar_core.files import read_json
from avatar_core.manifest import sound_checkpoints, verify_manifest
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.replay import ReplayBuffer
from avatar_core.training import checkpoint as checkpoint_module
from avatar_core.training.checkpoint import (
    TrainerState,
    remove_unfinished,
    restore_trainer,
    save_checkpoint,
)
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.step import take_step
from avatar_core.training.telemetry import Counters
from tests.training.groups import group
from tests.training.runs import files_of


def new_state(
    policy: QwenOmniPolicy, data: str = "d", method: Literal["adamw", "muon"] = "adamw"
) -> TrainerState:
    config = OptimConfig(method=method, lr=1e-3)
    return TrainerState(
        make_optimiser(policy.parameters(), config, policy.matrices()),
        Counters(),
        ReplayBuffer(min_fill=0),
        data,
    )


@pytest.fixture
def state(policy: QwenOmniPolicy) -> TrainerState:
    return state_after_a_step(policy, "adamw")


def state_after_a_step(policy: QwenOmniPolicy, method: Literal["adamw", "muon"]) -> TrainerState:
    state = new_state(policy, method=method)
    loss = sum((parameter**2).sum() for parameter in policy.parameters())
    assert isinstance(loss, torch.Tensor)
    assert take_step(state.optimiser, loss, lr=1e-3, max_norm=1.0).taken
    state.counters.groups = 5
    state.buffer.insert(group("a", 1.0, 0.0, None))
    return state


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 0x10
    path.write_bytes(content)


def names(run: Path) -> list[str]:
    return sorted(path.name for path in (run / "checkpoints").iterdir())


def test_the_state_of_muon_and_of_adamw_comes_back(policy: QwenOmniPolicy, tmp_path: Path) -> None:
    state = state_after_a_step(policy, "muon")
    (path,) = save_checkpoint(tmp_path, 7, policy, state, keep=2)
    again = load_policy("tiny", seed=1)
    fresh = new_state(again, method="muon")
    again.restore(path)
    restore_trainer(path, fresh)
    of_muon = 0
    for one, other in zip(policy.parameters(), again.parameters(), strict=True):
        kept, restored = state.optimiser.state[one], fresh.optimiser.state[other]
        assert kept.keys() == restored.keys()
        of_muon += kept.keys() == {"momentum_buffer"}
        assert all(torch.equal(value, restored[name]) for name, value in kept.items())
    assert of_muon == len(policy.matrices())


def test_a_checkpoint_brings_everything_back_bit_for_bit(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path
) -> None:
    (path,) = save_checkpoint(tmp_path, 7, policy, state, keep=2)
    assert sound_checkpoints(tmp_path) == [path]
    again = load_policy("tiny", seed=1)
    fresh = new_state(again)
    again.restore(path)
    assert restore_trainer(path, fresh) == 7
    pairs = list(zip(policy.parameters(), again.parameters(), strict=True))
    assert len(pairs) > 50
    for one, other in pairs:
        assert one.detach().numpy().tobytes() == other.detach().numpy().tobytes()
        kept, restored = state.optimiser.state[one], fresh.optimiser.state[other]
        assert kept.keys() == restored.keys() == {"step", "exp_avg", "exp_avg_sq"}
        for name, value in kept.items():
            assert value.numpy().tobytes() == restored[name].numpy().tobytes()
    assert fresh.counters == state.counters
    drawn, expected = (one.buffer.draw(2, random.Random(0)) for one in (fresh, state))
    assert [(d.number, d.member, d.reuse) for d in drawn] == [
        (d.number, d.member, d.reuse) for d in expected
    ]
    # Saved again it is the same, file by file.
    (second,) = save_checkpoint(tmp_path / "again", 7, again, fresh, keep=2)
    assert files_of(second) == files_of(path)


def test_only_the_newest_sound_ones_are_kept(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path
) -> None:
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, policy, state, keep=2)
    assert names(tmp_path) == ["step-2", "step-3"]
    flip(tmp_path / "checkpoints" / "step-3" / "model.safetensors", 5000)
    save_checkpoint(tmp_path, 4, policy, state, keep=2)
    assert names(tmp_path) == ["step-2", "step-4"]


def test_what_a_process_wrote_itself_is_not_read_again(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    def verify(directory: Path) -> None:
        verified.append(directory.name)
        verify_manifest(directory)

    monkeypatch.setattr("avatar_core.manifest.verify_manifest", verify)
    kept = save_checkpoint(tmp_path, 1, policy, state, keep=2)
    # Another process: what it finds it reads once.
    kept = save_checkpoint(tmp_path, 2, policy, state, keep=2)
    assert verified == ["step-1"]
    for step in (3, 4):
        kept = save_checkpoint(tmp_path, step, policy, state, keep=2, trusted=kept)
        assert [path.name for path in kept] == [f"step-{step}", f"step-{step - 1}"]
    assert verified == ["step-1"]
    assert names(tmp_path) == ["step-3", "step-4"]


def test_a_step_that_comes_again_replaces_its_damaged_checkpoint(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path
) -> None:
    (path,) = save_checkpoint(tmp_path, 3, policy, state, keep=2)
    flip(path / "trainer" / "optimiser.safetensors", -1)
    assert sound_checkpoints(tmp_path) == []
    assert save_checkpoint(tmp_path, 3, policy, state, keep=2) == [path]
    assert sound_checkpoints(tmp_path) == [path]


def test_a_flipped_byte_anywhere_is_found(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path
) -> None:
    (path,) = save_checkpoint(tmp_path, 1, policy, state, keep=2)
    rng = random.Random(0)
    found = 0
    for name in files_of(path):
        place = rng.randrange(1 << 30)
        flip(path / name, place)
        found += sound_checkpoints(tmp_path) == []
        flip(path / name, place)
    assert found == len(files_of(path)) > 8
    assert sound_checkpoints(tmp_path) == [path]


def test_what_a_killed_save_left_is_removed(tmp_path: Path) -> None:
    leavings = tmp_path / "checkpoints" / ".step-3.0123456789abcdef.tmp"
    (leavings / "trainer").mkdir(parents=True)
    (leavings / "model.safetensors").write_bytes(b"half")
    (tmp_path / "checkpoints" / "step-2").mkdir()
    remove_unfinished(tmp_path)
    remove_unfinished(tmp_path / "nowhere")
    assert names(tmp_path) == ["step-2"]


def test_other_training_samples_are_refused(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path
) -> None:
    (path,) = save_checkpoint(tmp_path, 1, policy, state, keep=2)
    assert read_json(path / "trainer" / "state.json")["data"] == "d"
    with pytest.raises(UsageError, match="the training samples have changed since"):
        restore_trainer(path, new_state(policy, data="e"))


def test_what_libraries_in_rust_say_of_the_disk_is_an_error_of_the_disk(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights(directory: Path) -> None:
        save_file({"a": torch.zeros(1)}, directory / "nowhere" / "model.safetensors")

    def tokenizer(directory: Path) -> None:
        policy.processor.tokenizer.backend_tokenizer.save(str(directory / "nowhere" / "it.json"))

    def moments(values: object, path: Path) -> None:
        weights(path.parent)

    refused = 0
    for owner, name, action in (
        (policy, "save", weights),
        (policy, "save", tokenizer),
        (checkpoint_module, "save_file", moments),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, action)
            with pytest.raises(DiskError, match=r"step-1: cannot write: .*\(os error 2\)"):
                save_checkpoint(tmp_path, 1, policy, state, keep=2)
        refused += names(tmp_path) == []
    assert refused == 3


def test_other_errors_of_a_save_stay_what_they_are(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(directory: Path) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(policy, "save", save)
    with pytest.raises(KeyError, match="a bug"):
        save_checkpoint(tmp_path, 1, policy, state, keep=2)


def test_what_a_user_puts_beside_the_checkpoints_stays(
    policy: QwenOmniPolicy, state: TrainerState, tmp_path: Path
) -> None:
    mine = tmp_path / "checkpoints" / "step-1-best"
    mine.mkdir(parents=True)
    (mine.parent / "step-notes.txt").touch()
    for step in (1, 2):
        save_checkpoint(tmp_path, step, policy, state, keep=1)
    assert names(tmp_path) == ["step-1-best", "step-2", "step-notes.txt"]


@pytest.mark.gpu
def test_moments_are_copied_to_the_host() -> None:
    weight = torch.ones(1 << 20, device="cuda", requires_grad=True)
    optimiser = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimiser.step()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    copied = checkpoint_module._moments(optimiser)
    assert torch.cuda.max_memory_allocated() == before
    assert {name: str(moment.device) for name, moment in copied.items()} == {
        "0.step": "cpu",
        "0.exp_avg": "cpu",
        "0.exp_avg_sq": "cpu",
    }
