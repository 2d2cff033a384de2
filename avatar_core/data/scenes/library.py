"""Scenes as samples: clips on disk, rendered once, and the rows that training and tests read."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TextIO

from avatar_core.data.scenes.draw import LEVELS, TEMPLATES, Drawn, make_scene
from avatar_core.data.scenes.questions import Question
from avatar_core.data.scenes.render import clip_name, write_clip
from avatar_core.data.scenes.shortcuts import guess, guesses_for
from avatar_core.data.scenes.world import Scene, Split
from avatar_core.errors import DiskError
from avatar_core.files import cache_home, disk_errors
from avatar_core.seeds import rng_from
from avatar_core.types import MediaRef, Sample

_WORTH_A_PROCESS = 100
"""Fewer missing clips than this per worker are rendered sooner than a process has started."""
_BY_NAME = {template.name: template for template in TEMPLATES}


def cache_directory() -> Path:
    """Where clips are kept: `scenes` below `cache_home()`."""
    return cache_home() / "scenes"


def scene_samples(
    *,
    split: Split,
    stage: int,
    count: int,
    seed: int = 0,
    root: Path | None = None,
    start: int = 0,
    workers: int = 2,
    levels: Sequence[float] | None = None,
) -> list[Sample]:
    """The samples of a stretch of indices, with their clips rendered where missing.

    Args:
        split: "train", "validation" or "test"; no scene is in two of them, whatever the seeds.
        stage: 1 visual, 2 audio-visual, 3 localisation, 0 all of them.
        count: number of samples.
        seed: of the collection.
        root: directory that holds `clips`; by default `cache_directory()`.
        start: first index.
        workers: processes that render; small jobs are done in this process.
        levels: weights of the difficulty levels, see `make_scene`; no part of a sample's id, so
            keep them fixed within a run.

    Returns:
        Samples with ids "scenes/<split>/<seed>/<stage>/<index>", the hardest ones with the hint of
        their template if it has one; `extra` holds `level` (1 to 3),
        `answer` (the text taught) and `facts` (`Scene.facts`, for whoever checks a reasoning).

    Raises:
        DiskError: a clip could not be written.
        UsageError: see `make_scene`.
    """
    clips = (cache_directory() if root is None else root) / "clips"
    indices = range(start, start + count)
    drawn = [make_scene(seed, split, index, stage, levels=levels) for index in indices]
    render_missing(clips, [item.scene for item in drawn], workers)
    samples = []
    for index, item in zip(indices, drawn, strict=True):
        identity = f"scenes/{split}/{seed}/{stage}/{index}"
        sample = _sample(identity, item, clips)
        samples.append(_with_shortcuts(sample, item.question) if stage == 0 else sample)
    return samples


def render_missing(clips: Path, scenes: Sequence[Scene], workers: int = 2) -> None:
    """Render those scenes whose clip is not in the directory yet.

    Raises:
        DiskError: a clip could not be written.
    """
    existing = {entry.name for entry in clips.iterdir()} if clips.is_dir() else set()
    missing = list(
        {name: scene for scene in scenes if (name := clip_name(scene)) not in existing}.values()
    )
    processes = min(workers, len(missing) // _WORTH_A_PROCESS)
    if processes < 2:
        for scene in missing:
            write_clip(clips, scene)
    else:
        _render_apart(clips, missing, processes)


def _render_apart(clips: Path, scenes: Sequence[Scene], processes: int) -> None:
    """Share the scenes among processes of `worker`; none outlives this call."""
    shares = [scenes[first::processes] for first in range(processes)]
    with contextlib.ExitStack() as stack, disk_errors(clips):
        workers = [_start_worker(stack, clips, share) for share in shares]
        for worker in workers:
            if worker.process.wait() != 0:
                worker.complaint.seek(0)
                last = worker.complaint.read().strip().rpartition("\n")[2]
                raise DiskError(last or f"{clips}: a rendering process was killed; run again")


class _Worker(NamedTuple):
    """A rendering process and the file that receives what it says on standard error."""

    process: subprocess.Popen[str]
    complaint: TextIO


def _start_worker(stack: contextlib.ExitStack, clips: Path, scenes: Sequence[Scene]) -> _Worker:
    """Start a process on these scenes; the stack ends it and removes its files."""
    # Files instead of pipes: nothing can fill up and block, and no thread has to feed.
    specs = stack.enter_context(tempfile.TemporaryFile("w+"))
    complaint = stack.enter_context(tempfile.TemporaryFile("w+"))
    specs.writelines(json.dumps(scene.spec()) + "\n" for scene in scenes)
    specs.seek(0)
    source = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(  # noqa: S603 - this interpreter, this package
        [sys.executable, "-m", "avatar_core.data.scenes.worker", str(clips)],
        stdin=specs,
        stdout=subprocess.DEVNULL,
        stderr=complaint,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return _Worker(process, complaint)


def _with_shortcuts(sample: Sample, question: Question) -> Sample:
    """The sample with the guesses that its level and template bring beside the careful trace."""
    template = _BY_NAME[question.template]
    rng = rng_from(sample.id, "shortcut")
    count = guesses_for(question)
    return replace(
        sample, responses=(*sample.responses, *(guess(rng, template) for _ in range(count)))
    )


def _sample(identity: str, item: Drawn, clips: Path) -> Sample:
    scene, question = item
    return Sample(
        id=identity,
        question=question.text,
        media=(MediaRef("video", str(clips / clip_name(scene))),),
        solution=question.solution,
        problem_type=question.problem_type,
        options=question.options,
        responses=(question.response,),
        stage=question.stage,
        family=question.template,
        needs=question.needs,
        hint=_BY_NAME[question.template].hint if question.level == max(LEVELS) else None,
        extra={"level": question.level, "answer": question.answer, "facts": scene.facts()},
    )
