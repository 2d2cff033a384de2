from __future__ import annotations

from avatar_core.evaluation.items import ask_sample, item_of
from avatar_core.types import MediaRef, Sample

SAMPLE = Sample("s", "How many beeps?", (MediaRef("video", "v.mp4"),), "3", "numerical", stage=2)


def test_an_item_keeps_the_sample_and_its_words() -> None:
    item = item_of(SAMPLE, "scenes")
    assert (item.id, item.benchmark, item.answer_kind, item.gold) == ("s", "scenes", "reward", "3")
    assert item.sample is SAMPLE
    assert ask_sample(item, "official") == (SAMPLE.media[0], "How many beeps?")
