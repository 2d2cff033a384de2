"""Daily-Omni: questions about everyday videos of 30 or 60 seconds that need sight and sound."""

from __future__ import annotations

from pathlib import Path

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text, texts
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.options import bare_options, option_letter
from avatar_core.benchmarks.prompts import QWEN_IDENTITY, media_first, reasoned
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.choices import LETTERS
from avatar_core.types import Content, MediaRef

LAYOUT = """\
qa.json
Videos/<video_id>/<video_id>_video.mp4"""
BREAKDOWNS = {
    "type": "Type",
    "video_category": "video_category",
    "video_duration": "video_duration",
}
"""Field by breakdown."""


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All items, one that the file holds twice included."""
    base = data_root(root, "daily_omni", LAYOUT)
    rows = annotation_rows(base, "qa.json", "data/qa.json", layout=LAYOUT)
    files = MediaFiles(base)
    return unique_ids([_item(row, files) for row in rows])


def ask(item: Item, style: PromptStyle) -> Content:
    """The question by style; the benchmark puts the text in front of the video, the authors behind.

    Both print the options as a Python list of lettered texts.
    """
    if style == "think":
        return media_first(item, reasoned(item))
    if style == "authors":
        return media_first(item, _choices_as_list(item))
    return (_choices_as_list(item), *item.media)


def _item(row: Row, files: MediaFiles) -> Item:
    video = text(row, "video_id").strip()
    question = text(row, "Question").strip()
    options = bare_options(texts(row, "Choice"))
    name = f"{video}/{video}_video.mp4"
    found = files.file(f"Videos/{name}", name, place=row.place)
    kinds = {breakdown: optional_text(row, key) for breakdown, key in BREAKDOWNS.items()}
    return Item(
        # The data have no id. A video has several questions, and one item occurs twice.
        id=f"{video}_{content_id(question, *options)}",
        benchmark="daily_omni",
        subset="",
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=option_letter(text(row, "Answer"), options, row.place),
        answer_kind="mc",
        groups={breakdown: (kind.strip(),) for breakdown, kind in kinds.items() if kind},
        missing=found.lacking,
        raw=raw(row),
    )


def _choices_as_list(item: Item) -> str:
    letters = LETTERS[: len(item.options)]
    choices = [f"{letter}. {option}" for letter, option in zip(letters, item.options, strict=True)]
    return (
        "You answer multiple-choice questions about the given video. Choose the one option that "
        f"fits best.\nQuestion: {item.question}\nChoices: {choices}\n"
        f"Reply with one capital letter from A to {letters[-1]} and nothing else."
    )


DAILY_OMNI = register(
    Benchmark(
        name="daily_omni",
        dataset=("liarliar/Daily-Omni",),
        items=1197,
        media="video + sound",
        metric="accuracy",
        load=load,
        ask=ask,
        layout=LAYOUT,
        system={"authors": QWEN_IDENTITY},
    )
)
