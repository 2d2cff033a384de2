"""Accuracy of a free-form answer: its ROUGE overlap with the solution."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from avatar_core.rewards.answer import answer_text

_CACHED_TARGETS = 256


def text_overlap(answer: str, target: str) -> float:
    """Mean F of ROUGE-1, ROUGE-2 and ROUGE-L with stemming.

    A measure that `target` has nothing of leaves the mean: a single word has no word pairs, and
    ROUGE-2 would hold its perfect answer at 2/3. 0 when no measure is left.
    """
    measures = overlap_measures(target)
    if not measures:
        return 0.0
    scores = _rouge().score(target, answer)
    return sum(float(scores[name].fmeasure) for name in measures) / len(measures)


@functools.lru_cache(maxsize=_CACHED_TARGETS)
def overlap_measures(target: str) -> tuple[str, ...]:
    """Measures in which a text agrees with itself; none when ROUGE sees no word in it.

    ROUGE's words are of Latin letters and digits: a solution in another script has none.
    """
    scores = _rouge().score(target, target)
    return tuple(name for name, score in scores.items() if score.fmeasure > 0)


def overlap_scorer(solution: str) -> Callable[[str], float] | None:
    """Overlap of the answer's text with the solution's.

    Returns:
        The function that scores one completion; `None` when ROUGE sees no word in the solution.
    """
    gold = answer_text(solution)
    if not overlap_measures(gold):
        return None
    return lambda text: text_overlap(answer_text(text), gold)


@functools.cache
def _rouge() -> Any:
    """The ROUGE scorer, made once."""
    # The metric library takes long to import and most runs never need it.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
