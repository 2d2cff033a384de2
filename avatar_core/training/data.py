"""Which samples a run trains on and which it is measured on; a clip is never in both."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from avatar_core.config.train import TrainConfig
from avatar_core.data.given_hints import Hint, read_hints, with_hints
from avatar_core.data.samples import read_placed
from avatar_core.data.scenes import scene_samples
from avatar_core.errors import DataError, UsageError
from avatar_core.files import user_path
from avatar_core.types import MediaRef, Sample

SCENES = "scenes"
SCENES_SEED = 0
"""Scenes are one fixed collection, so that runs with different seeds share clips and test set."""
_CONTROL_TOKEN = re.compile(r"<\|\w+\|>")
"""The form of every control token of the model family; no model is loaded to learn their names."""


class Part(NamedTuple):
    """Samples from one source, those that are trained on or those that are held out."""

    samples: list[Sample]
    """In file order."""
    places: Mapping[str, str]
    """Where each stands, as `file:line` by id; empty for scenes."""
    left_out: Mapping[str, int]
    """Number of rows that belong to other stages, by file, where there are any."""


class Data(NamedTuple):
    """The samples of a run."""

    training: dict[str, Sample]
    """By id, in file order."""
    held_out: list[Sample]
    """What the run is measured on; empty when it is not."""
    places: Mapping[str, str]
    """Where each comes from, as `file:line` by id; scenes come from no file."""
    left_out: Mapping[str, int]
    """Number of rows that belong to other stages, by file."""
    notes: tuple[str, ...] = ()
    """What a user should be told and need not mend."""


def load_data(config: TrainConfig, *, render: bool = True) -> Data:
    """The samples of a run.

    Args:
        config: names the data, the stage and how many samples.
        render: make the clips of scenes where missing; else scenes are left out altogether, and
            nothing is written.

    Raises:
        DataError: a row of data or hints is not usable or holds a control token, none belongs to
            the stage, stage 0 finds a sample without a trace, or a clip is both trained on and
            held out.
        UsageError: a file of data or hints is missing.
    """
    hints = hints_of(config)
    training, held_out = training_part(config, render), held_out_part(config, render)
    ids, seen = {sample.id for sample in training.samples}, _paths(training.samples)
    for sample in held_out.samples:
        if sample.id in ids or seen & _paths([sample]):
            raise DataError(
                f"{config.held_out.data}: sample {sample.id!r} or its clip is also in "
                f"{config.data}; hold out other clips"
            )
    return Data(
        training={sample.id: sample for sample in with_hints(training.samples, hints)},
        held_out=held_out.samples,
        places={**training.places, **held_out.places},
        left_out={**training.left_out, **held_out.left_out},
        notes=_unmatched(hints, ids, config),
    )


def hinted(samples: list[Sample], config: TrainConfig) -> list[Sample]:
    """Training samples with the hints of `hints.file`, if one is given.

    Raises:
        UsageError: the file is missing.
        DataError: it is not one of hints, or a hint holds a control token.
    """
    return with_hints(samples, hints_of(config))


def hints_of(config: TrainConfig) -> list[Hint]:
    """The rows of `hints.file`, whichever samples they are for; none when no file is given.

    Raises:
        UsageError: the file is missing.
        DataError: it is not one of hints, or a hint holds a control token.
    """
    if config.hints.file is None:
        return []
    path = data_file(config.hints.file, "hints.file", "name a file of hints")
    hints = read_hints(path)
    for row in hints:
        _refuse_in("hint", (row.hint or "",), f"{path}: sample {row.id!r}")
    return hints


def training_part(config: TrainConfig, render: bool) -> Part:
    """What is trained on, at most `rollout.pool` samples; see `load_data`."""
    if config.data == SCENES:
        return _scenes("train", config, config.rollout.pool if render else 0)
    part = read_part(data_file(config.data, "--data"), config.stage, config.rollout.pool)
    for sample in part.samples if config.stage == 0 else ():
        if not sample.responses:
            raise DataError(
                f"{part.places[sample.id]}: sample {sample.id!r} has no response; "
                "stage 0 trains on reasoning traces"
            )
    return part


def held_out_part(config: TrainConfig, render: bool) -> Part:
    """What a run is measured on; empty when there is nothing; see `load_data`."""
    wanted = config.held_out.samples
    if config.held_out.data:
        file = data_file(config.held_out.data, "held_out.data")
        return read_part(file, config.stage, wanted)
    return _scenes("test", config, wanted if render and config.data == SCENES else 0)


def read_part(
    path: Path, stage: int | None, count: int | None = None, *, media_root: Path | None = None
) -> Part:
    """The samples of a file that belong to a stage, checked.

    A row that names a stage belongs to that one alone, any other row to every stage.

    Args:
        path: JSON Lines, or a JSON file that holds an array.
        stage: of training; `None` takes every row.
        count: how many of them, the first; `None` for all.
        media_root: directory that every media path must lie in; `None` for the file's own.

    Raises:
        DataError: no row belongs to the stage, or a text of one holds a control token; see also
            `read_placed`.
    """
    every = read_placed(path, media_root=media_root)
    own = [placed for placed in every if stage is None or placed.sample.stage in (None, stage)]
    if not own:
        raise DataError(
            f"{path}: every row names another stage than {stage}; "
            "give another --stage, or rows that name this one or none"
        )
    used, others = own[:count], len(every) - len(own)
    for sample, place in used:
        refuse_control_tokens(sample, place)
    return Part(
        samples=[sample for sample, _ in used],
        places={sample.id: place for sample, place in used},
        left_out={str(path): others} if others else {},
    )


def refuse_control_tokens(sample: Sample, place: str) -> None:
    """Raise `DataError` when a text that the model is to read or learn holds a control token.

    The tokenizer would take it for the token itself: an end of turn inside a trace teaches the
    model to stop there, a media token asks for a clip that is not there.
    """
    texts = {
        "question": (sample.question,),
        "options": sample.options,
        "response": sample.responses,
        "hint": (sample.hint or "",),
    }
    for name, values in texts.items():
        _refuse_in(name, values, place)


def data_file(name: str, setting: str, remedy: str = "give a JSONL file or `scenes`") -> Path:
    """The path of a data file; `UsageError` naming the setting when it is not there."""
    path = user_path(name, setting)
    if not path.is_file():
        raise UsageError(f"{setting} {name}: no such file; {remedy}")
    return path


def data_digest(samples: Iterable[Sample]) -> str:
    """Digest of training samples in order: all that a run reads of them.

    Media count by kind, file name, window and frame rate, so that a data set may move to another
    folder.
    """
    digest = hashlib.blake2b(digest_size=16)
    for sample in samples:
        hints = [sample.hint] if sample.hint else []
        told = [
            sample.id,
            sample.question,
            sample.options,
            sample.solution,
            sample.responses,
            *hints,
            sample.problem_type,
            sample.extra,
            [_told_of(ref) for ref in sample.media],
        ]
        digest.update(json.dumps(told, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _told_of(ref: MediaRef) -> list[object]:
    """What a run reads of one medium; a frame rate that is not given leaves earlier digests."""
    rate = [] if ref.fps is None else [ref.fps]
    return [ref.kind, Path(ref.path).name, ref.start, ref.end, *rate]


def _scenes(split: Literal["train", "test"], config: TrainConfig, count: int) -> Part:
    found = scene_samples(split=split, stage=config.stage, count=count, seed=SCENES_SEED)
    return Part(found, {}, {})


def _unmatched(hints: list[Hint], ids: set[str], config: TrainConfig) -> tuple[str, ...]:
    """A note when no hint is for a sample; one file may serve several stages, so no error."""
    if not hints or not ids or ids & {row.id for row in hints}:
        return ()
    return (f"none of the {len(hints)} hints of {config.hints.file} is for a sample of this run",)


def _refuse_in(name: str, values: Iterable[str], place: str) -> None:
    if found := _CONTROL_TOKEN.search("\n".join(values)):
        raise DataError(f"{place}: {name} holds the control token {found[0]}; remove it")


def _paths(samples: Iterable[Sample]) -> set[str]:
    return {ref.path for sample in samples for ref in sample.media}
