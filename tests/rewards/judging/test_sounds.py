from __future__ import annotations

import base64
import io
import wave

import numpy as np

from avatar_core.rewards.judging.sounds import Sound


def test_the_wav_holds_the_samples() -> None:
    samples = np.array([0.0, 0.5, -0.5, 1.0, -1.0], np.float32)
    sound = Sound(samples, 16_000)
    with wave.open(io.BytesIO(base64.b64decode(sound.wav))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        levels = np.frombuffer(file.readframes(99), "<i2").tolist()
    # 32,767 times the sample; halves go to the even number: 16,383.5 becomes 16,384.
    assert levels == [0, 16_384, -16_384, 32_767, -32_767]
    assert sound.wav is sound.wav


def test_what_is_too_loud_or_no_number_becomes_a_level() -> None:
    wild = np.array([9.0, -9.0, np.inf, -np.inf, np.nan], np.float32)
    with wave.open(io.BytesIO(base64.b64decode(Sound(wild, 8_000).wav))) as file:
        levels = np.frombuffer(file.readframes(99), "<i2").tolist()
    assert levels == [32_767, -32_767, 32_767, -32_767, 0]
