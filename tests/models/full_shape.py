"""Makes checkpoint directories in the layout of the published Qwen2.5-Omni, cut down in depth.

Widths, token ids, names of files, keys and weights are those of the published 7B and 3B models, in
the form of the releases they were published with: a configuration of the whole model, sharded
safetensors in which the thinker is one part of three, one configuration for both feature
extractors. Weights are random and layers few.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, models
from torch import Tensor
from transformers import (
    Qwen2_5OmniConfig,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2Tokenizer,
)

from avatar_core.models.tiny import CHAT_TEMPLATE, MEDIA_TOKENS, tiny_tokenizer

SHARD_BYTES = 1 << 30
FIRST_CONTROL_ID = 151643
"""Id of the first token that is no text, in both published models."""
PERIOD = 4_194_301
"""Random numbers of one weight, then they repeat; a prime, so that no two rows are alike."""
CONTROL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|AUDIO|>",
    "<|audio_bos|>",
    "<|audio_eos|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_bos|>",
    "<|vision_eos|>",
    "<|vision_pad|>",
    "<|IMAGE|>",
    "<|VIDEO|>",
)
USER_ID = 872
OTHER_PARTS = {
    "talker.codec_head.weight": (8448, 8),
    "talker.model.embed_tokens.weight": (8448, 8),
    "talker.thinker_to_talker_proj.bias": (8,),
    "token2wav.code2wav_bigvgan_model.conv_pre.weight": (8, 80, 7),
    "token2wav.code2wav_dit_model.transformer_blocks.0.attn.to_q.weight": (8, 8),
}
"""Weights beside the thinker's; their shapes are cut down as nobody reads them."""


class Shape(NamedTuple):
    """Sizes of a model.

    Attributes:
        text: of the language model.
        vision: of the vision tower.
        audio: of the audio tower.
    """

    text: dict[str, int]
    vision: dict[str, Any]
    audio: dict[str, int]


# The defaults of transformers are the published 7B's, but for the width of its vision tower.
FULL_7B = Shape(
    text={"num_hidden_layers": 1},
    vision={"depth": 2, "hidden_size": 1280, "fullatt_block_indexes": [1]},
    audio={"encoder_layers": 1},
)
FULL_3B = Shape(
    text={
        "num_hidden_layers": 2,
        "hidden_size": 2048,
        "intermediate_size": 11008,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
    },
    vision={**FULL_7B.vision, "out_hidden_size": 2048},
    audio={**FULL_7B.audio, "output_dim": 2048},
)
# One head of the true size, as the sections of its rotary positions are part of the layout.
NARROW = Shape(
    text={
        "num_hidden_layers": 2,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
    },
    vision={
        **FULL_7B.vision,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 4,
        "out_hidden_size": 128,
    },
    audio={
        **FULL_7B.audio,
        "d_model": 64,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 128,
        "output_dim": 128,
    },
)


def write_checkpoint(directory: Path, shape: Shape, seed: int = 0) -> Path:
    """Write a checkpoint of a whole Qwen2.5-Omni; holds one shard in memory at a time."""
    directory.mkdir()
    document = configuration(shape)
    (directory / "config.json").write_text(json.dumps(document, indent=2))
    _write_weights(directory, document["thinker_config"], seed)
    write_processor(directory)
    return directory


def configuration(shape: Shape) -> dict[str, Any]:
    """The configuration of the whole model under the keys it was published with."""
    whole: dict[str, Any] = Qwen2_5OmniConfig().to_dict()
    thinker = whole["thinker_config"]
    thinker["text_config"] |= shape.text
    thinker["vision_config"] |= shape.vision
    thinker["audio_config"] |= shape.audio
    for part in (thinker, *(thinker[f"{name}_config"] for name in ("text", "vision", "audio"))):
        for key in ("tie_word_embeddings", "layer_types", "rope_parameters", "dtype"):
            part.pop(key, None)
    thinker["text_config"] |= {
        "rope_theta": 1e6,
        "rope_scaling": {"mrope_section": [16, 24, 24], "rope_type": "default", "type": "default"},
    }
    thinker |= {
        "architectures": ["Qwen2OmniNaViTThinkerForConditionalGeneration"],
        "bos_token_id": 151644,
        "eos_token_id": 151645,
        "pad_token_id": 151643,
        "vision_start_token_id": 151652,
        "vision_end_token_id": 151653,
        "vision_token_id": 151654,
    }
    return whole | {
        "architectures": ["Qwen2_5OmniForConditionalGeneration"],
        "enable_talker": True,
        "torch_dtype": "bfloat16",
    }


