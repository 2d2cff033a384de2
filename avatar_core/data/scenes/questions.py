"""What a question template is, and the phrases of its reasoning trace."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from avatar_core.data.scenes.world import POSITIONS, Thing, Tones
from avatar_core.types import ProblemType

Need = Literal["frames", "sound"]

FRAMES: frozenset[Need] = frozenset({"frames"})
SOUND: frozenset[Need] = frozenset({"sound"})
BOTH: frozenset[Need] = frozenset({"frames", "sound"})


class Draft(NamedTuple):
    """One draw of a template.

    Attributes:
        things: the objects, not yet jittered, in any order.
        tones: the sound track.
        stem: the question without its choices and question mark.
        answer: the right answer as text.
        thought: the reasoning, as sentences.
    """

    things: Sequence[Thing]
    tones: Tones
    stem: str
    answer: str
    thought: str


@dataclass(frozen=True, slots=True)
class Template:
    """A family of questions.

    Attributes:
        name: the family's name in breakdowns.
        stage: training stage that asks it, 1 to 3.
        needs: modalities without which it cannot be answered.
        problem_type: how its answers are scored.
        keys: what draws are balanced over; the choices of a question with choices.
        draw: (generator, level 1 to 3, key) -> a draft whose answer belongs to the key.
        hint: a suggestion for its hardest questions that names no answer; `None` when it has none.
    """

    name: str
    stage: int
    needs: frozenset[Need]
    problem_type: ProblemType
    keys: tuple[str, ...]
    draw: Callable[[random.Random, int, str], Draft]
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one scene.

    Attributes:
        template: name of its template.
        stage: training stage of the template, 1 to 3.
        level: difficulty, 1 to 3.
        needs: modalities without which it cannot be answered.
        problem_type: how an answer is scored.
        text: the question, choices included.
        options: option texts of a multiple-choice question.
        answer: the right answer as text.
        solution: the right letter of a multiple-choice question, else the answer.
        response: reasoning trace and answer in their tags.
    """

    template: str
    stage: int
    level: int
    needs: frozenset[Need]
    problem_type: ProblemType
    text: str
    options: tuple[str, ...]
    answer: str
    solution: str
    response: str


def pose(template: Template, level: int, draft: Draft) -> Question:
    """Put a draft into words: choices behind the stem, the answer's letter, the tagged response."""
    closed = template.problem_type in ("multiple choice", "numerical")
    options = template.keys if template.problem_type == "multiple choice" else ()
    return Question(
        template=template.name,
        stage=template.stage,
        level=level,
        needs=template.needs,
        problem_type=template.problem_type,
        text=f"{draft.stem}: {either(template.keys)}?" if closed else draft.stem,
        options=options,
        answer=draft.answer,
        solution="ABCDEFGH"[options.index(draft.answer)] if options else draft.answer,
        response=f"<think>{draft.thought}</think><answer>{draft.answer}</answer>",
    )


def either(choices: Sequence[str]) -> str:
    """The choices as a list: "red, green or blue"."""
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def reading_order(things: Iterable[Thing]) -> list[Thing]:
    """Objects sorted by the cell they start in."""
    return sorted(things, key=lambda thing: thing.cell)


def seen(things: Iterable[Thing], detail: Callable[[Thing], str] = lambda thing: "") -> str:
    """The sentence that lists what is visible: position first, then object, then a detail of it."""
    parts = [f"{thing.position} a {thing.name}{detail(thing)}" for thing in reading_order(things)]
    return f"I see {', '.join(parts)}."


def flashing(thing: Thing) -> str:
    """The detail of `seen` that says when an object flashes."""
    return "" if thing.flash is None else f" flash at {thing.flash + 1}"


def heard(tones: Tones) -> str:
    """The sentence that lists the tones with their times, 1 to 4."""
    return f"I hear {told(tones) or 'nothing'}."


def told(tones: Tones) -> str:
    """The tones with their times, 1 to 4, as a list in words."""
    return ", ".join(f"{pitch} at {slot + 1}" for slot, pitch in enumerate(tones) if pitch)


def perceived(things: Iterable[Thing], tones: Tones) -> str:
    """The sentences that list the flashes among the objects, and the tones."""
    return f"{seen(things, flashing)} {heard(tones)}"


def placed(thing: Thing) -> str:
    """An object with its position, as a localisation answer writes it."""
    return f"{POSITIONS[thing.cell]}: {thing.name}"
