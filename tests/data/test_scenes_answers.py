"""Every question is answered again from the decoded file, sharing no code with the renderer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avatar_core.data.scenes import TEMPLATES, Template, encode_clip, make_scene

PLACES = ("top left", "top right", "bottom left", "bottom right")
STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}
REFERENCE = {
    "red": (230, 30, 30),
    "green": (30, 200, 50),
    "blue": (40, 70, 240),
    "yellow": (240, 220, 30),
}
SCENES_PER_TEMPLATE = 20


@dataclass
class Seen:
    """One object as read from pixels; times 1 to 4, flash 0 for never."""

    colour: str
    shape: str
    position: str
    end: str
    motion: str
    appears: int
    flash: int


@dataclass
class Observation:
    things: list[Seen]
    tones: list[tuple[int, str]]


def decode(path: Path) -> tuple[np.ndarray, np.ndarray]:
    frames: list[np.ndarray] = []
    sound: list[np.ndarray] = []
    with av.open(str(path)) as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                frames.append(frame.to_ndarray(format="rgb24", threads=1))
            else:
                sound.append(frame.to_ndarray()[0])
    return np.stack(frames).astype(float), np.concatenate(sound)


def cell(image: np.ndarray, index: int) -> np.ndarray:
    row, column = divmod(index, 2)
    return image[..., row * 28 : row * 28 + 28, column * 28 : column * 28 + 28]


def end_of(lit: np.ndarray, start: int) -> tuple[int, str]:
    """Where the object of a cell is at the end, and how it got there."""
    if cell(lit[7], start).sum() > 100:
        return start, "still"
    row, column = divmod(start, 2)
    crossings = {}
    for motion, (down, right) in STEPS.items():
        if not (0 <= row + down < 2 and 0 <= column + right < 2):
            continue
        end = (row + down) * 2 + column + right
        if cell(lit[0], end).sum() < 100 < cell(lit[7], end).sum():
            # Half way the object lies across the border between its two cells.
            y, x = 14 + 28 * row + 14 * down, 14 + 28 * column + 14 * right
            crossings[motion] = (lit[3:5, y - 3 : y + 3, x - 3 : x + 3].sum(), end)
    motion = max(crossings, key=lambda name: crossings[name][0])
    return crossings[motion][1], motion


def shape_of(blob: np.ndarray) -> str:
    """By the share of its bounding box that is filled: triangle 0.5, circle π/4, square 1."""
    rows, columns = np.flatnonzero(blob.any(1)), np.flatnonzero(blob.any(0))
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    fill = blob.sum() / box
    return "triangle" if fill < 0.66 else "circle" if fill < 0.89 else "square"


def observe(path: Path) -> Observation:
    frames, sound = decode(path)
    lit, white = frames.max(-1) > 120, frames.min(-1) > 150
    things = []
    for start in range(4):
        still_there = [frame for frame in range(8) if cell(lit[frame], start).sum() > 100]
        arrived = cell(lit[7], start).sum() > 100 and not cell(lit[0], start).sum() > 100
        came_from = [
            other
            for other in range(4)
            if other != start and cell(lit[0], other).sum() > 100 > cell(lit[7], other).sum()
        ]
        if not still_there or (arrived and any(end_of(lit, o)[0] == start for o in came_from)):
            continue
        if not arrived and still_there[0] != 0:
            continue  # somebody only passes by
        end, motion = end_of(lit, start)
        region = np.zeros((56, 56), bool)
        for part in (start, end):
            cell(region, part)[...] = True
        area = (lit[7] & region).sum()
        flashes = [slot for slot in range(4) if (white[2 * slot + 1] & region).sum() > area / 2]
        assert len(flashes) <= 1
        first = still_there[0] // 2
        calm = next(slot for slot in range(first, 4) if slot not in flashes)
        patch = frames[2 * calm + 1][lit[2 * calm + 1] & region].mean(0)
        colour = min(REFERENCE, key=lambda name: np.abs(patch - REFERENCE[name]).sum())
        shape = shape_of(cell(lit[7], end))
        flash = flashes[0] + 1 if flashes else 0
        things.append(Seen(colour, shape, PLACES[start], PLACES[end], motion, first + 1, flash))
    return Observation(things, tones_in(sound))


def tones_in(sound: np.ndarray) -> list[tuple[int, str]]:
    """Bursts of energy with their half second and the pitch of their spectrum's peak."""
    energy = np.sqrt((sound[: 32000 // 320 * 320].reshape(-1, 320) ** 2).mean(1))
    loud = np.concatenate([[False], energy > 0.05, [False]])
    starts = np.flatnonzero(~loud[:-1] & loud[1:])
    ends = np.flatnonzero(loud[:-1] & ~loud[1:])
    tones = []
    for start, end in zip(starts, ends, strict=True):
        burst = sound[start * 320 : end * 320]
        peak = np.abs(np.fft.rfft(burst)).argmax() * 16000 / len(burst)
        assert 400 < peak < 480 or 1650 < peak < 1850, peak
        tones.append((int(start * 320 / 8000) + 1, "high" if peak > 900 else "low"))
    return tones


def only(values: list[str]) -> str:
    assert len(values) == 1, values
    return values[0]


def maker(o: Observation, question: str) -> Seen:
    pitch = re.findall(r"the (high|low) tone", question)[0]
    return next(t for t in o.things for time, heard in o.tones if (t.flash, pitch) == (time, heard))


def order(o: Observation, question: str) -> str:
    flash, (tone, _) = next(t.flash for t in o.things if t.flash), o.tones[0]
    return "before" if tone < flash else "after" if tone > flash else "with"


def together(o: Observation, question: str) -> str:
    return "yes" if order(o, question) == "with" else "no"


def direction(o: Observation, question: str) -> str:
    return only([t.motion for t in o.things if f"the {t.shape} " in question])


def position(o: Observation, question: str) -> str:
    return only([t.position for t in o.things if f"the {t.colour} {t.shape}:" in question])


def flashing_colour(o: Observation, question: str) -> str:
    return only([t.colour for t in o.things if t.flash])


def pairs(things: list[Seen]) -> str:
    return "; ".join(f"{t.position}: {t.colour} {t.shape}" for t in things)


SOLVERS: dict[str, Callable[[Observation, str], str]] = {
    "colour": lambda o, q: only([t.colour for t in o.things if f"the {t.shape}:" in q]),
    "shape": lambda o, q: only([t.shape for t in o.things if f"the {t.colour} object" in q]),
    "position": position,
    "direction": direction,
    "object count": lambda o, q: str(len(o.things)),
    "first": lambda o, q: min(o.things, key=lambda t: t.appears).colour,
    "flash": flashing_colour,
    "tone count": lambda o, q: str(len(o.tones)),
    "pitch": lambda o, q: o.tones[-1 if "last" in q else 0][1],
    "flash pitch": lambda o, q: maker(o, q).colour,
    "together": together,
    "order": order,
    "flash amid tones": flashing_colour,
    "where": lambda o, q: maker(o, q).position,
    "which": lambda o, q: pairs([maker(o, q)]),
    "sounding": lambda o, q: pairs([t for t in o.things if t.flash in dict(o.tones)]),
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_answer_is_what_the_file_shows(template: Template, tmp_path: Path) -> None:
    siblings = [other.name for other in TEMPLATES if other.stage == template.stage]
    levels: Counter[int] = Counter()
    for turn in range(SCENES_PER_TEMPLATE):
        index = turn * len(siblings) + siblings.index(template.name)
        scene, question = make_scene(3, "train", index, template.stage)
        assert question.template == template.name
        path = tmp_path / f"{turn}.mp4"
        path.write_bytes(encode_clip(scene))
        seen = observe(path)

        facts: dict[str, Any] = scene.facts()
        shown = [{**thing, "flash": thing["flash"] or 0} for thing in facts["things"]]
        assert [vars(thing) for thing in seen.things] == shown
        assert seen.tones == [(tone["time"], tone["pitch"]) for tone in facts["tones"]]
        assert SOLVERS[template.name](seen, question.text) == question.answer
        levels[question.level] += 1
    assert levels.total() == SCENES_PER_TEMPLATE
    assert set(levels) == {1, 2, 3}
