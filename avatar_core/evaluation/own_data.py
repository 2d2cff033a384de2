"""A file of one's own samples as a benchmark: the rows that `avatar train --data` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from avatar_core import benchmarks
from avatar_core.benchmarks import Benchmark, Item, Selection
from avatar_core.data.samples import read_placed
from avatar_core.errors import DataError, UsageError
from avatar_core.evaluation.items import ask_sample, item_of
from avatar_core.files import user_path
from avatar_core.training.data import refuse_control_tokens
from avatar_core.types import Sample

SUFFIXES = (".json", ".jsonl")


def benchmark_of(name: str) -> Benchmark:
    """The benchmark of a name, or the file of that name as one.

    Raises:
        UsageError: there is neither.
    """
    if not is_file_name(name):
        return benchmarks.find(name)
    path = user_path(name, "NAME")
    if not path.is_file():
        raise UsageError(f"{name}: no such file; give a benchmark's name or a file of samples")

    def load(root: Path | None, selection: Selection) -> list[Item]:
        samples = own_samples(path, selection.stage, media_root=root)
        return [_item(sample, name) for sample in samples]

    return Benchmark(
        name=name,
        dataset=(name,),
        items=None,
        media="as its rows say",
        metric="accuracy",
        load=load,
        ask=ask_sample,
        layout="one JSON object per line, as docs/data_formats.md says",
        styles=("official",),
        embedded=True,
    )


def is_file_name(name: str) -> bool:
    """Whether a name is that of a file of samples; no benchmark is called like one."""
    return Path(name).suffix.lower() in SUFFIXES


def own_samples(
    path: Path, stage: int | None, *, media_root: Path | None = None
) -> Sequence[Sample]:
    """All samples of a file, or those of one stage: rows that name it or none.

    Args:
        path: JSON Lines, or a JSON file that holds an array.
        stage: of training; `None` for all rows.
        media_root: directory that every media path must lie in; `None` for the file's own.

    Raises:
        DataError: a row is unsound or holds a control token, or none belongs to the stage; names
            file and line.
    """
    found = [
        placed
        for placed in read_placed(path, media_root=media_root)
        if stage is None or placed.sample.stage in (None, stage)
    ]
    if not found:
        raise DataError(f"{path}: every row names another stage than {stage}; leave --stage out")
    for sample, place in found:
        refuse_control_tokens(sample, place)
    return [placed.sample for placed in found]


def _item(sample: Sample, name: str) -> Item:
    """A sample as an item, which is also counted by the type of its problem."""
    item = item_of(sample, name)
    return replace(item, groups={**item.groups, "problem_type": (sample.problem_type,)})
