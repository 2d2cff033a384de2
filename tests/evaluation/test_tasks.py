from __future__ import annotations

from dataclasses import replace
from typing import Any

from avatar_core.benchmarks.item import Item
from avatar_core.evaluation.items import item_of
from avatar_core.evaluation.tasks import clusters_of, media_of, sample_tasks, task_of
from avatar_core.types import Content, MediaRef, Sample

FILM, SOUND = MediaRef("video", "v.mp4"), MediaRef("audio", "s.wav")
CHOICE = Sample(
    "s", "Which colour?", (FILM,), "A", "multiple choice", ("red", "blue"), family="colour", stage=1
)


def test_samples_of_one_video_are_one_cluster() -> None:
    window = MediaRef("video", "v.mp4", 1.0, 2.0)
    shown = {"a": (FILM,), "b": (window,), "c": (FILM, SOUND), "d": (), "e": (FILM, window)}
    samples = [Sample(name, "?", media, "1", "numerical") for name, media in shown.items()]
    expected = dict.fromkeys("abce", "v.mp4") | {"d": "d"}
    assert clusters_of(sample_tasks(samples)) == expected


def test_a_sample_is_asked_and_scored_as_in_training() -> None:
    (task,) = sample_tasks([CHOICE])
    assert task.content == (FILM, "Which colour?\nA. red\nB. blue")
    assert (task.id, task.gold, task.missing) == ("s", "red", ())
    assert task.groups == {"family": ("colour",), "stage": ("1",)}
    assert task.read("<think>x</think><answer>A</answer>", False)[:2] == ("red", 1.0)
    assert task.read("<think>it is A", False)[:2] == (None, 0.0)


def test_what_is_asked_counts_and_not_where_its_media_lie() -> None:
    def asked(**changes: Any) -> str:
        (task,) = sample_tasks([replace(CHOICE, **changes)])
        return task.asked

    assert asked(media=(replace(FILM, path="moved/v.mp4"),)) == asked()
    changed = [
        asked(question="What colour?"),
        asked(options=("blue", "red")),
        asked(media=(replace(FILM, path="w.mp4"),)),
        asked(media=(replace(FILM, end=2.0),)),
        asked(media=(replace(FILM, kind="audio"),)),
    ]
    assert len({asked(), *changed}) == 6


def test_an_item_is_asked_in_the_words_of_its_benchmark() -> None:
    def ask(item: Item, style: str, /) -> Content:
        return (f"{style}:", *item.media, item.question)

    item = Item(
        "i", "b", "", (FILM, SOUND), "Which?", ("cat", "dog"), "B", "mc", missing=("s.wav",)
    )
    task = task_of(item, ask, "authors")
    assert task.content == ("authors:", FILM, SOUND, "Which?")
    assert media_of(task.content) == (FILM, SOUND)
    assert (task.gold, task.missing) == ("dog", ("s.wav",))
    assert task.read("B", False)[:2] == ("dog", 1.0)


def test_what_a_sample_does_not_say_is_no_breakdown() -> None:
    plain = item_of(replace(CHOICE, family=None, stage=None, extra={"level": 2}))
    assert plain.groups == {"level": ("2",)}
