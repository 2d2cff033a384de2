"""VSI-Bench: questions about space in videos of rooms, with options or a number for an answer.

The figure is the unweighted mean of eight scores, one for each kind of question. The three levels
of one kind, direction, are averaged first. A kind without items is left out of the mean, and its
score is `None`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import number, raw, text, texts
from avatar_core.benchmarks.ids import unique_ids
from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.options import bare_options, option_letter
from avatar_core.benchmarks.prompts import lettered, media_first, reasoned
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.evaluation_records import EvalRow
from avatar_core.types import Content, MediaRef

NAME = "vsi_bench"
LAYOUT = """\
test.jsonl                        (or test-00000-of-00001.parquet; of the other subsets
                                   test_debiased.parquet and test_pruned.parquet)
<dataset>/<scene_name>.mp4        (arkitscenes, scannet, scannetpp)"""
ANNOTATIONS = {
    "full": ("test.jsonl", "test-*.parquet", "data/test-*.parquet", "test.parquet"),
    "debiased": ("test_debiased.parquet", "test_debiased.jsonl", "**/test_debiased*.parquet"),
    "pruned": ("test_pruned.parquet", "test_pruned.jsonl", "**/test_pruned*.parquet"),
}
"""Files by subset, the first that is there."""
DIRECTION = "object_rel_direction"
CHOICES = (
    f"{DIRECTION}_easy",
    f"{DIRECTION}_medium",
    f"{DIRECTION}_hard",
    "object_rel_distance",
    "route_planning",
    "obj_appearance_order",
)
"""Types of questions with options."""
NUMBERS = (
    "object_counting",
    "object_abs_distance",
    "object_size_estimation",
    "room_size_estimation",
)
"""Types of questions whose answer is a number, scored by its mean relative accuracy."""


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions of a subset: the full set, or what its authors made of it."""
    home = data_root(root, NAME, LAYOUT)
    files = MediaFiles(home)
    rows = annotation_rows(home, *ANNOTATIONS[selection.subset or "full"], layout=LAYOUT)
    return unique_ids([_item(row, files) for row in rows])


def ask(item: Item, style: PromptStyle) -> Content:
    """The video, then the question worded by style."""
    if style == "think":
        return media_first(item, reasoned(item))
    lines = ["What you see are frames of one video.", item.question]
    if item.answer_kind == "mc":
        lines += ["Options:", lettered(item.options)]
        lines += ["Reply with the letter of the right option and nothing else."]
    else:
        lines += ["Reply with one word or one short phrase."]
    return media_first(item, "\n".join(lines))


def strata(row: EvalRow) -> tuple[str, ...]:
    """Place of a row in the mean of eight: its score, and of direction the level below it."""
    kind = _type_of(row)
    return (DIRECTION, kind) if kind.startswith(DIRECTION) else (kind,)


def figures(rows: Sequence[EvalRow]) -> Mapping[str, float | None]:
    """The eight scores by name; `None` for one without items, which the mean leaves out."""
    by_type: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        by_type[_type_of(row)].append(row.score or 0.0)
    means = {kind: sum(scores) / len(scores) for kind, scores in by_type.items()}
    levels = [mean for kind, mean in means.items() if kind.startswith(DIRECTION)]
    direction = sum(levels) / len(levels) if levels else None
    return {DIRECTION: direction} | {kind: means.get(kind) for kind in CHOICES[3:] + NUMBERS}


def _type_of(row: EvalRow) -> str:
    return "".join(row.categories("question_type"))


def _item(row: Row, files: MediaFiles) -> Item:
    kind, scene = text(row, "question_type"), row.fields.get("scene_name")
    if kind not in CHOICES + NUMBERS:
        raise DataError(
            f"{row.place}: question_type {kind[:60]!r} is unknown; give one of "
            f"{', '.join(CHOICES + NUMBERS)}"
        )
    if not isinstance(scene, str) or not scene.strip():
        raise DataError(
            f"{row.place}: scene_name must be a text, found {str(scene)[:60]!r}; some names look "
            "like numbers, and a program that takes them for such changes them"
        )
    dataset = text(row, "dataset")
    found = files.file(f"{dataset}/{scene}.mp4", place=row.place)
    options = bare_options(texts(row, "options")) if kind in CHOICES else ()
    return Item(
        id=text(row, "id"),
        benchmark=NAME,
        subset="",
        media=(MediaRef("video", found.path),),
        question=text(row, "question"),
        options=options,
        gold=_gold(row, kind, options),
        answer_kind="mc" if kind in CHOICES else "number",
        groups={"question_type": (kind,), "dataset": (dataset,)},
        missing=found.lacking,
        raw=raw(row),
    )


def _gold(row: Row, kind: str, options: Sequence[str]) -> str:
    stated = text(row, "ground_truth").strip()
    if kind in CHOICES:
        return option_letter(stated, options, row.place)
    number(row, "ground_truth")
    return stated


VSI_BENCH = register(
    Benchmark(
        name=NAME,
        dataset=("nyu-visionx/VSI-Bench",),
        items=5130,
        media="video",
        metric="mean of 8 scores",
        load=load,
        ask=ask,
        layout=LAYOUT,
        styles=("official", "think"),
        subsets=tuple(ANNOTATIONS),
        headline="macro_mean",
        graded=True,
        strata=strata,
        figures=figures,
    )
)
