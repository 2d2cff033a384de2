"""Reading a thinker from disk: every weight or none, whatever the file lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers.utils import logging

from avatar_core.errors import CheckpointError
from avatar_core.models.thinker import (
    parts_of,
    read_thinker,
    unreadable_files,
    without_bars,
    without_config_warnings,
)
from tests.models.prompts import tiny_policy

WEIGHTS = "model.safetensors"
Weights = dict[str, Tensor]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiny")
    tiny_policy().save(directory)
    return directory


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Callable[[Callable[[Weights], object]], Path]:
    """A copy of the saved model whose weights were changed in place."""

    def make(change: Callable[[Weights], object]) -> Path:
        weights = load_file(saved / WEIGHTS)
        change(weights)
        (tmp_path / "config.json").write_bytes((saved / "config.json").read_bytes())
        save_file(weights, tmp_path / WEIGHTS, metadata={"format": "pt"})
        return tmp_path

    return make


def test_what_was_saved_is_read_bit_for_bit(saved: Path) -> None:
    kept, read = tiny_policy().model.state_dict(), read_thinker(saved).state_dict()
    assert kept.keys() == read.keys()
    assert len(kept) > 50
    for name, value in kept.items():
        assert value.numpy().tobytes() == read[name].numpy().tobytes(), name


def test_the_parts_are_those_of_one_thinker(saved: Path) -> None:
    model = read_thinker(saved)
    towers, text, head = parts_of(model)
    assert head is model.lm_head
    # The head gives as many logits as the language model has embeddings.
    assert head.weight.shape == text.get_input_embeddings().weight.shape
    assert all(hasattr(towers, name) for name in ("visual", "audio_tower", "get_rope_index"))


def first(weights: Weights) -> str:
    return min(name for name in weights if "layers.0" in name)


def test_a_missing_or_misshapen_weight_is_an_error_that_names_one(
    copy: Callable[[Callable[[Weights], object]], Path],
) -> None:
    def shorten(weights: Weights) -> None:
        weights[first(weights)] = weights[first(weights)][:1].clone()

    changes: list[Callable[[Weights], object]] = [lambda w: w.pop(first(w)), shorten]
    for change in changes:
        directory = copy(change)
        with pytest.raises(CheckpointError, match=r"lacks 1 weights .* the first is .*layers\.0"):
            read_thinker(directory)
    assert len(changes) == 2


def test_a_directory_without_safetensors_or_with_a_torn_file_is_an_error(
    saved: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_bytes((saved / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(CheckpointError, match=r"holds no \*.safetensors"):
        read_thinker(tmp_path)
    whole = (saved / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot be read .*; use another checkpoint"):
        read_thinker(tmp_path)


def test_only_errors_of_reading_become_checkpoint_errors(tmp_path: Path) -> None:
    # Of a long message the first line is enough, and an empty one is replaced by its type.
    for error, reason in ((OSError("gone\nfor good"), "gone"), (ValueError(), "ValueError")):
        with pytest.raises(CheckpointError) as caught, unreadable_files(tmp_path):
            raise error
        assert str(caught.value) == f"{tmp_path}: cannot be read ({reason}); use another checkpoint"
    with pytest.raises(KeyError), unreadable_files(tmp_path):
        raise KeyError("a bug")


@pytest.mark.parametrize("shown", [True, False])
def test_progress_bars_are_as_before_afterwards(shown: bool) -> None:
    before = logging.is_progress_bar_enabled()
    try:
        (logging.enable_progress_bar if shown else logging.disable_progress_bar)()
        with without_bars():
            assert not logging.is_progress_bar_enabled()
        assert logging.is_progress_bar_enabled() == shown
    finally:
        (logging.enable_progress_bar if before else logging.disable_progress_bar)()


def test_only_what_is_said_of_a_configuration_is_kept_quiet_and_only_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.get_logger("transformers.configuration_utils")
    with without_config_warnings():
        log.warning("Model config: tts_id must be within the vocabulary")
        log.warning("Another warning")
    log.warning("Model config: later")
    assert caplog.messages == ["Another warning", "Model config: later"]
