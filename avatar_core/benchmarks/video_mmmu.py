"""Video-MMMU: what a lecture shows, what it means, and a question that asks to apply it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.embedded import embedded_file
from avatar_core.benchmarks.fields import raw, text, texts
from avatar_core.benchmarks.ids import unique_ids
from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.knowledge import knowledge_figures
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.options import bare_options, option_letter
from avatar_core.benchmarks.prompts import media_first, question_block, reasoned
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError, UsageError
from avatar_core.evaluation_records import EvalRow
from avatar_core.types import Content, MediaRef

NAME = "video_mmmu"
LAYOUT = """\
Perception/test-*.parquet     (or data/perception_video.json; likewise the two below)
Comprehension/test-*.parquet
Adaptation/test-*.parquet
<Discipline>/<id>.mp4         (Art, Business, Engineering, Humanities, Medicine, Science)
question_only/<id>_image.mp4  (with --question-only)"""
TRACKS = ("perception", "comprehension", "adaptation")
QUESTION_ONLY = "question_only"
"""Part that shows a question's picture alone, for two seconds, and no lecture."""
DISCIPLINES = {
    "Art": "Art, Art_Theory, Design, Music",
    "Business": "Accounting, Economics, Finance, Manage, Marketing",
    "Engineering": "Agriculture, Architecture_and_Engineering, Computer_Science, Electronics, "
    "Energy_and_Power, Materials, Mechanical_Engineering",
    "Humanities": "History, Literature, Psychology, Sociology",
    "Medicine": "Basic_Medical_Science, Clinical_Medicine, Diagnostics_and_Laboratory_Medicine, "
    "Pharmacy, Public_Health",
    "Science": "Biology, Chemistry, Geography, Math, Physics",
}
"""Subjects of each discipline, separated by commas."""
DISCIPLINE_OF = {
    subject: discipline
    for discipline, subjects in DISCIPLINES.items()
    for subject in subjects.split(", ")
}
_BETWEEN = re.compile(r"""['"]\s*,\s*['"]""")


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions of one track or of the three; without lecture those of the adaptation track.

    Raises:
        UsageError: another track is asked for without lecture.
    """
    if selection.question_only and selection.subset not in ("all", "adaptation"):
        raise UsageError(
            f"{NAME}: --question-only shows clips that only the adaptation track has; "
            "leave --subset away"
        )
    base = data_root(root, NAME, LAYOUT)
    files = MediaFiles(base)
    tracks = TRACKS if selection.subset == "all" else (selection.subset or "",)
    return unique_ids(
        [
            _item(row, QUESTION_ONLY if selection.question_only else track, files)
            for track in (("adaptation",) if selection.question_only else tracks)
            for row in _rows(base, track)
        ]
    )


def ask(item: Item, style: PromptStyle) -> Content:
    """The question by style, with what its track asks to be done with the lecture."""
    asked = reasoned(item) if style == "think" else question_block(item)
    if item.subset == QUESTION_ONLY:
        return media_first(item, asked)
    if item.subset != "adaptation":
        note = "The last frame of the video holds a quiz question. Leave it out of account."
        return media_first(item, f"{asked}\n{note}")
    kind = "multiple-choice" if item.options else "open"
    return media_first(
        item,
        "Watch the video and learn from it. Then use what you have learnt to answer this "
        f"{kind} question. Its picture comes at the end of the video.\n{asked}",
    )


def figures(rows: Sequence[EvalRow]) -> Mapping[str, float | None]:
    """Accuracy of each track and each discipline, failures counted as wrong."""
    found: dict[str, list[bool]] = {}
    for row in rows:
        for breakdown in ("track", "discipline"):
            for category in row.categories(breakdown):
                found.setdefault(f"accuracy_{category.casefold()}", []).append(bool(row.correct))
    return {name: sum(right) / len(right) for name, right in sorted(found.items())}


def _rows(base: Path, track: str) -> Iterator[Row]:
    name = track.capitalize()
    rows = annotation_rows(
        base, f"{name}/*.parquet", f"**/{name}/*.parquet", f"data/{track}_video.json",
        f"data/{track}_video.jsonl", f"**/{track}_video.json", f"**/{track}_video.jsonl",
        layout=LAYOUT,
    )  # fmt: skip
    for row in rows:
        parts = [
            Row(f"{row.place}: {key[:60]!r}", part)
            for key, part in row.fields.items()
            if isinstance(part, dict) and "question" in part
        ]
        # One object for the whole track, with the rows inside, is read as a single row.
        yield from parts or [row]


def _item(row: Row, part: str, files: MediaFiles) -> Item:
    name = text(row, "id").strip()
    subject = "_".join(name.split("_")[1:-1])
    discipline = DISCIPLINE_OF.get(subject)
    track = "adaptation" if part == QUESTION_ONLY else part
    if part == QUESTION_ONLY:
        found = files.file(f"question_only/{name}_image.mp4", place=row.place)
    else:
        home = f"{discipline}/" if discipline else ""
        found = files.file(f"{home}{name}.mp4", place=row.place)
    options = bare_options(texts(row, "options"))
    golds = (
        (option_letter(row.fields.get("answer"), options, row.place),) if options else _golds(row)
    )
    return Item(
        id=f"{track}/{name}",
        benchmark=NAME,
        subset=part,
        media=(MediaRef("video", found.path), *(_picture(row) if part == "adaptation" else ())),
        question=text(row, "question").strip(),
        options=options,
        gold=golds[0],
        answer_kind="mc" if options else "open",
        alternatives=golds[1:],
        groups={
            "track": (track.capitalize(),),
            "discipline": (discipline or "other",),
            "subject": (subject.replace("_", " ") or "other",),
            "question_type": ("multiple-choice" if options else "open",),
        },
        missing=found.lacking,
        raw=raw(row),
    )


def _picture(row: Row) -> tuple[MediaRef, ...]:
    """The picture of the question; the video alone shows it where the row has none."""
    for column in ("image", "image_1"):
        cell = row.fields.get(column)
        if cell:
            name = f"{row.place}: {column}"
            return (MediaRef("image", embedded_file(cell, "image", name=name)),)
    return ()


def _golds(row: Row) -> tuple[str, ...]:
    """Right texts of an open question; a text that is a list with quotes, even a broken one."""
    given = texts(row, "answer")
    if len(given) == 1 and re.match(r"""\s*\[\s*['"]""", given[0]):
        given = tuple(_BETWEEN.split(given[0].strip().strip("[]")))
    golds = tuple(gold for part in given if (gold := part.strip().strip("'\"").strip()))
    if not golds:
        raise DataError(f"{row.place}: has no answer; mend the row")
    return tuple(dict.fromkeys(golds))


VIDEO_MMMU = register(
    Benchmark(
        name=NAME,
        dataset=("lmms-lab/VideoMMMU", "lmms-eval/VideoMMMU"),
        items=900,
        media="lecture, image",
        metric="accuracy",
        load=load,
        ask=ask,
        layout=LAYOUT,
        styles=("official", "think"),
        subsets=("all", *TRACKS),
        figures=figures,
        figures_of_media=knowledge_figures,
        blind=False,
    )
)
