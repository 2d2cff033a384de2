"""What is asked of a model: prepare a prompt, encode it once, generate, score tokens.

A `Policy` never sees rewards or replay, and its callers never see towers, placeholders or rotary
positions. The prompt of a group is encoded once (`encode`) and the encoding is shared by every
completion in generation and in `logprobs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from avatar_core.types import Clip


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is asked.

    Attributes:
        system: text of the system turn; `None` for no such turn.
        content: clips and texts of the user turn, in order.
    """

    system: str | None
    content: tuple[Clip | str, ...]

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The clips alone, in order."""
        return tuple(part for part in self.content if isinstance(part, Clip))

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the user turn alone, in order."""
        return tuple(part for part in self.content if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prompt after tokenizer and feature extraction, on the CPU, before any weight is used.

    Attributes:
        input_ids: int64 [prefix].
        positions: int64 [3, prefix], rotary positions (time, height, width).
        pixels: [patches, channels x temporal patch x patch²] of all images and videos, or `None`.
        grid: int64 [images and videos, 3], patches along time, height, width, or `None`.
        features: log-mel [sounds, mels, frames], or `None`.
        feature_mask: int64 [sounds, frames], or `None`.
    """

    input_ids: Tensor
    positions: Tensor
    pixels: Tensor | None
    grid: Tensor | None
    features: Tensor | None
    feature_mask: Tensor | None


@dataclass(frozen=True, slots=True)
class Encoded:
    """Prompts as the language model reads them, one row each, padded on the right.

    Attributes:
        embeddings: [prompts, prefix, hidden], towers merged in; with gradients when enabled.
        positions: int64 [3, prompts, prefix].
        lengths: prefix length of each prompt.
    """

    embeddings: Tensor
    positions: Tensor
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn; `temperature` 0 is greedy and ignores the seeds."""

    max_new_tokens: int
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0


class Generated(NamedTuple):
    """One completion from the behaviour policy."""

    token_ids: Tensor
    """int64 [tokens], end-of-turn included when it was drawn."""
    logprobs: Tensor
    """float32 [tokens] under the full softmax at temperature 1, whatever the sampling."""
    truncated: bool
    """Stopped at `max_new_tokens`."""


class TokenLogprobs(NamedTuple):
    """Log-probabilities of completions, in prompt then completion order, padded on the right."""

    logprobs: Tensor
    """float32 [completions, tokens]; 0 in the padding."""
    mask: Tensor
    """bool [completions, tokens]; true on completion tokens."""


class Policy(Protocol):
    """A model that sees and hears; see the module docstring."""

    def prepare(self, prompt: Prompt) -> Prepared:
        """Tokenize a prompt and extract its features on the CPU.

        Raises:
            DataError: the question holds the tokenizer's own control tokens.
        """
        ...

    def encode(self, prompts: Sequence[Prepared]) -> Encoded:
        """Run the towers once for each prompt and merge them into the token embeddings."""
        ...

    def generate(
        self, encoded: Encoded, sampling: Sampling, seeds: Sequence[Sequence[int]]
    ) -> list[list[Generated]]:
        """Draw `len(seeds[i])` completions for prompt i from its one prefix, a seed for each."""
        ...

    def stream(self, encoded: Encoded, sampling: Sampling, seed: int) -> Iterator[int]:
        """Yield the token ids of one completion of a single prompt as they are drawn."""
        ...

    def logprobs(self, encoded: Encoded, completions: Sequence[Sequence[Tensor]]) -> TokenLogprobs:
        """Log-probabilities of completions (int64 [tokens] each) given their shared prefixes."""
        ...

    def reference(self) -> AbstractContextManager[Policy]:
        """Yield the frozen reference policy of the KL term, without gradients."""
        ...

    def decode(self, token_ids: Tensor) -> str:
        """Text of completion tokens without special tokens."""
        ...

    def encode_text(self, text: str) -> Tensor:
        """Token ids, int64 [tokens], of an assistant turn with its end-of-turn token."""
        ...

    def parameters(self) -> list[torch.nn.Parameter]:
        """The parameters that training changes."""
        ...

    def matrices(self) -> list[torch.nn.Parameter]:
        """Those of `parameters` that are weights of linear layers, the head left out."""
        ...

    def save(self, directory: Path) -> None:
        """Write weights, tokenizer and processor in the `save_pretrained` layout."""
        ...
