"""One scene and one question from (seed, split, index, stage), and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from avatar_core.data.scenes.questions import Question, Template, pose
from avatar_core.data.scenes.questions_audio import AUDIO_VISUAL
from avatar_core.data.scenes.questions_visual import VISUAL
from avatar_core.data.scenes.questions_where import LOCALISATION
from avatar_core.data.scenes.world import SPLITS, Scene, Split, split_of, vary
from avatar_core.errors import UsageError
from avatar_core.seeds import rng_from

TEMPLATES: tuple[Template, ...] = (*VISUAL, *AUDIO_VISUAL, *LOCALISATION)
COLD_START = (*TEMPLATES, *(template for template in AUDIO_VISUAL if template.name != "pitch"))
"""Templates of stage 0: all, and again those of stage 2 that are learnt late."""
LEVELS = (1, 2, 3)

_EVEN = (1.0, 1.0, 1.0)
_EASY = (0.5, 0.3, 0.2)


class Drawn(NamedTuple):
    """A scene with the question about it."""

    scene: Scene
    question: Question


def make_scene(
    seed: int, split: Split, index: int, stage: int, *, levels: Sequence[float] | None = None
) -> Drawn:
    """Draw one scene and its question.

    Templates take turns with the index, and the answers of a template take turns in shuffled
    rounds, so that any stretch of indices is balanced over both. Scenes are redrawn until their
    facts belong to the split (`split_of`); template, level and answer stay, so that all splits
    are balanced alike.

    Args:
        seed: of the collection.
        split: "train", "validation" or "test".
        index: place in the collection, from 0.
        stage: 1 visual, 2 audio-visual, 3 localisation, 0 all of them (`COLD_START`).
        levels: weights of the levels 1, 2 and 3; by default even, and
            (0.5, 0.3, 0.2) for stage 0.

    Raises:
        UsageError: an unknown split or stage, a negative index, or weights that are not three,
            none negative, with a positive sum.
    """
    weights = tuple(levels) if levels is not None else _EASY if stage == 0 else _EVEN
    _check(split, index, stage, weights)
    templates = COLD_START if stage == 0 else [t for t in TEMPLATES if t.stage == stage]
    template, turn = templates[index % len(templates)], index // len(templates)
    place = ("scenes", seed, split, stage)
    level = rng_from(*place, index, "level").choices(LEVELS, weights)[0]
    keys = list(template.keys)
    rng_from(*place, template.name, turn // len(keys)).shuffle(keys)
    rng = rng_from(*place, index, "scene")
    while True:
        draft = template.draw(rng, level, keys[turn % len(keys)])
        scene = vary(rng, draft.things, draft.tones)
        if split_of(scene) == split:
            return Drawn(scene, pose(template, level, draft))


def _check(split: str, index: int, stage: int, weights: Sequence[float]) -> None:
    if split not in SPLITS:
        raise UsageError(f"scenes have no split {split!r}; choose one of {', '.join(SPLITS)}")
    if stage not in range(4) or index < 0:
        raise UsageError(
            f"no scene at stage {stage}, index {index}; stages are 0 to 3, indices start at 0"
        )
    if len(weights) != len(LEVELS) or min(weights) < 0 or sum(weights) <= 0:
        raise UsageError(
            f"level weights {weights} are not usable; give three, not negative, with a positive sum"
        )
