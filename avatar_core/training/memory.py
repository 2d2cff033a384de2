"""How much memory a run will take, before it starts.

    peak = what is always held + the most that any of its phases holds besides

The phases follow each other: completions are drawn, the loss is computed and propagated back, the
optimiser steps, a checkpoint is written, held-out samples are answered. Completions are taken to be
as long as `sampling.max_new_tokens`, prompts as long as the longest of some that were prepared. On
the CPU the peak is that of the process, its libraries included, on a GPU that of the GPU's memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from avatar_core.models.token_logprobs import chunk_rows
from avatar_core.training.memory_layers import (
    FLOAT,
    Pass,
    Precision,
    Thinker,
    attention_bytes,
    branch_bytes,
    cache_bytes,
    draw_bytes,
    layer_bytes,
    layer_work_bytes,
    logit_bytes,
    text_bytes,
    tower_bytes,
    tower_work_bytes,
)

Parts = Mapping[str, int]

AT_WORK = 40 << 20
"""Bytes of buffers and kernels that libraries on the CPU make at their first use; measured on the
embedded model, where little else is held."""
DRAWS_KEPT = 2
"""Blocks that draws free and the C allocator keeps, as multiples of the logits of one token; what
an update needs next are larger blocks, which it takes afresh. Measured at 152,064 entries, width
256 and six layers."""


class Load(NamedTuple):
    """What a run does with a model."""

    updates: tuple[tuple[Pass, ...], ...]
    """Updates or parts of them: the passes whose activations are held together."""
    rollout: Pass | None
    """Completions drawn together in training; `None` for supervised training."""
    held_out: Pass | None
    """Held-out samples answered together; `None` without any."""
    reference: bool
    """Whether a frozen reference is asked."""
    again: bool
    """Whether activations are computed again in the backward pass."""
    accumulated: bool
    """Whether an update is cut into parts, so that gradients are held while activations are."""
    media: int
    """Bytes of decoded clips that are kept."""
    preparation: int
    """Bytes that preparing prompts takes beside them."""
    prompts: int
    """Bytes of prepared prompts: those of a step, fresh and replayed, and of the next."""
    replay: int
    """Bytes of stored groups."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Memory of a run, in bytes.

    Attributes:
        place: whose memory, "process" or "gpu".
        always: what is held at all times, by name.
        phases: what each phase holds besides, by name.
    """

    place: str
    always: Parts
    phases: Mapping[str, Parts]

    @property
    def fullest(self) -> str:
        """The phase that holds most."""
        return max(self.phases, key=lambda name: sum(self.phases[name].values()))

    @property
    def peak(self) -> int:
        """Bytes at the highest point."""
        return self.total(self.fullest)

    def total(self, phase: str) -> int:
        """Bytes while a phase runs."""
        return sum(self.always.values()) + sum(self.phases[phase].values())

    def to_row(self) -> dict[str, Any]:
        """As a JSON document."""
        return {
            "place": self.place,
            "peak_bytes": self.peak,
            "peak_phase": self.fullest,
            "always": dict(self.always),
            "phases": {name: dict(parts) for name, parts in self.phases.items()},
        }


def estimate(
    model: Thinker, precision: Precision, load: Load, *, base: int, gpu: bool
) -> MemoryEstimate:
    """The memory of a run.

    Args:
        model: its sizes.
        precision: of its numbers.
        load: what is done with it.
        base: bytes of the process before weights are loaded.
        gpu: whether the model is on a GPU; what stays on the host is then left out.
    """
    phases: dict[str, Parts] = {}
    if load.rollout is not None:
        phases["rollout"] = drawing(model, load.rollout, precision, load)
    updates = [backward(model, passes, precision, load) for passes in load.updates]
    phases["update"] = max(updates, key=lambda parts: sum(parts.values()))
    phases["step"] = stepping(model, precision, gpu=gpu)
    phases["checkpoint"] = {"moments, copied": 0 if gpu else 2 * FLOAT * model.trained}
    if load.held_out is not None:
        phases["held-out"] = drawing(model, load.held_out, precision, None)
    held = always(model, precision, load)
    drawn = phases.get("rollout", {}).get("logits", 0)
    host = {
        "process": base + AT_WORK,
        "not given back": DRAWS_KEPT * drawn,
        "decoded media": load.media,
        "preparing prompts": load.preparation,
        "prepared prompts": load.prompts,
        "replay": load.replay,
    }
    return MemoryEstimate("gpu" if gpu else "process", held if gpu else {**host, **held}, phases)


def always(model: Thinker, precision: Precision, load: Load) -> Parts:
    """What the model and its training hold at all times.

    weights            w · parameters, and 4 of each of an adapter
    frozen reference   4 · parameters where all weights are trained; else the base itself
    optimiser          8 · trained parameters: AdamW's two moments (Muon has one of a matrix)
    """
    adapter = 0 if precision.full else FLOAT * model.trained
    copied = load.reference and precision.full
    return {
        "weights": precision.width * model.parameters + adapter,
        "frozen reference": FLOAT * model.parameters if copied else 0,
        "optimiser": 2 * FLOAT * model.trained,
    }


def backward(
    model: Thinker, passes: tuple[Pass, ...], precision: Precision, load: Load
) -> dict[str, int]:
    """What is held where the forward pass of an update ends and its backward pass begins.

    activations        of the towers, the language model, attention of completions: `memory_layers`
    log-probabilities  the softmax of passes that fit one chunk of logits; others keep none
    gradients          4 of each trained parameter if some were there before; else the head's alone
    work               the most of: the reference's forward pass, a layer's backward pass, the
                       head's gradient of one chunk
    """
    text, again = model.text, load.again
    chunks = [logit_bytes(model, batch.scored) for batch in passes]
    head = FLOAT * model.vocabulary * text.hidden if precision.full else 0
    # The product of states and head, in its own precision, stands beside the chunk made from it.
    chunk = max(chunks) * precision.logit // FLOAT
    work = [head + chunk]
    for batch in passes:
        work.append(layer_work_bytes(model, batch, precision, gradients=True))
        if again:
            work[-1] += layer_bytes(text, batch.tokens, precision)
            work[-1] += branch_bytes(text, batch, precision)
        if load.reference:
            work.append(chunk + layer_work_bytes(model, batch, precision, gradients=False))
    rows = chunk_rows(model.vocabulary)
    kept = [size for size, one in zip(chunks, passes, strict=True) if one.scored <= rows]
    return {
        "towers": sum(tower_bytes(model, batch, precision, again) for batch in passes),
        "language model": sum(text_bytes(model, batch, precision, again) for batch in passes),
        "attention": sum(attention_bytes(text, batch, precision, again) for batch in passes),
        "log-probabilities": sum(kept),
        "gradients": FLOAT * model.trained if load.accumulated or not precision.full else head,
        "work": max(work),
    }


def stepping(model: Thinker, precision: Precision, *, gpu: bool) -> dict[str, int]:
    """What is held while the optimiser steps.

    gradients   4 · trained parameters
    work        AdamW's update of the largest weight, 8 · V h, or on a GPU of all, 4 · trained; the
                embeddings' gradient, 4 · V h, is as large as that before it is added
    """
    largest = model.vocabulary * model.text.hidden if precision.full else 0
    work = FLOAT * model.trained if gpu else 2 * FLOAT * largest
    return {"gradients": FLOAT * model.trained, "work": max(work, FLOAT * largest)}


def drawing(model: Thinker, batch: Pass, precision: Precision, load: Load | None) -> dict[str, int]:
    """What is held while completions are drawn.

    towers      activations, where the prompts are encoded once for drawing and update
    KV cache    keys and values of prompts and completions
    logits      of one token of every completion, and what a draw makes of them
    work        a layer's forward pass over the prompts

    Args:
        model: its sizes.
        batch: the prompts and their completions.
        precision: of the numbers.
        load: of the run in training; `None` for held-out samples, answered greedily.
    """
    shared = load is not None and not load.accumulated
    prompts = batch._replace(branches=0)
    towers = tower_bytes(model, batch, precision, load.again) if load and shared else 0
    return {
        "towers": towers,
        "KV cache": cache_bytes(model, batch, precision),
        "logits": draw_bytes(model, batch, precision, greedy=load is None),
        "work": max(
            layer_work_bytes(model, prompts, precision, gradients=False),
            tower_work_bytes(model, batch, precision),
        ),
    }
