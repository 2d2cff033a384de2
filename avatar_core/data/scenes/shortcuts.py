"""Traces that answer without looking, as cold-start data hold them beside careful ones.

A teacher that finds a clip too crowded guesses from the question. Supervised training on such a
mixture leaves a policy that looks at simple scenes and guesses at crowded ones; that looking pays is
for reinforcement to find.
"""

from __future__ import annotations

import random

from avatar_core.data.scenes.questions import Template
from avatar_core.data.scenes.world import COLOURS, POSITIONS, SHAPES

GUESSES = (0.0, 0.55, 0.55)
"""Share of the traces of levels 1, 2 and 3 that guess, in the supervised stage."""


def guess(rng: random.Random, template: Template) -> str:
    """A trace whose answer is drawn from the question's choices, whatever the scene shows."""
    if template.problem_type == "localisation":
        answer = f"{rng.choice(POSITIONS)}: {rng.choice(COLOURS)} {rng.choice(SHAPES)}"
    else:
        answer = rng.choice(template.keys)
    return f"<think>I guess.</think><answer>{answer}</answer>"
