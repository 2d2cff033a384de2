"""Where the parts of a thinker are; transformers 5.23 moved them one level down."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn
from transformers import Qwen2_5OmniProcessor, Qwen2_5OmniThinkerForConditionalGeneration

PROCESSOR_PAIRS_SOUND = hasattr(Qwen2_5OmniProcessor, "load_audio_from_video")
"""The processor is told which sound belongs to which video (5.23); before, one flag held for all."""


class Parts(NamedTuple):
    """The pieces of a thinker that are used one by one."""

    towers: Any
    """Module with `visual`, `audio_tower`, `get_video_features`, `get_audio_features`, `get_rope_index`."""
    text: nn.Module
    """The language model without its head."""
    head: nn.Module
    """The output projection."""


def parts_of(model: Qwen2_5OmniThinkerForConditionalGeneration) -> Parts:
    """The parts of a thinker, whatever release of transformers built it."""
    if hasattr(model, "visual"):
        return Parts(model, model.model, model.lm_head)
    return Parts(model.model, model.model.language_model, model.lm_head)
