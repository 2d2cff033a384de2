"""The Qwen2.5-Omni thinker as a `Policy`, at any size.

Everything that knows the architecture is here, in `prompting.py`, `thinker.py` or `adapter.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import Qwen2_5OmniProcessor, Qwen2_5OmniThinkerForConditionalGeneration

from avatar_core.models.adapter import (
    continue_adapter,
    new_adapter,
    reference_weights,
    restore_adapter,
    save_adapter,
)
from avatar_core.models.attention import PackedAttention, share_prefixes
from avatar_core.models.generation import collect, decode_steps
from avatar_core.models.packing import pack_rows
from avatar_core.models.policy import (
    Encoded,
    Generated,
    Prepared,
    Prompt,
    Sampling,
    TokenLogprobs,
)
from avatar_core.models.prompting import control_tokens, prepare_inputs
from avatar_core.models.recompute import layers_of, recomputed
from avatar_core.models.thinker import parts_of, read_thinker, without_bars
from avatar_core.models.token_logprobs import chunk_rows, token_logprobs
from avatar_core.models.towers import quicken
from avatar_core.phases import phase

if TYPE_CHECKING:
    from peft import PeftModel


class QwenOmniPolicy:
    """A thinker with its processor; see `avatar_core.models.policy.Policy` for the contract."""

    def __init__(
        self,
        model: Qwen2_5OmniThinkerForConditionalGeneration,
        processor: Qwen2_5OmniProcessor,
        adapter: PeftModel | None = None,
    ) -> None:
        self.model = model
        self.processor = processor
        self._adapter = adapter
        self._parts = parts_of(model)
        share_prefixes(self._parts.text)
        quicken(self._parts.towers)
        self._reference: QwenOmniPolicy | None = None
        self._recomputed: list[Any] = []
        tokenizer = processor.tokenizer
        self._end_of_turn = tokenizer.eos_token_id
        stops = {tokenizer.eos_token_id, tokenizer.pad_token_id}
        device = self.device
        self._stop_ids = torch.tensor(sorted(stops), device=device)
        forbidden = set(control_tokens(processor).values()) - stops
        self._forbidden_ids = torch.tensor(sorted(forbidden), device=device)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @phase("prepare")
    def prepare(self, prompt: Prompt) -> Prepared:
        """Tokenize a prompt and extract its features on the CPU."""
        return prepare_inputs(prompt, self.processor, self._parts.towers)

    @phase("encode")
    def encode(self, prompts: Sequence[Prepared]) -> Encoded:
        """Run the towers once over all prompts and merge them into the token embeddings."""
        device = self.device
        lengths = [len(prompt.input_ids) for prompt in prompts]
        flat_ids = torch.cat([prompt.input_ids for prompt in prompts]).to(device)
        embeddings = self.model.get_input_embeddings()(flat_ids)
        config = self.model.config
        vision = (flat_ids == config.video_token_id) | (flat_ids == config.image_token_id)
        with recomputed(self._recomputed):
            seen, heard = self._vision(prompts), self._sound(prompts)
        embeddings = _merge(embeddings, vision, seen)
        embeddings = _merge(embeddings, flat_ids == config.audio_token_id, heard)
        return Encoded(
            embeddings=pad_sequence(list(torch.split(embeddings, lengths)), batch_first=True),
            positions=pad_sequence([p.positions.T for p in prompts], batch_first=True)
            .permute(2, 0, 1)
            .to(device),
            lengths=tuple(lengths),
        )

    def _vision(self, prompts: Sequence[Prepared]) -> Tensor | None:
        """Features of all images and videos, [merged patches, hidden], in prompt order."""
        pixels = [prompt.pixels for prompt in prompts if prompt.pixels is not None]
        grids = [prompt.grid for prompt in prompts if prompt.grid is not None]
        if not pixels:
            return None
        output = self._parts.towers.get_video_features(
            torch.cat(pixels).to(self.device), torch.cat(grids).to(self.device), return_dict=True
        )
        return torch.cat(output.pooler_output)

    def _sound(self, prompts: Sequence[Prepared]) -> Tensor | None:
        """Features of all sounds, [audio tokens, hidden], in prompt order."""
        features = [prompt.features for prompt in prompts if prompt.features is not None]
        masks = [prompt.feature_mask for prompt in prompts if prompt.feature_mask is not None]
        if not features:
            return None
        output = self._parts.towers.get_audio_features(
            torch.cat(features).to(self.device),
            feature_attention_mask=torch.cat(masks).to(self.device),
            return_dict=True,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    @phase("decode")
    def generate(
        self, encoded: Encoded, sampling: Sampling, seeds: Sequence[Sequence[int]]
    ) -> list[list[Generated]]:
        """Draw `len(seeds[i])` completions for prompt i from one prefill of it."""
        steps = decode_steps(
            self._parts.text,
            self._parts.head,
            encoded,
            sampling,
            seeds,
            stop_ids=self._stop_ids,
            forbidden_ids=self._forbidden_ids,
        )
        return collect(steps, [len(row) for row in seeds], self._stop_ids)

    def stream(self, encoded: Encoded, sampling: Sampling, seed: int) -> Iterator[int]:
        """Yield the token ids of one completion of a single prompt as they are drawn."""
        steps = decode_steps(
            self._parts.text,
            self._parts.head,
            encoded,
            sampling,
            [[seed]],
            stop_ids=self._stop_ids,
            forbidden_ids=self._forbidden_ids,
        )
        for step in steps:
            yield int(step.tokens[0])

    @phase("logprobs")
    def logprobs(self, encoded: Encoded, completions: Sequence[Sequence[Tensor]]) -> TokenLogprobs:
        """Log-probabilities of completions, every prefix computed once for its whole group."""
        device = self.device
        rows = pack_rows(encoded.lengths, encoded.positions.cpu(), completions)
        width = rows.segments.shape[1]
        embeddings = torch.nn.functional.pad(
            encoded.embeddings, (0, 0, 0, width - encoded.embeddings.shape[1])
        )
        segments = rows.segments.to(device)
        branches = self.model.get_input_embeddings()(rows.token_ids.to(device))
        with recomputed(self._recomputed):
            hidden = self._parts.text(
                inputs_embeds=torch.where((segments > 0)[..., None], branches, embeddings),
                position_ids=rows.positions.to(device),
                attention_mask={"full_attention": PackedAttention(rows, embeddings)},
                use_cache=False,
            ).last_hidden_state
        mask = rows.mask.to(device)
        predicting = hidden.flatten(0, 1)[rows.predictors.to(device)[mask]]
        targets = rows.targets.to(device)[mask]
        rows_at_once = chunk_rows(self._parts.text.config.vocab_size)
        values = token_logprobs(predicting, targets, self._parts.head, rows=rows_at_once)
        padded = values.new_zeros(mask.shape).masked_scatter(mask, values)
        return TokenLogprobs(padded, mask)

    @contextmanager
    def reference(self) -> Iterator[QwenOmniPolicy]:
        """Yield the frozen reference: the adapter as it began, else a copy of the weights.

        Without an adapter the weights are copied at the first call.
        """
        with torch.no_grad():
            if self._adapter is not None:
                with reference_weights(self._adapter):
                    yield self
                return
            if self._reference is None:
                frozen = copy.deepcopy(self.model).requires_grad_(False).eval()
                self._reference = QwenOmniPolicy(frozen, self.processor)
            yield self._reference

    def decode(self, token_ids: Tensor) -> str:
        """Text of completion tokens without special tokens."""
        return str(self.processor.tokenizer.decode(token_ids.tolist(), skip_special_tokens=True))

    def encode_text(self, text: str) -> Tensor:
        """Token ids of an assistant turn with its end-of-turn token."""
        ids = self.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        return torch.tensor([*ids, self._end_of_turn])

    def parameters(self) -> list[torch.nn.Parameter]:
        """The parameters that training changes."""
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    def matrices(self) -> list[torch.nn.Parameter]:
        """Those of `parameters` that are weights of linear layers, the head left out."""
        linear = (one for one in self.model.modules() if isinstance(one, torch.nn.Linear))
        wanted = {id(one.weight) for one in linear if one is not self._parts.head}
        return [parameter for parameter in self.parameters() if id(parameter) in wanted]

    def add_adapter(self, rank: int, alpha: int, *, seed: int = 0) -> None:
        """Train a low-rank adapter from now on, and none of the model's own weights.

        A policy that was loaded with an adapter continues that one.

        Args:
            rank: rank r of every update.
            alpha: the update is scaled by α / r.
            seed: initialises a new adapter.

        Raises:
            UsageError: the model was never saved, or its adapter has another rank or alpha.
        """
        if self._adapter is None:
            self._adapter = new_adapter(self.model, rank, alpha, seed)
        else:
            continue_adapter(self._adapter, rank, alpha)

    def merge_adapter(self) -> None:
        """Add the adapter into the weights, if there is one, and train those from now on."""
        if self._adapter is not None:
            self._adapter.merge_and_unload()
            self._adapter = None
            self.model.requires_grad_(True)

    def recompute_activations(self) -> None:
        """Keep no activations for the backward pass from now on; they are computed again in it."""
        self._recomputed = layers_of(self.model)

    def restore(self, directory: Path) -> None:
        """Load what `save` wrote into this policy; its reference stays as it is.

        Raises:
            CheckpointError: the files do not fit this policy.
        """
        if self._adapter is not None:
            restore_adapter(self._adapter, directory)
        else:
            saved = read_thinker(directory, dtype=self.model.dtype)
            self.model.load_state_dict(saved.state_dict())

    def save(self, directory: Path) -> None:
        """Write tokenizer, processor and weights or adapter as plain transformers reads them."""
        if self._adapter is not None:
            save_adapter(self._adapter, directory)
        else:
            with without_bars():
                self.model.save_pretrained(directory)
        self.processor.save_pretrained(directory)


def _merge(embeddings: Tensor, places: Tensor, features: Tensor | None) -> Tensor:
    """Put tower features at the placeholder positions; counts must agree."""
    if features is None:
        return embeddings
    count = int(places.sum())
    if count != len(features):
        raise ValueError(
            f"{count} media placeholders in the prompt but {len(features)} tower features"
        )
    return embeddings.masked_scatter(places[:, None], features.to(embeddings.dtype))
