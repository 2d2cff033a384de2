"""Drafts of the question templates, several of each level and key, for the tests of templates."""

from __future__ import annotations

import random
from collections.abc import Iterator

from avatar_core.data.scenes.questions import Draft
from avatar_core.data.scenes.questions_audio import AUDIO_VISUAL
from avatar_core.data.scenes.questions_visual import VISUAL

DRAWS = 20
BY_NAME = {template.name: template for template in (*VISUAL, *AUDIO_VISUAL)}
assert len(BY_NAME) == len(VISUAL) + len(AUDIO_VISUAL)


def drafts(name: str) -> Iterator[tuple[int, str, Draft]]:
    """Level, key and draft of a template."""
    rng, template = random.Random(name), BY_NAME[name]
    for level in (1, 2, 3):
        for key in template.keys:
            for _ in range(DRAWS):
                yield level, key, template.draw(rng, level, key)


def expected(name: str) -> int:
    """How many drafts of a template there are."""
    return 3 * len(BY_NAME[name].keys) * DRAWS
