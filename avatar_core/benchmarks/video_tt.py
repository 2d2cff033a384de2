"""Video-TT: 1,000 short videos, each with one question in several wordings, or with options.

Open questions are compared with the gold text. The benchmark has a language model grade them, so
that the share of exact matches says little; its own figure for them, and the robustness figure
built on it, cannot be had from replies alone. `open_figures` names the share as what it is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text
from avatar_core.benchmarks.ids import unique_ids
from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.open_questions import UNJUDGED, open_figures
from avatar_core.benchmarks.options import Inline, option_letter, split_inline
from avatar_core.benchmarks.prompts import letter_only, media_first, question_block, reasoned
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.types import Content, MediaRef

NAME = "video_tt"
LAYOUT = """\
data/test-00000-of-00001.parquet             (or data/<split>-*.parquet, or <split>.jsonl)
Benchmark-AllVideos-LQ/<video_id>.mp4        (or Benchmark-AllVideos-HQ/, or video/)"""
CHOICE_SPLITS = ("test", "test_mc_new")
OPEN_SPLITS = (
    "test_no_leading_oe",
    "test_paraphrased_oe",
    "test_correctly_led_oe",
    "test_wrongly_led_oe",
    "test_all",
)
FOLDERS = ("Benchmark-AllVideos-LQ/", "video/", "Benchmark-AllVideos-HQ/", "")
"""Where videos are looked for, in order."""


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions of a split."""
    home, split = data_root(root, NAME, LAYOUT), selection.split or CHOICE_SPLITS[0]
    files = MediaFiles(home)
    tables = (f"data/{split}-*.parquet", f"**/{split}-*.parquet")
    rows = annotation_rows(home, *tables, f"{split}.json", f"{split}.jsonl", layout=LAYOUT)
    is_open = split in OPEN_SPLITS
    return unique_ids([_item(row, files, is_open) for row in rows])


def ask(item: Item, style: PromptStyle) -> Content:
    """The video, then the question; officially with the row's own request behind it."""
    if style == "think":
        return media_first(item, reasoned(item))
    asked = letter_only(item) if item.options else item.question
    return media_first(item, item.worded or asked)


def _item(row: Row, files: MediaFiles, is_open: bool) -> Item:
    video, answer = text(row, "video_id"), text(row, "answer").strip()
    found = files.file(*(f"{folder}{video}.mp4" for folder in FOLDERS), place=row.place)
    question, options = _stated(row, is_open)
    capability = optional_text(row, "capability")
    groups = {"capability": (capability,)} if capability else {}
    item = Item(
        id=text(row, "qid"),
        benchmark=NAME,
        subset="",
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=answer if is_open else option_letter(answer, options, row.place),
        answer_kind="open" if is_open else "mc",
        groups={**groups, **UNJUDGED} if is_open else groups,
        open_rule="exact",
        missing=found.lacking,
        raw=raw(row),
    )
    request = optional_text(row, "question_prompt")
    worded = f"{question_block(item)}\n{request.strip()}" if request else None
    return replace(item, worded=worded)


def _stated(row: Row, is_open: bool) -> Inline:
    """Question and options; an open question keeps lines that look like options."""
    question = text(row, "question")
    stated = Inline(question, ()) if is_open else split_inline(question)
    if not stated.options and not is_open:
        raise DataError(
            f"{row.place}: question holds no options; write them into it as lines 'A. ...'"
        )
    return stated


VIDEO_TT = register(
    Benchmark(
        name=NAME,
        dataset=("lmms-lab/video-tt", "lmms-eval/video-tt"),
        items=1000,
        media="video",
        metric="accuracy",
        load=load,
        ask=ask,
        layout=LAYOUT,
        styles=("official", "think"),
        splits=CHOICE_SPLITS + OPEN_SPLITS,
        figures=open_figures,
    )
)
