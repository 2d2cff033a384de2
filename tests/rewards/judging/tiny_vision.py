"""A real image-text model, small enough to be made and taught within a test.

A Qwen2-VL of a few layers with the tokenizer and the chat template of the embedded model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
)

from avatar_core.models.tiny import CHAT_TEMPLATE, tiny_tokenizer
from avatar_core.rewards.judging.rubric import ChatPrompt

WIDTH = 64
MAX_STEPS = 500
LEARNT = 0.01
"""Mean loss of a token below which the model looks at the picture: two replies of 34 tokens, two of
which cannot be told apart, leave 2 · ln 2 / 34 = 0.04."""


def tiny_vision_processor() -> Qwen2VLProcessor:
    limits: dict[str, Any] = {"size": {"shortest_edge": 784, "longest_edge": 784}}
    return Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(**limits),
        video_processor=Qwen2VLVideoProcessor(**limits),
        tokenizer=tiny_tokenizer(),
        chat_template=CHAT_TEMPLATE,
    )


def tiny_vision_model(processor: Any) -> Qwen2VLForConditionalGeneration:
    token_id = processor.tokenizer.convert_tokens_to_ids
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(processor.tokenizer),
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 8192,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [2, 3, 3],
            },
            "bos_token_id": None,
            "eos_token_id": token_id("<|im_end|>"),
            "pad_token_id": token_id("<|endoftext|>"),
        },
        vision_config={
            "depth": 1,
            "embed_dim": WIDTH,
            "hidden_size": WIDTH,
            "num_heads": 4,
            "mlp_ratio": 2,
        },
        image_token_id=token_id("<|IMAGE|>"),
        video_token_id=token_id("<|VIDEO|>"),
        vision_start_token_id=token_id("<|vision_bos|>"),
        vision_end_token_id=token_id("<|vision_eos|>"),
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    model = Qwen2VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = token_id("<|im_end|>")
    model.generation_config.pad_token_id = token_id("<|endoftext|>")
    return model


def teach(model: Any, processor: Any, lessons: list[tuple[ChatPrompt, str]]) -> None:
    """Overfit replies, all of the same number of tokens, to prompts of the same length."""
    conversations = [
        [
            {
                "role": "user",
                "content": [
                    *({"type": "image", "image": p.image()} for p in prompt.pictures),
                    {"type": "text", "text": prompt.text},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": reply}]},
        ]
        for prompt, reply in lessons
    ]
    inputs = processor.apply_chat_template(
        conversations,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs={"padding": True, "padding_side": "left"},
    )
    # The end of the turn and the reply before it.
    length = 1 + len(processor.tokenizer(lessons[0][1])["input_ids"])
    labels = torch.full_like(inputs["input_ids"], -100)
    end = int((inputs["input_ids"][0] == model.generation_config.eos_token_id).nonzero()[-1]) + 1
    labels[:, end - length : end] = inputs["input_ids"][:, end - length : end]
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(MAX_STEPS):
        loss = model(**inputs, labels=labels).loss
        if loss.item() < LEARNT:
            break
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    model.eval()


def save_tiny_vision(directory: Path, lessons: list[tuple[ChatPrompt, str]]) -> None:
    """Write a checkpoint that knows its lessons; without any it is untrained."""
    processor = tiny_vision_processor()
    model = tiny_vision_model(processor)
    if lessons:
        teach(model, processor, lessons)
    model.save_pretrained(directory)
    processor.save_pretrained(directory)
