"""Traces that answer without looking, as cold-start data hold them beside careful ones.

On a crowded clip some teachers guess from the question. Supervised training on such a mixture
leaves a policy that looks at simple scenes and guesses at crowded ones; that looking pays is for
reinforcement to find.
"""

from __future__ import annotations

import random

from avatar_core.data.scenes.questions import Question, Template

GUESSES = 3
"""Guesses beside the one careful trace of a crowded visual scene, in the supervised stage."""
CROWDED = 2
"""Level from which on a scene is crowded."""


def guesses_for(question: Question) -> int:
    """How many guesses the traces of a question hold."""
    return GUESSES if question.stage == 1 and question.level >= CROWDED else 0


def guess(rng: random.Random, template: Template) -> str:
    """A trace whose answer is drawn from the question's choices, whatever the scene shows."""
    return f"<think>I guess.</think><answer>{rng.choice(template.keys)}</answer>"
