"""Training samples as items of a benchmark: the embedded scenes, and what a run holds out."""

from __future__ import annotations

from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.evaluation.answers import gold_text
from avatar_core.types import Content, Sample
from avatar_core.wording import sample_content


def item_of(sample: Sample, benchmark: str = "") -> Item:
    """A training sample as an item, scored as the accuracy reward scores it."""
    found = {"family": sample.family, "stage": sample.stage, "level": sample.extra.get("level")}
    return Item(
        id=sample.id,
        benchmark=benchmark,
        subset="",
        media=sample.media,
        question=sample.question,
        options=sample.options,
        gold=gold_text(sample),
        answer_kind="reward",
        groups={name: (str(value),) for name, value in found.items() if value is not None},
        sample=sample,
    )


def ask_sample(item: Item, _style: PromptStyle) -> Content:
    """The user turn of an item that is a training sample, as in training."""
    return (*item.media, item.question) if item.sample is None else sample_content(item.sample)
