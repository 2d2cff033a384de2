"""CG-AV-Counting: how often something happens or appears in a long video, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.clue_gold import CATEGORIES, clue_gold, structure
from avatar_core.benchmarks.counting import counting
from avatar_core.benchmarks.fields import number, optional_text, raw, text
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.lookup import Found, MediaFiles
from avatar_core.benchmarks.prompts import media_first, reasoned
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.evaluation_records import EvalRow
from avatar_core.types import Content, MediaRef

NAME = "cg_av_counting"
LAYOUT = """\
cg-av-counting.json                  (or one Parquet file)
cg_videos_720p/<name>.mp4            (modes long and clue; or in the root)
ref_videos/<name>_<start>_<end>.mp4  (mode ref; or clips/, or in the root)"""
FORMS = {
    "event": "listing the start and the end, in seconds, of every event that counts. Write JSON: "
    "a list that holds [start, end] for each event, such as [[12.34, 15.6]].",
    "object": "boxing every object that counts, in the first frame that shows it and in no later "
    'one. Write JSON: {"Frame1": [[x_min, y_min, x_max, y_max]], "Frame2": []}, where a frame '
    "without a new object has an empty list.",
    "attribute": "sorting the objects into clusters as the question asks. Give each cluster a "
    "label of its own and box every object in the first frame that shows it and in no later one. "
    'Write JSON: {"Frame 1": [{"bbox": [x_min, y_min, x_max, y_max], "label": "Label 1"}], '
    '"Frame 2": []}, where a frame without a new object has an empty list.',
}
"""What a reply about clues must look like, by category."""


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions, about the whole video, its clip, or the clues in it."""
    base = data_root(root, NAME, LAYOUT)
    rows = annotation_rows(
        base, "cg-av-counting.json", "cg-av-counting.jsonl", "*/cg-av-counting.json",
        "*/cg-av-counting.jsonl", "**/*.parquet", "*.json", "*.jsonl",
        layout=LAYOUT,
    )  # fmt: skip
    files = MediaFiles(base)
    return unique_ids([_item(row, files, selection.mode or "long") for row in rows])


def ask(item: Item, style: PromptStyle) -> Content:
    """The question by style; frames are numbered, but in the authors' style."""
    if item.answer_kind == "clue":
        asked = f"Answer the question '{item.question}' by {FORMS[item.groups['category'][0]]}"
    else:
        watch = "Watch the video and answer" if style == "authors" else "Answer"
        asked = f"{watch} the question '{item.question}' with a number, and write nothing else."
    if style == "think":
        thought = item if item.answer_kind == "count" else replace(item, question=asked)
        return _shown(item, reasoned(thought))
    if item.answer_kind == "clue":
        asked += " Put the JSON between <answer> and </answer>."
    return media_first(item, asked) if style == "authors" else _shown(item, asked)


def figures(rows: Sequence[EvalRow]) -> Mapping[str, float | None]:
    """Figures of counts, or of clues.

    Returns:
        Counts: `oboa` (off by one at most), capped `mae` and `rmse`, and `counted`, how many
        replies state a number. Clues: `wcs`, the mean score, and `ifa`, the share of replies that
        could be read.
    """
    if rows and all((row.gold or "").startswith("{") for row in rows):
        scores = [row.score or 0.0 for row in rows]
        read = sum(row.prediction is not None for row in rows)
        return {"wcs": sum(scores) / len(rows), "ifa": read / len(rows)}
    found = counting(rows)
    return {} if found is None else found._asdict()


def _shown(item: Item, asked: str) -> Content:
    """Media and question; of frames each with its number, and how many there are."""
    if not item.media or item.media[0].kind != "image":
        return media_first(item, asked)
    parts: list[MediaRef | str] = []
    for count, frame in enumerate(item.media, start=1):
        head = f"There are {len(item.media)} frames.\n" if count == 1 else ""
        parts += [f"{head}Frame{count}:", frame]
    return (*parts, asked)


def _item(row: Row, files: MediaFiles, mode: str) -> Item:
    video, question = text(row, "video").strip(), text(row, "question", "question_en").strip()
    category = text(row, "category").strip().casefold()
    if category not in CATEGORIES:
        known = ", ".join(CATEGORIES)
        raise DataError(f"{row.place}: category {category[:60]!r} is unknown; give one of {known}")
    queried = optional_text(row, "type")
    found = _clip(row, video, files) if mode == "ref" else _video(row, video, files)
    clues = clue_gold(row, category) if mode == "clue" else None
    frames = tuple(MediaRef("image", found.path, start=t) for t in (clues.times if clues else ()))
    return Item(
        id=optional_text(row, "index") or content_id(video, question, category),
        benchmark=NAME,
        subset="",
        media=frames or (MediaRef("video", found.path),),
        question=question,
        options=(),
        gold=clues.text if clues else _count(row),
        answer_kind="clue" if clues else "count",
        groups={"category": (category,), **({"type": (queried.strip(),)} if queried else {})},
        missing=found.lacking,
        cluster=video,
        raw=raw(row),
    )


def _count(row: Row) -> str:
    count = number(row, "answer")
    if count < 0 or count != int(count):
        raise DataError(f"{row.place}: answer {count} is no count; give a whole number from 0")
    return str(int(count))


def _video(row: Row, video: str, files: MediaFiles) -> Found:
    name = PurePosixPath(video).name
    home = video if "/" in video else f"cg_videos_720p/{name}"
    return files.file(home, f"videos/{name}", name, place=row.place)


def _clip(row: Row, video: str, files: MediaFiles) -> Found:
    """The clip that a question's interval was cut out as, named by both its ends."""
    interval = structure(row, "query_interval")
    if not isinstance(interval, list) or len(interval) != 2:
        raise DataError(f"{row.place}: query_interval must be [start, end]; mend the row")
    start, end = (number(Row(row.place, {"query_interval": t}), "query_interval") for t in interval)
    name = f"{PurePosixPath(video).stem}_{start:.2f}_{end:.2f}.mp4"
    return files.file(f"ref_videos/{name}", f"clips/{name}", name, place=row.place)


CG_AV_COUNTING = register(
    Benchmark(
        name=NAME,
        dataset=("CG-Bench/CG-AV-Counting",),
        items=1027,
        media="video, clip or frames",
        metric="accuracy; WCS of clues",
        load=load,
        ask=ask,
        layout=LAYOUT,
        modes=("long", "ref", "clue"),
        graded=True,
        headlines={"clue": "wcs"},
        figures=figures,
    )
)
