"""What passes through a thinker hold in memory: formulas in bytes, from sizes alone.

Symbols: t tokens (or patches, or sound positions) of a pass, h width of a layer and of its queries,
k width of its keys, f width of its inner layer, L layers, V vocabulary, w bytes of a number of the
base weights, r rank of an adapter. Derived from what torch keeps for the backward pass, operation
by operation, and held against it by the tests.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from avatar_core.models.prefix_cache import ROOM
from avatar_core.models.token_logprobs import chunk_rows

FLOAT = 4
"""Bytes of a number in float32."""


class Precision(NamedTuple):
    """How numbers are held and what is trained."""

    width: int
    """Bytes of a number of the base weights and of most activations, w."""
    rank: int
    """Of the adapter, r; 0 where all weights are trained, which are then in float32."""

    @property
    def full(self) -> bool:
        """Whether all weights are trained."""
        return self.rank == 0

    @property
    def logit(self) -> int:
        """Bytes of a logit while it is made: in float32, beside the product in w if another."""
        return FLOAT if self.width == FLOAT else FLOAT + self.width


class Layers(NamedTuple):
    """Equal transformer layers."""

    depth: int
    """L."""
    hidden: int
    """h, also the width of all query heads together."""
    keys: int
    """k, width of all key heads together."""
    inner: int
    """f."""
    gated: bool
    """Two inner products, one through SiLU, after RMS norms; else one, after layer norms."""


class Thinker(NamedTuple):
    """Sizes of a model."""

    text: Layers
    vision: Layers
    """Tower of patches; its merger joins four to one."""
    audio: Layers
    """Tower of sound, two mel frames a position."""
    vocabulary: int
    """V, rows of the head."""
    patch: int
    """Numbers of one patch."""
    mels: int
    """Bins of one mel frame."""
    parameters: int
    """Of the whole model."""
    trained: int
    """Those that an optimiser changes: all, or an adapter's."""


class Pass(NamedTuple):
    """Prompts that go through the model together, each with as many completions behind it."""

    rows: int
    """Prompts."""
    prefix: int
    """Tokens of the longest prompt, P."""
    branches: int
    """Completions of each prompt, G."""
    length: int
    """Tokens of each completion, C."""
    patches: int
    """Patches of all prompts."""
    frames: int
    """Mel frames of all prompts."""

    @property
    def tokens(self) -> int:
        """Tokens in the language model: prompts with all completions behind them."""
        return self.rows * (self.prefix + self.branches * self.length)

    @property
    def scored(self) -> int:
        """Completion tokens."""
        return self.rows * self.branches * self.length


def layer_bytes(layers: Layers, tokens: int, precision: Precision) -> int:
    """What one layer keeps of t tokens for the backward pass.

    norms       2 · (4 th [RMS; else w th] + w th where its gain is trained [RMS])
    attention   w t (2h + 2k): queries, keys, values, results
    inner       w t · 3f gated, else w t · f
    inputs      of the linear layers, by `_inputs`: h for q, k, v · h · h · f
    adapters    4 t r for each linear layer
    """
    h, f, w, gated = layers.hidden, layers.inner, precision.width, layers.gated
    norm = FLOAT + (w if precision.full else 0) if gated else w
    held = 2 * h * norm + w * (2 * h + 2 * layers.keys) + w * f * (3 if gated else 1)
    read = sum(
        _inputs(width, readers, precision)
        for width, readers in ((h, 3), (h, 1), (h, 2 if gated else 1), (f, 1))
    )
    return tokens * (held + read + FLOAT * precision.rank * (7 if gated else 6))


def _inputs(numbers: int, readers: int, precision: Precision) -> int:
    """What linear layers keep of an input: once, or by each in float32 for adapters of 16 bits."""
    return numbers * FLOAT * (1 if precision.width == FLOAT else readers)


def branch_bytes(text: Layers, batch: Pass, precision: Precision) -> int:
    """What attention of completions to their prefix keeps in one layer, beside `layer_bytes`.

    w · B · (2 C h + 2 (P + C) k) for B completions: their queries and results, keys and values with
    the prefix's before them.
    """
    seen = batch.prefix + batch.length
    laid_out = 2 * batch.length * text.hidden + 2 * seen * text.keys
    return precision.width * batch.rows * batch.branches * laid_out


