"""Sound for a model behind a server: how it travels."""

from __future__ import annotations

import base64
import functools
import io
import wave

import numpy as np

_LOUDEST = 32767


class Sound:
    """One mono track, encoded at most once however often it is sent.

    Attributes:
        samples: float32 [samples], from -1 to 1.
        rate: samples per second.
    """

    def __init__(self, samples: np.ndarray, rate: int) -> None:
        self.samples = samples
        self.rate = rate

    @functools.cached_property
    def wav(self) -> str:
        """The sound as a WAV file of 16 bits a sample, in base64; louder samples are cut off."""
        # A damaged file may hold samples that are no numbers.
        finite = np.nan_to_num(self.samples, posinf=1.0, neginf=-1.0)
        levels = np.rint(np.clip(finite, -1.0, 1.0) * _LOUDEST).astype("<i2")
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(self.rate)
            writer.writeframes(levels.tobytes())
        return base64.b64encode(file.getvalue()).decode()
