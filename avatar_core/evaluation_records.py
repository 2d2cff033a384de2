"""Rows and documents that `avatar eval` writes, by the rules that `avatar_core.records` states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from avatar_core.records import Manifest, Record, VersionedRecord

EvalStatus = Literal["ok", "unparsed", "truncated", "error", "missing_media"]
FAILED: tuple[EvalStatus, ...] = ("error", "missing_media")
"""How an item ends that could not be asked; an evaluation that goes on tries it again."""
EVAL_PHASES = ("media", "prepare", "encode", "prefill", "decode", "score")
"""Phases of an evaluation in the order of the work; files hold them by name."""


class EvalRow(VersionedRecord):
    """One item of an evaluation (`results.jsonl`)."""

    id: str
    """Id of the item, unique in the split."""
    status: EvalStatus
    """How the item ended; exactly one per item."""
    prediction: str | None
    """Parsed answer; `None` when none was stated."""
    gold: str | None
    """Reference answer; `None` when the split keeps it back."""
    asked: str | None = None
    """Digest of texts and media of the question, see `Task.asked`; `None` in rows of earlier
    releases."""
    correct: bool | None
    """Whether the score is 1; `None` when the item has no score."""
    score: float | None
    """Score of the item in [0, 1]; `None` when its metric works on the whole split."""
    text: str | None
    """What the model wrote."""
    truncated: bool
    """Generation stopped at the length limit, whatever the status."""
    unclosed: bool = False
    """The reasoning never ended; the reply was then parsed whole."""
    modalities: tuple[str, ...]
    """What the model was given, of "frames", "sound", "text"."""
    frames: int | None
    """Frames it was given; `None` without a picture."""
    groups: Mapping[str, str | tuple[str, ...]] = Field(default_factory=dict)
    """Category of the item by breakdown, such as {"duration": "short"}; all of them, of several."""
    seconds: float | None
    """Wall time of the item."""
    error: str | None
    """One sentence when the status is `error` or `missing_media`."""
    phases: Mapping[str, float] = Field(default_factory=dict)
    """Parts of `seconds` that do not overlap, by phase; empty for a served model."""
    tokens_prompt: int | None = None
    """Tokens of the prompt; `None` where a server counts them, or it was not asked."""
    tokens_generated: int | None = None
    """Tokens of the reply; `None` likewise."""

    def categories(self, breakdown: str) -> tuple[str, ...]:
        """Categories of the item in a breakdown; empty where it has none."""
        of = self.groups.get(breakdown, ())
        return (of,) if isinstance(of, str) else of


class SubsetScore(Record):
    """Score of the items that share one category."""

    n: int = Field(ge=0)
    """Items."""
    correct: int = Field(ge=0)
    """Items with score 1."""
    accuracy: float | None
    """Main figure over these items, a fraction; `None` without items."""


class EvalTiming(VersionedRecord):
    """Where the time of an evaluation went (`timing.json`), over the items whose rows say so.

    An item answered in a batch has its equal share of the batch. Items answered by earlier calls of
    a resumed evaluation are counted with the time they took then.
    """

    items: int = Field(ge=0)
    """Items that were timed."""
    seconds: float = Field(ge=0)
    """Wall time of these."""
    phases: Mapping[str, float]
    """Parts of it that do not overlap: `media` (waiting for decoded clips), `prepare` (tokenizing,
    features), `encode` (towers), `prefill`, `decode`, `score`."""
    tokens_prompt: int = Field(ge=0)
    """Tokens of their prompts."""
    tokens_generated: int = Field(ge=0)
    """Tokens of their replies."""
    items_per_second: float | None
    """`items` over `seconds`; `None` when no time passed."""


class EvalSummary(VersionedRecord):
    """The score of an evaluation (`summary.json`). Scores are fractions."""

    benchmark: str
    """Name of the benchmark."""
    model: str
    """The model as it was asked for."""
    asked: Mapping[str, str | int | bool | None] = Field(default_factory=dict)
    """What was asked of the benchmark: split, subset, mode, prompt and the like."""
    n: int = Field(ge=0)
    """Items of the split: the denominator of `accuracy`."""
    correct: int = Field(ge=0)
    """Items with score 1."""
    accuracy: float | None
    """The benchmark's main figure over all items; `None` when there is no score."""
    headline: str
    """What `accuracy` is, such as "accuracy" or "macro_mean"."""
    ci95: tuple[float, float] | None
    """95 % interval of `accuracy`; `None` when it cannot be given."""
    answered: int = Field(0, ge=0)
    """Items that state an answer: the denominator of `accuracy_answered`."""
    accuracy_answered: float | None
    """The same over `ok` and `truncated` items that have a prediction."""
    metrics: Mapping[str, float | None] = Field(default_factory=dict)
    """Every further figure of the benchmark."""
    status: Mapping[EvalStatus, int]
    """Items by status; adds up to `n`."""
    groups: Mapping[str, Mapping[str, SubsetScore]] = Field(default_factory=dict)
    """Score by breakdown and category."""
    manifest: Manifest
    """What the evaluation was made with."""
