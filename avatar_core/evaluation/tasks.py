"""What is put to a model in an evaluation, and how its reply is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.registry import Ask, cluster_of
from avatar_core.evaluation.items import ask_sample, item_of
from avatar_core.evaluation.scoring import Verdict, gold_of, score_item
from avatar_core.types import Content, MediaRef, Sample


class Task(NamedTuple):
    """One question as it is asked."""

    id: str
    """Of the item."""
    content: Content
    """Media and texts of the user turn, in order."""
    gold: str
    """Reference answer, as a person says it."""
    groups: Mapping[str, tuple[str, ...]]
    """Categories by breakdown."""
    missing: tuple[str, ...]
    """Media files that are not there; such a task is not asked."""
    cluster: str
    """What its media are part of; tasks of one cluster are drawn together in intervals."""
    read: Callable[[str, bool], Verdict]
    """Reads a reply; also told whether generation stopped at the length limit."""

    @property
    def asked(self) -> str:
        """Hexadecimal digest of the user turn: its texts, its media by kind, file name and window.

        Folders do not count, so that a data set may be moved.
        """
        told = [part if isinstance(part, str) else _shown(part) for part in self.content]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()


def task_of(item: Item, ask: Ask, style: PromptStyle) -> Task:
    """An item in the wording of a prompt style."""

    def read(text: str, truncated: bool) -> Verdict:
        return score_item(item, text, truncated=truncated)

    return Task(
        item.id,
        ask(item, style),
        gold_of(item),
        item.groups,
        item.missing,
        cluster_of(item),
        read,
    )


def sample_tasks(samples: Sequence[Sample]) -> list[Task]:
    """Training samples as tasks, asked and scored as in training."""
    return [task_of(item_of(sample), ask_sample, "official") for sample in samples]


def _shown(ref: MediaRef) -> list[object]:
    return [ref.kind, Path(ref.path).name, ref.start, ref.end, ref.fps]


def media_of(content: Content) -> tuple[MediaRef, ...]:
    """The media of a user turn, in order."""
    return tuple(part for part in content if not isinstance(part, str))


def clusters_of(tasks: Sequence[Task]) -> dict[str, str]:
    """Cluster of each task by id."""
    return {task.id: task.cluster for task in tasks}
