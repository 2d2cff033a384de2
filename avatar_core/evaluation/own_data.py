"""A file of one's own samples as a benchmark: the rows that `avatar train --data` takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avatar_core import benchmarks
from avatar_core.benchmarks import Benchmark, Item, Selection
from avatar_core.errors import UsageError
from avatar_core.evaluation.items import ask_sample, item_of
from avatar_core.files import user_path
from avatar_core.training.data import read_part
from avatar_core.types import Sample

SUFFIXES = (".json", ".jsonl")


def benchmark_of(name: str) -> Benchmark:
    """The benchmark of a name, or the file of that name as one.

    Raises:
        UsageError: there is neither.
    """
    path = user_path(name, "NAME")
    if not is_file_name(name):
        if path.is_file() and name not in benchmarks.available():
            raise UsageError(f"{name}: is no .jsonl file; give samples as one JSON object per line")
        return benchmarks.find(name)
    if not path.is_file():
        raise UsageError(f"{name}: no such file; give a benchmark's name or a file of samples")

    def load(root: Path | None, selection: Selection) -> list[Item]:
        part = read_part(path, selection.stage, media_root=root)
        return [_item(sample, name) for sample in part.samples]

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


def _item(sample: Sample, name: str) -> Item:
    """A sample as an item, which is also counted by the type of its problem."""
    item = item_of(sample, name)
    return replace(item, groups={**item.groups, "problem_type": (sample.problem_type,)})
