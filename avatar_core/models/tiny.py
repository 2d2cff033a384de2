"""A Qwen2.5-Omni thinker of 1.0 million parameters with real processor classes, made on the spot.

Not a mock: the same model, tokenizer, chat format and processor classes as the 7B model, so every
line of the library that runs on it runs on the large one. It knows nothing until it is trained;
initialisation differs from the family's in two places because small towers do not learn to see
otherwise (see `_initialise`).
"""

from __future__ import annotations

import math
from importlib import resources
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch import nn
from transformers import (
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    WhisperFeatureExtractor,
)

from avatar_core.models.thinker import parts_of

VOCABULARY = 576
HIDDEN = 128
LAYERS = 4
TOWER = 64
SOUND_GAIN = 1.41
"""Of each of the two convolutions that read sound, over fan-in: with 1 a tone changes its tokens by
a fifth and its pitch is learnt late, with 2 the time of a tone is lost beside it."""
MEL_BINS = 32
MAX_SOUND_SECONDS = 4
PIXEL_STD = 2.0
"""Pixels reach the model within ±0.25: a step of Adam moves each of a patch's 1,176 weights alike,
so that with inputs of order 1 the first layer changed faster than anything behind it could follow
(measured: shapes stayed at chance)."""

MEDIA_TOKENS = {
    "image_token": "<|IMAGE|>",
    "audio_token": "<|AUDIO|>",
    "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}
CHAT_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHAT_TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message['role'] }}
{% if message['content'] is string -%}
{{ message['content'] }}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'video' -%}<|vision_bos|><|VIDEO|><|vision_eos|>
{%- elif part['type'] == 'image' -%}<|vision_bos|><|IMAGE|><|vision_eos|>
{%- elif part['type'] == 'audio' -%}<|audio_bos|><|AUDIO|><|audio_eos|>
{%- else -%}{{ part['text'] }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}
"""


def tiny_tokenizer() -> Qwen2Tokenizer:
    """A byte-level BPE tokenizer: 576 entries from the packaged corpus, and the family's tokens."""
    corpus = resources.files("avatar_core.models").joinpath("tiny_corpus.txt").read_text("utf-8")
    tokenizer = Tokenizer(models.BPE())
    # Loading rebuilds the family's own splitting of text, so learning has to use it too.
    family = Qwen2Tokenizer().backend_tokenizer
    tokenizer.normalizer = family.normalizer
    tokenizer.pre_tokenizer = family.pre_tokenizer
    tokenizer.decoder = family.decoder
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[*CHAT_TOKENS, *MEDIA_TOKENS.values()],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus.splitlines(keepends=True), trainer)
    return Qwen2Tokenizer(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",  # noqa: S106 - a token of text
        pad_token="<|endoftext|>",  # noqa: S106 - a token of text
        unk_token=None,  # type: ignore[arg-type] # declared str, documented optional
        extra_special_tokens=MEDIA_TOKENS,
    )


def tiny_processor() -> Qwen2_5OmniProcessor:
    """The omni processor with 14 px patches, 32 mel bins and at most 4 s of sound."""
    vision: dict[str, Any] = {
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.5] * 3,
        "image_std": [PIXEL_STD] * 3,
    }
    return Qwen2_5OmniProcessor(
        image_processor=Qwen2VLImageProcessor(**vision),
        video_processor=Qwen2VLVideoProcessor(**vision),
        feature_extractor=WhisperFeatureExtractor(
            feature_size=MEL_BINS, chunk_length=MAX_SOUND_SECONDS, return_attention_mask=True
        ),
        tokenizer=tiny_tokenizer(),
        chat_template=CHAT_TEMPLATE,
    )


def tiny_config(tokenizer: Qwen2Tokenizer) -> Qwen2_5OmniThinkerConfig:
    """Thinker configuration of the tiny model for a tokenizer's token ids."""
    token_id: Any = tokenizer.convert_tokens_to_ids
    return Qwen2_5OmniThinkerConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": HIDDEN,
            "intermediate_size": 2 * HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 8192,
            "rope_parameters": {
                "rope_type": "default",
                # A head of 32 has 16 frequencies. The family's 10⁶ would leave none that tells
                # neighbouring columns of a 2 x 2 picture apart, and positions would stay at chance
                # (measured).
                "rope_theta": 10.0,
                "mrope_section": [6, 5, 5],
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": TOWER,
            "intermediate_size": 2 * TOWER,
            "num_heads": 4,
            "out_hidden_size": HIDDEN,
            "patch_size": 14,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        audio_config={
            "num_mel_bins": MEL_BINS,
            "encoder_layers": 2,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 2 * TOWER,
            "d_model": TOWER,
            "max_source_positions": 1500,
            "n_window": 100,
            "output_dim": HIDDEN,
        },
        audio_token_index=token_id("<|AUDIO|>"),
        image_token_index=token_id("<|IMAGE|>"),
        video_token_index=token_id("<|VIDEO|>"),
        audio_start_token_id=token_id("<|audio_bos|>"),
        audio_end_token_id=token_id("<|audio_eos|>"),
        # Read by the model, as in the published checkpoints, but not declared.
        vision_start_token_id=token_id("<|vision_bos|>"),  # type: ignore[call-arg]
        vision_end_token_id=token_id("<|vision_eos|>"),
        user_token_id=token_id("user"),
        tie_word_embeddings=True,
    )


def tiny_model(tokenizer: Qwen2Tokenizer, seed: int) -> Qwen2_5OmniThinkerForConditionalGeneration:
    """An untrained tiny thinker in fp32, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2_5OmniThinkerForConditionalGeneration._from_config(
            tiny_config(tokenizer), attn_implementation="sdpa", dtype=torch.float32
        )
        _initialise(model)
    tiny: Qwen2_5OmniThinkerForConditionalGeneration = model.eval()
    return tiny


@torch.no_grad()
def _initialise(model: Qwen2_5OmniThinkerForConditionalGeneration) -> None:
    """Fan-in initialisation everywhere and embeddings of standard deviation 0.1.

    The family's 0.02 is meant for layers 3,584 wide; in layers 64 to 128 wide signals and gradients
    all but vanish with it (measured: colours at chance for 600 steps, learnt in 160 without).
    """
    parts = parts_of(model)
    for module in (parts.towers.visual, parts.towers.audio_tower, parts.text):
        for name, layer in module.named_modules():
            if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv3d):
                std = 1 / math.sqrt(layer.weight[0].numel())
                if name.endswith(("o_proj", "down_proj")):
                    std /= math.sqrt(2 * LAYERS)
                nn.init.normal_(layer.weight, std=std)
    parts.towers.visual.patch_embed.proj.weight.mul_(2 * PIXEL_STD)
    for conv in (parts.towers.audio_tower.conv1, parts.towers.audio_tower.conv2):
        conv.weight.mul_(SOUND_GAIN)
    nn.init.normal_(parts.text.embed_tokens.weight, std=0.1)