def published_name(name: str) -> str:
    """Name under which a weight of the thinker was published, whatever this release calls it."""
    for tower in ("visual.", "audio_tower."):
        name = name.replace(f"model.{tower}", tower, 1)
    return "thinker." + name.replace("model.language_model.", "model.", 1)


def _write_weights(directory: Path, thinker: dict[str, Any], seed: int) -> None:
    """Write shards of random bf16 weights and their index."""
    with torch.device("meta"):
        model: Any = Qwen2_5OmniThinkerForConditionalGeneration(Qwen2_5OmniThinkerConfig(**thinker))
    shapes = {published_name(name): tuple(w.shape) for name, w in model.state_dict().items()}
    shards = _shards({**shapes, **OTHER_PARTS})
    generator = torch.Generator().manual_seed(seed)
    index: dict[str, str] = {}
    size = 0
    for number, names in enumerate(shards, start=1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        weights = {name: _weight(name, shape, generator) for name, shape in names.items()}
        save_file(weights, directory / file, metadata={"format": "pt"})
        size += sum(weight.nbytes for weight in weights.values())
        index |= dict.fromkeys(weights, file)
    document = {"metadata": {"total_size": size}, "weight_map": index}
    (directory / "model.safetensors.index.json").write_text(json.dumps(document, indent=2))


def _shards(shapes: dict[str, tuple[int, ...]]) -> list[dict[str, tuple[int, ...]]]:
    """Names and shapes split into files of about `SHARD_BYTES`, at least two."""
    shards: list[dict[str, tuple[int, ...]]] = [{}]
    size = 0
    for name, shape in shapes.items():
        count = 2 * math.prod(shape)
        # The other parts stand apart, so that even a small model has more than one file.
        if shards[-1] and (size + count > SHARD_BYTES or name == next(iter(OTHER_PARTS))):
            shards.append({})
            size = 0
        shards[-1][name] = shape
        size += count
    return shards


def _weight(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """A random weight that keeps the size of what passes through it; gains are one."""
    weight = torch.empty(math.prod(shape), dtype=torch.bfloat16)
    if len(shape) == 1 and name.endswith(".weight"):
        return weight.fill_(1.0)
    small = len(shape) == 1 or "embed_tokens" in name
    std = 0.02 if small else 1 / math.sqrt(math.prod(shape[1:]))
    numbers = torch.empty(PERIOD, dtype=torch.bfloat16).normal_(std=std, generator=generator)
    for part in weight.split(PERIOD):
        part.copy_(numbers[: len(part)])
    return weight.view(shape)


def write_processor(directory: Path) -> None:
    """Write tokenizer, chat template and the one configuration of both feature extractors."""
    full_tokenizer().save_pretrained(directory)
    (directory / "chat_template.json").write_text(json.dumps({"chat_template": CHAT_TEMPLATE}))
    document = {
        "processor_class": "Qwen2_5OmniProcessor",
        "feature_extractor_type": "WhisperFeatureExtractor",
        "chunk_length": 300,
        "dither": 0.0,
        "feature_size": 128,
        "hop_length": 160,
        "n_fft": 400,
        "n_samples": 4800000,
        "nb_max_frames": 30000,
        "padding_side": "left",
        "padding_value": 0.0,
        "return_attention_mask": True,
        "sampling_rate": 16000,
        "image_processor_type": "Qwen2VLImageProcessor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "max_pixels": 12845056,
        "min_pixels": 3136,
        "merge_size": 2,
        "patch_size": 14,
        "temporal_patch_size": 2,
    }
    (directory / "preprocessor_config.json").write_text(json.dumps(document, indent=2))


def full_tokenizer() -> Qwen2Tokenizer:
    """The tiny model's tokenizer with the published ids: text below 151643, control tokens above.

    Ids of texts that the tiny tokenizer does not know stand for words that no text is split into.
    """
    tiny = json.loads(tiny_tokenizer().backend_tokenizer.to_str())
    known = [text for text in tiny["model"]["vocab"] if text not in CONTROL_TOKENS]
    known.remove("user")
    known += [f"unused{number}" for number in range(len(known), FIRST_CONTROL_ID - 1)]
    known.insert(USER_ID, "user")
    tiny["model"]["vocab"] = {text: index for index, text in enumerate(known)}
    tiny["added_tokens"] = []
    tokenizer = Tokenizer.from_str(json.dumps(tiny))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in CONTROL_TOKENS])
    assert isinstance(tokenizer.model, models.BPE)
    return Qwen2Tokenizer(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",  # noqa: S106 - a token of text
        pad_token="<|endoftext|>",  # noqa: S106 - a token of text
        unk_token=None,  # type: ignore[arg-type] # declared str, documented optional
        extra_special_tokens=MEDIA_TOKENS,
    )
