"""The thinker across releases of transformers: reading it, and where its parts are.

transformers 5.23 moved the parts one level down; files on disk keep the names of before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import LogRecord, getLogger
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from torch import nn
from transformers import Qwen2_5OmniProcessor, Qwen2_5OmniThinkerForConditionalGeneration
from transformers.utils import logging

from avatar_core.errors import CheckpointError

PROCESSOR_PAIRS_SOUND = hasattr(Qwen2_5OmniProcessor, "load_audio_from_video")
"""The processor is told which sound belongs to which video (5.23); before, one flag for all."""


class Parts(NamedTuple):
    """The pieces of a thinker that are used one by one."""

    towers: Any
    """Module with `visual`, `audio_tower` and the methods around them, such as `get_rope_index`."""
    text: Any
    """The language model without its head."""
    head: nn.Module
    """The output projection."""


def parts_of(model: Qwen2_5OmniThinkerForConditionalGeneration) -> Parts:
    """The parts of a thinker, whatever release of transformers built it."""
    if hasattr(model, "visual"):
        return Parts(model, model.model, model.lm_head)
    return Parts(model.model, model.model.language_model, model.lm_head)


@contextmanager
def without_bars() -> Iterator[None]:
    """Keep the progress bars of transformers off the terminal inside the block."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextmanager
def without_config_warnings() -> Iterator[None]:
    """Keep what transformers says of a configuration's token ids off the terminal inside the block.

    To find the class of a tokenizer it reads the configuration of all parts of a whole checkpoint,
    and holds the published talker's ids of text against the talker's vocabulary of sounds.
    """
    log = getLogger("transformers.configuration_utils")
    log.addFilter(_is_no_config_warning)
    try:
        yield
    finally:
        log.removeFilter(_is_no_config_warning)


def _is_no_config_warning(record: LogRecord) -> bool:
    return not record.getMessage().startswith("Model config:")


@contextmanager
def unreadable_files(directory: Path) -> Iterator[None]:
    """Turn a file of `directory` that is missing or torn into a `CheckpointError`."""
    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(
            f"{directory}: cannot be read ({reason}); use another checkpoint"
        ) from error


def read_thinker(directory: Path, **options: Any) -> Qwen2_5OmniThinkerForConditionalGeneration:
    """Read a thinker from the safetensors of a directory, renamed as this release wants them.

    Args:
        directory: a thinker, or a whole Qwen2.5-Omni checkpoint whose thinker is taken.
        options: further arguments of `from_pretrained`.

    Raises:
        CheckpointError: there are no safetensors, they cannot be read, or a weight of the model is
            not among them; a model with weights left at random would answer, and answer nonsense.
    """
    if not any(directory.glob("*.safetensors")):
        raise CheckpointError(
            f"{directory}: holds no *.safetensors, the only weights that are read; convert them"
        )
    reader: Any = Qwen2_5OmniThinkerForConditionalGeneration
    with without_bars(), unreadable_files(directory):
        model, report = reader.from_pretrained(
            directory,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    missing = {*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])}
    if missing:
        raise CheckpointError(
            f"{directory}: lacks {len(missing)} weights or has them in another shape, the first is "
            f"{min(missing)}; use another checkpoint"
        )
    thinker: Qwen2_5OmniThinkerForConditionalGeneration = model
    return thinker
