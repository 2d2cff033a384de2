"""A judge's model in this process: any image-text model of transformers, batched and greedy.

Weights are read from safetensors only, and code from a checkpoint is never run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.configuration_utils import PreTrainedConfig

from avatar_core.errors import CheckpointError, UsageError
from avatar_core.rewards.judging.chat import Reply
from avatar_core.rewards.judging.rubric import ChatPrompt

_REMOTE_CODE_KEYS = ("auto_map", "trust_remote_code", "custom_pipelines")


class LocalModel:
    """Answers prompts with a model of its own.

    Attributes:
        identity: model, its revision where known, and settings.
    """

    def __init__(
        self,
        spec: str,
        *,
        max_new_tokens: int = 512,
        batch_size: int = 8,
        device: str | None = None,
    ) -> None:
        """Load the model.

        Args:
            spec: directory or hub id.
            max_new_tokens: length limit of a reply.
            batch_size: prompts answered at the same time.
            device: torch device; `None` takes the first GPU when there is one, else the CPU.

        Raises:
            UsageError: there is no such model here, or the hub cannot be reached.
            CheckpointError: it asks to run code, or is no image-text model with safetensors.
        """
        target = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        _check_configuration(spec)
        self._processor, self._model = _load(spec, target)
        self._processor.tokenizer.padding_side = "left"
        self._max_new_tokens = max_new_tokens
        self._batch_size = batch_size
        revision = getattr(self._model.config, "_commit_hash", None)
        self.identity: tuple[str, ...] = ("local", spec, str(revision), str(max_new_tokens))

    def answer(self, prompts: Sequence[ChatPrompt]) -> list[Reply]:
        """One reply per prompt, in order."""
        replies: list[Reply] = []
        for start in range(0, len(prompts), self._batch_size):
            replies += self._answer_batch(prompts[start : start + self._batch_size])
        return replies

    @torch.inference_mode()
    def _answer_batch(self, prompts: Sequence[ChatPrompt]) -> list[Reply]:
        inputs = self._processor.apply_chat_template(
            [self._conversation(prompt) for prompt in prompts],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
        ).to(self._model.device, self._model.dtype)
        tokens = self._model.generate(
            **inputs,
            do_sample=False,
            max_new_tokens=self._max_new_tokens,
            pad_token_id=self._processor.tokenizer.pad_token_id,
        )
        written = tokens[:, inputs["input_ids"].shape[1] :]
        texts = self._processor.batch_decode(written, skip_special_tokens=True)
        return [Reply(text) for text in texts]

    def _conversation(self, prompt: ChatPrompt) -> list[dict[str, object]]:
        text = prompt.text
        # Spelt out in a completion, a control token would end the turn or stand for a picture.
        for token in self._processor.tokenizer.get_added_vocab():
            text = text.replace(token, f"{token[:1]} {token[1:]}")
        pictures = [{"type": "image", "image": picture.image()} for picture in prompt.pictures]
        return [{"role": "user", "content": [*pictures, {"type": "text", "text": text}]}]


def _check_configuration(spec: str) -> None:
    """Refuse a checkpoint that asks to run its own code."""
    unknown = UsageError(
        f"judge.model={spec!r} is neither a model directory nor reachable on the hub; give a "
        "directory, go online, or set judge.kind"
    )
    try:
        configuration, _ = PreTrainedConfig.get_config_dict(spec)
    except (OSError, ValueError) as error:
        raise unknown from error
    if not configuration:
        raise unknown
    for key in _REMOTE_CODE_KEYS:
        if key in configuration:
            raise CheckpointError(
                f"judge.model={spec!r}: key {key!r} asks to run code from the checkpoint; take a "
                "version made for transformers itself, often named -hf"
            )


def _load(spec: str, target: torch.device) -> tuple[Any, Any]:
    """Processor and model, on the device."""
    try:
        processor = AutoProcessor.from_pretrained(spec, trust_remote_code=False)
        model: Any = AutoModelForImageTextToText.from_pretrained(
            spec,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.bfloat16 if target.type == "cuda" else "auto",
        )
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"judge.model={spec!r} cannot be loaded as an image-text model with a processor and "
            f"safetensors ({error})"
        ) from error
    if not getattr(processor, "chat_template", None):
        raise CheckpointError(
            f"judge.model={spec!r} has no chat template; take an instructed model"
        )
    return processor, model.to(target).eval()
