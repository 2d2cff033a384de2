"""MVBench: twenty tasks of 200 short videos each.

Two branches of the data set hold the same questions. On `main`, five tasks are about a part of a
longer video, which `start` and `end` bound, and those of one of them are folders of pictures; on
`video`, all are files that are cut already.

The benchmark's own protocol writes the first characters of the reply itself, "Best option:(". No
reply is begun for the model here; it is asked to begin so.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import number, optional_number, raw, text, texts
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lookup import Found, MediaFiles
from avatar_core.benchmarks.options import text_letter
from avatar_core.benchmarks.prompts import lettered, worded_by_style
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.evaluation_records import EvalRow
from avatar_core.types import MediaRef

NAME = "mvbench"
LAYOUT = """\
json/action_sequence.json                (and nineteen more)
video/star/Charades_v1_480/<name>.mp4    (or video/star/Charades_segment/<name>.mp4)
video/...                                (as the archives of branch main or video unpack)"""
FRAMES_FPS = 3.0
"""Pictures per second of a folder of frames."""
SYSTEM = (
    "Follow the video closely: what happens, in which order and why; how objects look and move; "
    "what people do and how they hold themselves. Then choose the option that answers best."
)


class Source(NamedTuple):
    """Where the videos of a task come from; folders are below `video/`."""

    whole: str
    """Folder on branch `main`."""
    cut: str
    """Folder on branch `video`."""
    bounded: bool = False
    """On `main` the question is about the part from `start` to `end`."""
    frames: bool = False
    """On `main` a video is a folder of pictures."""


_STAR = Source("star/Charades_v1_480", "star/Charades_segment", bounded=True)
_CLEVRER = Source("clevrer/video_validation", "clevrer/video_validation")
_PERCEPTION = Source("perception/videos", "perception/videos")
SOURCES = {
    "action_sequence": _STAR,
    "action_prediction": _STAR,
    "action_antonym": Source("ssv2_video", "ssv2_video_mp4"),
    "fine_grained_action": Source("Moments_in_Time_Raw/videos", "Moments_in_Time_Raw/videos"),
    "unexpected_action": Source("FunQA_test/test", "FunQA_test/test"),
    "object_existence": _CLEVRER,
    "object_interaction": _STAR,
    "object_shuffle": _PERCEPTION,
    "moving_direction": _CLEVRER,
    "action_localization": Source("sta/sta_video", "sta/sta_video_segment", bounded=True),
    "scene_transition": Source("scene_qa/video", "scene_qa/video"),
    "action_count": _PERCEPTION,
    "moving_count": _CLEVRER,
    "moving_attribute": _CLEVRER,
    "state_change": _PERCEPTION,
    "fine_grained_pose": Source("nturgbd", "nturgbd_convert"),
    "character_order": _PERCEPTION,
    "egocentric_navigation": Source("vlnqa", "vlnqa"),
    "episodic_reasoning": Source(
        "tvqa/frames_fps3_hq", "tvqa/video_fps3_hq_segment", bounded=True, frames=True
    ),
    "counterfactual_inference": _CLEVRER,
}
"""The tasks, and where their videos come from."""
_ORIGINS = frozenset(
    folder.split("/")[0] for source in SOURCES.values() for folder in (source.whole, source.cut)
)


def load(root: Path | None, selection: Selection) -> list[Item]:
    """The questions of all tasks, or of one."""
    home = data_root(root, NAME, LAYOUT)
    files = MediaFiles(home)
    items = [
        _item(task, row, files, home.resolve())
        for task in SOURCES
        if selection.subset in ("all", task)
        for row in annotation_rows(home, f"json/{task}.json", f"{task}.json", layout=LAYOUT)
    ]
    return unique_ids(items)


def _official(item: Item) -> str:
    asked = "Reply with the best option alone, and begin the reply with: Best option:("
    return f"Question: {item.question}\nOptions:\n{_options(item)}\n{asked}"


def _authors(item: Item) -> str:
    asked = "Reply with one capital letter, that of the right option, and nothing else."
    return f"{item.question}\n{_options(item)}\n{asked}"


def _options(item: Item) -> str:
    return lettered(item.options, "({letter}) {text}")


def figures(rows: Sequence[EvalRow]) -> Mapping[str, float | None]:
    """Beside the accuracy over all items the mean of the tasks' accuracies, `macro_mean`.

    Both are equal when every task has as many items as the others, as in the data set.
    """
    tasks: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        for task in row.categories("task"):
            tasks[task].append(bool(row.correct))
    shares = [sum(right) / len(right) for right in tasks.values()]
    return {"macro_mean": sum(shares) / len(shares) if shares else None}


def _item(task: str, row: Row, files: MediaFiles, home: Path) -> Item:
    source, name = SOURCES[task], text(row, "video")
    found = _video(row, source, files, home)
    options = tuple(option.strip() for option in texts(row, "candidates"))
    question, answer = text(row, "question"), text(row, "answer")
    media = _shown(row, source, found, home)
    part = tuple(str(row.fields.get(end)) for end in ("start", "end"))
    return Item(
        id=f"{task}/{content_id(name, question, *options, answer, *part)}",
        benchmark=NAME,
        subset=task,
        media=(media,),
        question=question,
        options=options,
        # Always a text, which may be a single letter; the first of several that read the same.
        gold=text_letter(answer, options, row.place),
        answer_kind="mc",
        groups={"task": (task,)},
        missing=found.lacking,
        raw=raw(row),
    )


def _video(row: Row, source: Source, files: MediaFiles, home: Path) -> Found:
    """A file or folder of frames by either branch; one of other tasks' videos is not taken."""
    name, place = text(row, "video"), row.place
    whole, cut = _places(source.whole, name), _places(source.cut, name)
    if source.frames:
        found = files.folder(*whole, place=place)
    else:
        found = files.file(*whole, *cut, place=place)
    if source.frames and found.missing:
        segment = files.file(*cut, place=place)
        found = found if segment.missing else segment
    own = {source.whole.split("/")[0], source.cut.split("/")[0]}
    if not found.missing and _folders(found, home) & (_ORIGINS - own):
        return Found(str(home / whole[0]), missing=True)
    return found


def _shown(row: Row, source: Source, found: Found, home: Path) -> MediaRef:
    fps = FRAMES_FPS if source.frames and Path(found.path).is_dir() else None
    if not source.bounded or source.cut.split("/")[-1] in _folders(found, home):
        return MediaRef("video", found.path, fps=fps)
    second = optional_number if found.missing else number
    return MediaRef("video", found.path, second(row, "start"), second(row, "end"), fps)


def _places(folder: str, name: str) -> list[str]:
    """Paths of a video: as the data set has it, unpacked one level deeper, or not moved yet."""
    first = folder.split("/")[0]
    return [
        f"video/{place}/{name}" for place in (folder, f"{first}/{folder}", f"data0613/{folder}")
    ]


def _folders(found: Found, home: Path) -> set[str]:
    return set(os.path.relpath(found.path, home).split("/")[:-1])


MVBENCH = register(
    Benchmark(
        name=NAME,
        dataset=("OpenGVLab/MVBench",),
        items=4000,
        media="video",
        metric="accuracy",
        load=load,
        ask=worded_by_style(_official, _authors),
        layout=LAYOUT,
        system={"official": SYSTEM},
        subsets=("all", *SOURCES),
        splits=("train",),
        figures=figures,
    )
)
