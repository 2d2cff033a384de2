"""What both sides of `peer_swift` work on: a checkpoint of a whole tiny Qwen2.5-Omni, clips, rows.

A clip shows a coloured square that crosses the picture, with tones in the sound track of the same
file. The checkpoint is in the layout of the published models, talker switched off: the other side
reads nothing less. Rows are chat messages, a form that both read.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import torch
from torch import nn
from transformers import (
    GenerationConfig,
    Qwen2_5OmniConfig,
    Qwen2_5OmniForConditionalGeneration,
    WhisperFeatureExtractor,
)

from avatar_core.models.prompting import control_tokens
from avatar_core.models.thinker import without_bars, without_config_warnings
from avatar_core.models.tiny import (
    HIDDEN,
    MAX_SOUND_SECONDS,
    MEL_BINS,
    tiny_config,
    tiny_processor,
)

SYSTEM = "You are a helpful assistant."
QUESTION = "Which colour is the square, and how many tones are there?"
COLOURS = {"red": (230, 40, 40), "green": (40, 200, 60), "blue": (50, 80, 240)}
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = 2048
"""Sound of one picture: two whole frames of AAC. Silence that fills up a last frame of sound behind
the last picture is cut off by this project and heard by the other side."""
SOURCE_FPS = Fraction(SAMPLE_RATE, SAMPLES_PER_FRAME)
TONE_SECONDS = 0.1
MODEL, ROWS, CLIPS = "model", "train.jsonl", "clips"


class Case(NamedTuple):
    """One size of the comparison.

    Attributes:
        clips: files, each the clip of one prompt.
        frames: pictures of a clip, 0.128 s each.
        side: height and width of its picture.
        new_tokens: length of every completion.
        steps: optimiser steps that are timed in a turn.
        warm_up: steps before them.
        repeats: turns of either side.
    """

    clips: int
    frames: int
    side: int
    new_tokens: int
    steps: int
    warm_up: int
    repeats: int

    @property
    def seconds(self) -> float:
        """Length of a clip."""
        return float(self.frames / SOURCE_FPS)


CASES = {
    "short": Case(64, frames=16, side=56, new_tokens=64, steps=10, warm_up=2, repeats=5),
    "long": Case(16, frames=234, side=224, new_tokens=300, steps=3, warm_up=1, repeats=3),
}


def make_data(directory: Path, case: Case, seed: int = 0) -> Path:
    """Write checkpoint, clips and rows where they are missing; the rows come last."""
    if not (directory / ROWS).is_file():
        (directory / CLIPS).mkdir(parents=True, exist_ok=True)
        write_model(directory / MODEL, case.seconds, seed)
        rows = [
            write_clip(directory / CLIPS / f"{n}.mp4", case, seed + n) for n in range(case.clips)
        ]
        (directory / ROWS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return directory


def write_model(directory: Path, seconds: float, seed: int) -> None:
    """Write a checkpoint of 1.4 million weights that takes sounds of `seconds`."""
    processor = tiny_processor()
    processor.feature_extractor = WhisperFeatureExtractor(
        feature_size=MEL_BINS,
        chunk_length=max(MAX_SOUND_SECONDS, math.ceil(seconds)),
        return_attention_mask=True,
    )
    thinker = tiny_config(processor.tokenizer).to_dict()
    thinker["text_config"]["intermediate_size"] = 4 * HIDDEN
    with torch.random.fork_rng(), without_config_warnings():
        torch.manual_seed(seed)
        model = Qwen2_5OmniForConditionalGeneration(
            Qwen2_5OmniConfig(thinker_config=thinker, enable_audio_output=False)
        )
        spread_weights(model)
    tokenizer = processor.tokenizer
    model.generation_config = GenerationConfig(
        do_sample=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        # No ends of turn: all completions have one length. No media tokens: the other side finds
        # the media of a prompt by their ids, in completions too, and stops at one that was drawn.
        suppress_tokens=sorted(control_tokens(processor).values()),
    )
    with without_bars():
        model.save_pretrained(directory)
    processor.save_pretrained(directory)
    # Voices of the talker, which transformers asks for though there is none.
    torch.save({}, directory / "spk_dict.pt")


@torch.no_grad()
def spread_weights(model: nn.Module) -> None:
    """Initialise by fan-in: with the family's 0.02 so narrow a model hardly sees its prompt."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv3d):
            nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.weight[0].numel()))


def write_clip(path: Path, case: Case, seed: int) -> dict[str, Any]:
    """Write a video file with its sound; returns its row."""
    rng = random.Random(seed)
    colour, tones = rng.choice(sorted(COLOURS)), rng.randint(1, 4)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=SOURCE_FPS)
        video.width = video.height = case.side
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for picture in pictures(COLOURS[colour], case.frames, case.side):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        sound = tones_sound(tones, case.frames, rng)[None]
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(audio.encode(frame))
        container.mux(audio.encode())
    return {
        "id": path.stem,
        "messages": [{"role": "user", "content": f"<video>{QUESTION}"}],
        "videos": [str(path.resolve())],
        "solution": f"{colour}, {tones}",
        "problem_type": "free-form",
    }


def pictures(colour: tuple[int, int, int], count: int, side: int) -> Iterator[np.ndarray]:
    """A square that crosses the picture from left to right: uint8 RGB [side, side, 3] each."""
    size = side // 4
    for number in range(count):
        picture = np.full((side, side, 3), 20, np.uint8)
        left = (side - size) * number // (count - 1)
        picture[side // 3 : side // 3 + size, left : left + size] = colour
        yield picture


def tones_sound(tones: int, frames: int, rng: random.Random) -> np.ndarray:
    """Tones of 880 Hz in some quarters of silence: float32 [samples] at 16 kHz."""
    sound = np.zeros(frames * SAMPLES_PER_FRAME, np.float32)
    length = int(TONE_SECONDS * SAMPLE_RATE)
    wave = 0.5 * np.sin(2 * np.pi * 880 * np.arange(length) / SAMPLE_RATE)
    for quarter in rng.sample(range(4), tones):
        start = int((quarter + 0.3) * len(sound) / 4)
        sound[start : start + length] = wave
    return sound
