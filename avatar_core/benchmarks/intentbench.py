"""IntentBench: what people in videos mean, feel and hide: one letter, several, or yes or no."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text, texts
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.intentbench_wording import AUTHORS, OFFICIAL, SYSTEM
from avatar_core.benchmarks.item import AnswerKind, Item, PromptStyle
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.options import bare_options, option_letter, split_inline
from avatar_core.benchmarks.prompts import lettered, media_first, reasoned
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.evaluation_records import EvalRow
from avatar_core.types import Content, MediaRef

NAME = "intentbench"
LAYOUT = """\
qa.json
videos/<path of the annotation>.mp4    (or <path of the annotation>.mp4)"""
KINDS: dict[str, AnswerKind] = {"multiple choice": "mc", "emer_ov_mc": "multi", "judge": "yesno"}
"""Kind of answer by `problem_type`."""
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions."""
    home = data_root(root, NAME, LAYOUT)
    files = MediaFiles(home)
    return unique_ids(
        [_item(row, files) for row in annotation_rows(home, "qa.json", "qa.jsonl", layout=LAYOUT)]
    )


def ask(item: Item, style: PromptStyle) -> Content:
    """The video, then the question worded by style and kind of answer.

    A question of truth is asked as the file has it: in other words, yes might mean the opposite.
    """
    if style == "think":
        return media_first(item, reasoned(item))
    frame = (AUTHORS if style == "authors" else OFFICIAL)[item.answer_kind]
    options = ("Options:", lettered(item.options)) if item.options else ()
    return media_first(item, frame.before + "\n".join((item.question, *options, frame.behind)))


def figures(rows: Sequence[EvalRow]) -> Mapping[str, float | None]:
    """What the mean reward hides; failures count as wrong.

    Returns:
        `exact_match`, the share of all items that are wholly right, as AVATAR's authors count; and
        of the questions with several right letters `emotion_f1`, the mean F1, and
        `emotion_exact_match`. `None` where there are no such questions.
    """
    sets = [row for row in rows if "emer_ov_mc" in row.categories("problem_type")]
    return {
        "exact_match": _mean([float(bool(row.correct)) for row in rows]),
        "emotion_f1": _mean([row.score or 0.0 for row in sets]),
        "emotion_exact_match": _mean([float(bool(row.correct)) for row in sets]),
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _item(row: Row, files: MediaFiles) -> Item:
    problem, path = text(row, "problem"), text(row, "video", "path")
    kind = _kind(row)
    question, options = problem, bare_options(texts(row, "options"))
    if kind == "yesno":
        options = ()
    elif not options:
        question, options = split_inline(problem)
    found = files.file(f"videos/{path}", path, place=row.place)
    return Item(
        id=optional_text(row, "qid", "Question id") or content_id(path, problem),
        benchmark=NAME,
        subset="",
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=_gold(row, kind, options),
        answer_kind=kind,
        groups={
            name: (text(row, field).strip(),)
            for name, field in (("problem_type", "problem_type"), ("type", "Type"))
            if optional_text(row, field)
        },
        missing=found.lacking,
        raw=raw(row),
    )


def _kind(row: Row) -> AnswerKind:
    given = text(row, "problem_type").strip()
    if given not in KINDS:
        raise DataError(
            f"{row.place}: problem_type {given[:60]!r} is not one of {', '.join(KINDS)}; "
            "mend or remove the row"
        )
    return KINDS[given]


def _gold(row: Row, kind: AnswerKind, options: Sequence[str]) -> str:
    tagged = [found.strip() for found in _ANSWER.findall(optional_text(row, "solution") or "")]
    given = (tagged[-1] if tagged else "") or text(row, "answer").strip()
    if kind == "mc":
        return option_letter(given, options, row.place)
    if kind == "multi":
        parts = [part for part in given.split(",") if part.strip()] or [given]
        return ",".join(sorted({option_letter(part, options, row.place) for part in parts}))
    verdict = given.strip(" .").casefold()
    if verdict not in ("yes", "no"):
        raise DataError(f"{row.place}: answer {given[:60]!r} is neither yes nor no; mend the row")
    return verdict


INTENTBENCH = register(
    Benchmark(
        name=NAME,
        dataset=("PhilipC/IntentBench",),
        items=2689,
        media="video + sound",
        metric="mean reward",
        load=load,
        ask=ask,
        layout=LAYOUT,
        system={"official": SYSTEM},
        headline="mean_reward",
        graded=True,
        figures=figures,
    )
)