def attention_bytes(text: Layers, batch: Pass, precision: Precision, again: bool) -> int:
    """What attention of completions keeps: its mask, and `branch_bytes` unless computed `again`.

    All layers share the mask, w · B · C (h / k) (P + C).
    """
    queries = batch.scored * (text.hidden // text.keys)
    mask = precision.width * queries * (batch.prefix + batch.length)
    return mask + (0 if again else text.depth * branch_bytes(text, batch, precision))


def stack_bytes(layers: Layers, tokens: int, precision: Precision, again: bool) -> int:
    """What all layers keep: `layer_bytes`, or their inputs alone, w th, if computed `again`."""
    if again:
        return layers.depth * tokens * layers.hidden * precision.width
    return layers.depth * layer_bytes(layers, tokens, precision)


def tower_bytes(model: Thinker, batch: Pass, precision: Precision, again: bool) -> int:
    """What the towers keep of a pass.

    Layers by `stack_bytes`; norms and inputs of the linear layers behind them, of which the sound's
    sees every second position; where all weights are trained also pixels, 4 · patch numbers each,
    and 4 (mels + 2.5 h) a mel frame in the convolutions. Windows of attention are taken to differ
    in length; of one length, float32 layers keep w th less.
    """
    patches, positions = batch.patches, math.ceil(batch.frames / 2)
    vision = stack_bytes(model.vision, patches, precision, again)
    audio = stack_bytes(model.audio, positions, precision, again)
    merged = patches * model.vision.hidden
    merger = merged * (FLOAT + precision.width) + 2 * _inputs(merged, 1, precision)
    pooled = positions // 2 * model.audio.hidden
    merger += pooled * precision.width + _inputs(pooled, 1, precision)
    stem = 0
    if precision.full:
        merger += merged * precision.width
        stem = FLOAT * patches * model.patch
        stem += int(FLOAT * batch.frames * (model.mels + 2.5 * model.audio.hidden))
    return vision + audio + merger + stem


def text_bytes(model: Thinker, batch: Pass, precision: Precision, again: bool) -> int:
    """What the language model keeps of a pass: layers, last norm, and the prompts as encoded.

    The last norm keeps 4 th, and w th where its gain is trained; an encoded prompt takes w · P h.
    """
    last = FLOAT + (precision.width if precision.full else 0)
    kept = stack_bytes(model.text, batch.tokens, precision, again)
    encoded = precision.width * batch.rows * batch.prefix
    return kept + model.text.hidden * (batch.tokens * last + encoded)


def layer_work_bytes(model: Thinker, batch: Pass, precision: Precision, *, gradients: bool) -> int:
    """What is alive for a moment within one layer of the language model.

    Forward alone: gate, up and their product with input and norm, w t (3f + 2h). Backward: the
    gradients of those, w t · 4f + 3 · 4 th, of which an adapter turns some of 16 bits into float32.
    """
    text, tokens, w = model.text, batch.tokens, precision.width
    if not gradients:
        return w * tokens * (3 * text.inner + 2 * text.hidden)
    inner = 4 * w + (0 if w == FLOAT else FLOAT)
    return tokens * (inner * text.inner + 3 * FLOAT * text.hidden)


def tower_work_bytes(model: Thinker, batch: Pass, precision: Precision) -> int:
    """What is alive for a moment in the vision tower's forward pass: its pixels and one layer.

    4 · patch numbers, and w · (3f + 2h) a patch.
    """
    vision = model.vision
    layer = precision.width * (3 * vision.inner + 2 * vision.hidden)
    return batch.patches * (FLOAT * model.patch + layer)


def logit_bytes(model: Thinker, tokens: int) -> int:
    """A chunk of logits in float32: 4 V a row."""
    return min(tokens, chunk_rows(model.vocabulary)) * model.vocabulary * FLOAT


def cache_bytes(model: Thinker, batch: Pass, precision: Precision) -> int:
    """Keys and values while completions are drawn: w · 2k L of every prompt and completion token.

    Space for completions grows in steps, and is copied then, a layer at a time.
    """
    own = math.ceil(batch.length / ROOM) * ROOM
    token = precision.width * 2 * model.text.keys
    completions = batch.rows * batch.branches * own
    return token * (model.text.depth * (batch.rows * batch.prefix + completions) + completions)


def draw_bytes(model: Thinker, batch: Pass, precision: Precision, *, greedy: bool) -> int:
    """Logits while a token of every completion is drawn.

    Beside the logits as they are made: eight bytes an entry without forbidden tokens and cut off,
    sixteen as probabilities in float64. Greedy: eight, without forbidden tokens and normalised.
    """
    entries = batch.rows * batch.branches * model.vocabulary
    return entries * ((8 if greedy else 24) + precision.logit)
