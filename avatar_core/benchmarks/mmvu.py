"""MMVU: questions that need the knowledge of an expert, about videos of 27 subjects."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lookup import Found, MediaFiles
from avatar_core.benchmarks.open_questions import UNJUDGED, open_figures
from avatar_core.benchmarks.options import option_letter, options_by_letter, split_inline
from avatar_core.benchmarks.prompts import lettered, single_choice, worded_by_style
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.types import MediaRef

LAYOUT = """\
validation.json                    (or mmvu.json, or validation*.parquet)
videos/<Subject>/<number>.mp4"""
DISCIPLINES = {
    "Science": "Astronomy, Biology, Chemistry, Electromagnetism, Geography, Materials Science, "
    "Mechanics, Modern Physics, Neurobiology, Thermodynamics",
    "Engineering": "Biomedical Engineering, Civil Engineering, Computer Science, "
    "Electrical Engineering, Electronics and Communication, Mechanical Engineering",
    "Healthcare": "Basic Medicine, Clinical Medicine, Dentistry, Pharmacy, Preventive Medicine",
    "Humanities and Social Science": "Art, Economics, History, Law, Literature, Management",
}
"""Subjects of each discipline, separated by commas."""
DISCIPLINE_OF = {
    subject: discipline
    for discipline, subjects in DISCIPLINES.items()
    for subject in subjects.split(", ")
}
PARTS = {"multiple-choice": "mc", "open-ended": "open"}
"""Subset by `question_type`."""
ANNOTATIONS = (
    "validation.json",
    "data/validation.json",
    "mmvu.json",
    "mmvu.jsonl",
    "**/validation*.parquet",
)
_DOWNLOAD = re.compile(r"/resolve/[^/]+/([^?#]+)")


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All items of the validation split, or the multiple-choice ones."""
    base = data_root(root, "mmvu", LAYOUT)
    rows = annotation_rows(base, *ANNOTATIONS, layout=LAYOUT)
    files = MediaFiles(base)
    items = unique_ids([_item(row, files) for row in rows])
    return [item for item in items if selection.subset in ("all", item.subset)]


def _authors(item: Item) -> str:
    """The authors never asked open questions; these are worded as the benchmark does."""
    return single_choice(item) if item.answer_kind == "mc" else _direct(item)


def _item(row: Row, files: MediaFiles) -> Item:
    kind = (optional_text(row, "question_type") or "multiple-choice").strip().casefold()
    if kind not in PARTS:
        raise DataError(
            f"{row.place}: question_type {kind[:60]!r} is unknown; give one of {', '.join(PARTS)}"
        )
    is_open = PARTS[kind] == "open"
    question, options = (text(row, "question").strip(), ()) if is_open else _choice_question(row)
    path = _relative_path(row)
    found = _video(row, path, files)
    gold = text(row, "answer").strip()
    return Item(
        id=optional_text(row, "id", "question_id") or content_id(path, question, *options),
        benchmark="mmvu",
        subset=PARTS[kind],
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=gold if is_open else option_letter(gold, options, row.place),
        answer_kind="open" if is_open else "mc",
        groups=_groups(path, kind),
        open_rule="exact",
        worded=optional_text(row, "processed_question"),
        missing=found.lacking,
        raw=raw(row),
    )


def _choice_question(row: Row) -> tuple[str, tuple[str, ...]]:
    """Question and options; the authors' file has the options in the text alone."""
    options = options_by_letter(row, "choices")
    if options:
        return text(row, "question").strip(), options
    plain = split_inline(optional_text(row, "question") or "")
    worded = split_inline(optional_text(row, "processed_question") or "")
    options = plain.options or worded.options
    if not options:
        raise DataError(
            f"{row.place}: has no choices; give them, or lines 'A. ...' of the question"
        )
    return (plain.question or worded.question).strip(), options


def _relative_path(row: Row) -> str:
    """Path of the video below the root; of a download address what follows the revision."""
    given = text(row, "video_path", "video").strip()
    if "://" not in given:
        return given
    match = _DOWNLOAD.search(given)
    if match is None:
        raise DataError(f"{row.place}: video {given[:80]!r} names no file of the data set")
    return unquote(match[1])


def _video(row: Row, path: str, files: MediaFiles) -> Found:
    tail = "/".join(path.split("/")[-2:])
    return files.file(*dict.fromkeys((path, f"videos/{tail}", tail)), place=row.place)


def _groups(path: str, kind: str) -> dict[str, tuple[str, ...]]:
    """Breakdowns. The subject is the video's folder; in a few rows the metadata say another."""
    subject = path.split("/")[-2].replace("_", " ") if "/" in path else "unknown"
    return {
        "subject": (subject,),
        "discipline": (DISCIPLINE_OF.get(subject, "other"),),
        "question_type": (kind,),
        **(UNJUDGED if PARTS[kind] == "open" else {}),
    }


def _direct(item: Item) -> str:
    if item.answer_kind == "open":
        return (
            f"Question: {item.question}\n"
            "Give the final answer from the video at once, without working it out in writing."
        )
    return (
        f"Question: {item.question}\n{lettered(item.options, '{letter}: {text}')}\n"
        "Give the letter of the right option from the video at once, without working it out in "
        "writing."
    )


MMVU = register(
    Benchmark(
        name="mmvu",
        dataset=("yale-nlp/MMVU", "lmms-eval/MMVU", "lmms-lab/MMVU"),
        items=625,
        media="video",
        metric="accuracy",
        load=load,
        ask=worded_by_style(_direct, _authors),
        layout=LAYOUT,
        subsets=("mc", "all"),
        splits=("validation",),
        figures=open_figures,
    )
)
