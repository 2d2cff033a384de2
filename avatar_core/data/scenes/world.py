"""What a scene is: coloured shapes in a 2 x 2 grid over four half-second slots, and their tones.

A scene holds quantised facts only, so that it can be written down, hashed and compared. A slot has
one tone or none. An object *makes* a tone when it flashes in the slot of that tone; nothing else
ties sound to picture.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

Split = Literal["train", "validation", "test"]
Pitch = Literal["high", "low"]
Tones = tuple[Pitch | None, Pitch | None, Pitch | None, Pitch | None]

COLOURS = ("red", "green", "blue", "yellow")
SHAPES = ("circle", "square", "triangle")
POSITIONS = ("top left", "top right", "bottom left", "bottom right")
MOTIONS = ("left", "right", "up", "down", "still")
PITCHES: tuple[Pitch, Pitch] = ("high", "low")
SILENCE: Tones = (None, None, None, None)
SLOTS = 4
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

_STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0), "still": (0, 0)}


def neighbour(cell: int, motion: str) -> int | None:
    """The cell (0 to 3 in reading order) that `motion` leads to; `None` outside the grid."""
    down, right = _STEPS[motion]
    row, column = cell // 2 + down, cell % 2 + right
    return row * 2 + column if 0 <= row < 2 and 0 <= column < 2 else None


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a scene.

    Attributes:
        colour: one of `COLOURS`.
        shape: one of `SHAPES`.
        cell: where it is at the start, 0 to 3 in reading order.
        motion: where it goes over the clip, one of `MOTIONS`.
        appears: slot (0 to 3) from which it is visible.
        flash: slot (0 to 3) in which it is white; `None` when it never flashes.
        shift: displacement of its centre in pixels (right, down).
        size: height and width in pixels.
    """

    colour: str
    shape: str
    cell: int
    motion: str = "still"
    appears: int = 0
    flash: int | None = None
    shift: tuple[int, int] = (0, 0)
    size: int = 24

    @property
    def name(self) -> str:
        """Colour and shape, as in "red circle"."""
        return f"{self.colour} {self.shape}"

    @property
    def position(self) -> str:
        """Name of the cell it starts in."""
        return POSITIONS[self.cell]

    @property
    def end_cell(self) -> int:
        """The cell it ends in; its own when it stands still."""
        end = neighbour(self.cell, self.motion)
        return self.cell if end is None else end


@dataclass(frozen=True, slots=True)
class Scene:
    """The facts of one clip, and the small quantised variations in which equal facts may be shown.

    Attributes:
        things: objects in reading order of their start cells; no two ever share a cell.
        tones: pitch of the tone in each half-second slot, or `None`.
        background: grey level of the picture's ground.
        tuning: deviation of every tone from its nominal frequency, in percent.
        delay_ms: time from the start of a slot to the start of its tone.
        loudness: peak amplitude of a tone in percent of full scale.
    """

    things: tuple[Thing, ...]
    tones: Tones
    background: int = 24
    tuning: int = 0
    delay_ms: int = 120
    loudness: int = 40

    def spec(self) -> dict[str, object]:
        """Everything a renderer needs, as a JSON document."""
        return {
            **asdict(self),
            "things": [_thing_spec(thing) for thing in self.things],
            "tones": list(self.tones),
        }

    def facts(self) -> dict[str, object]:
        """What a careful observer could report, with times 1 to 4, as a JSON document."""
        things = [_thing_facts(thing) for thing in self.things]
        tones = [
            {"time": slot + 1, "pitch": pitch} for slot, pitch in enumerate(self.tones) if pitch
        ]
        return {"things": things, "tones": tones}


def _thing_spec(thing: Thing) -> dict[str, object]:
    return {**asdict(thing), "shift": list(thing.shift)}


def _thing_facts(thing: Thing) -> dict[str, object]:
    return {
        "colour": thing.colour,
        "shape": thing.shape,
        "position": thing.position,
        "end": POSITIONS[thing.end_cell],
        "motion": thing.motion,
        "appears": thing.appears + 1,
        "flash": None if thing.flash is None else thing.flash + 1,
    }


def scene_from_spec(spec: dict[str, object]) -> Scene:
    """The scene that `Scene.spec` wrote down."""
    fields: dict[str, object] = dict(spec)
    things: list[dict[str, object]] = fields.pop("things")  # type: ignore[assignment]
    tones: list[Pitch | None] = fields.pop("tones")  # type: ignore[assignment]
    built = tuple(Thing(**{**thing, "shift": tuple(thing["shift"])}) for thing in things)  # type: ignore[arg-type]
    return Scene(built, tuple(tones), **fields)  # type: ignore[arg-type]


def document_hash(document: object) -> str:
    """BLAKE2b (128 bits, hexadecimal) of a JSON document, independent of the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def split_of(scene: Scene) -> Split:
    """The one split a scene may appear in: 80 % train, 10 % validation, 10 % test.

    It hangs on the facts alone, so scenes that differ only in jitter, brightness or tuning share
    their split.
    """
    bucket = int(document_hash(scene.facts())[:8], 16) % 10
    return "test" if bucket == 0 else "validation" if bucket == 1 else "train"


def vary(rng: random.Random, things: Sequence[Thing], tones: Tones) -> Scene:
    """A scene of these facts with drawn jitter, brightness, tuning, delay and loudness."""
    jittered = [
        replace(
            thing, shift=(rng.randint(-1, 1), rng.randint(-1, 1)), size=rng.choice((22, 24, 26))
        )
        for thing in sorted(things, key=lambda thing: thing.cell)
    ]
    return Scene(
        things=tuple(jittered),
        tones=tones,
        background=rng.choice((12, 20, 28, 36)),
        tuning=rng.randint(-2, 2),
        delay_ms=rng.choice((80, 120, 160)),
        loudness=rng.choice((30, 40, 50)),
    )
