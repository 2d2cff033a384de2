"""One question of a benchmark, however its files write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from avatar_core.types import MediaRef, Sample

AnswerKind = Literal["mc", "multi", "yesno", "count", "number", "open", "clue", "reward"]
"""How an answer is read and scored.

- `mc`: one letter.
- `multi`: a set of letters, scored by F1.
- `yesno`: yes or no.
- `count`: a whole number that is right or wrong.
- `number`: a number, scored by its mean relative accuracy.
- `open`: a short text, right when it is the gold text after normalisation.
- `clue`: JSON that names moments or boxes, scored by the weighted clue score.
- `reward`: as the accuracy reward of training scores `Item.sample`.
"""
PromptStyle = Literal["official", "authors", "think"]
"""Whose wording a question gets: the benchmark's, the authors', or one that asks for reasoning."""
OpenRule = Literal["mmmu", "exact"]
"""What makes an open answer right: MMMU's comparison, or the gold text after normalisation."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    Attributes:
        id: built from the annotation alone; stable when the file is shuffled, unique in the split.
        benchmark: key of the benchmark.
        subset: part of the benchmark it belongs to, such as a track; empty without parts.
        media: what it is about, in order; `MediaRef.path` is where the file is, or where it was
            looked for first when it is missing.
        question: its text, options not included.
        options: texts without letters, in letter order; empty when the answer is open.
        gold: a letter; letters joined by ","; "yes" or "no"; a number; a text; or JSON for a clue.
            Of an open question "|" does not separate anything: other right texts are in
            `alternatives`.
        answer_kind: how an answer is scored.
        alternatives: further right texts of an open question.
        open_rule: what makes an open answer right.
        worded: question, options and request as the file has them ready to be sent; `None` without.
        groups: categories by breakdown; several where the item counts in each of them.
        missing: files of `media` that are not there.
        cluster: what its media are part of, such as the video a clip was cut from; items of one
            cluster are not independent. Empty for the first video of `media`.
        raw: the record as the file has it, without embedded media.
        sample: the training sample that the item is, for `reward`; `None` for all other kinds.
    """

    id: str
    benchmark: str
    subset: str
    media: tuple[MediaRef, ...]
    question: str
    options: tuple[str, ...]
    gold: str
    answer_kind: AnswerKind
    alternatives: tuple[str, ...] = ()
    open_rule: OpenRule = "mmmu"
    worded: str | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    cluster: str = ""
    raw: Mapping[str, object] = field(default_factory=dict)
    sample: Sample | None = None
