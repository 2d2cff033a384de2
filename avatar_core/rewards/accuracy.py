"""The accuracy reward: how well the stated answer agrees with the sample's solution.

An answer that cannot be read scores 0, which is the model's failure; `None` means the sample has no
usable solution, so that nothing can be said about the model.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

from avatar_core.errors import UsageError
from avatar_core.rewards.answer import (
    answer_text,
    extract_letter,
    extract_number,
    extract_pairs,
    split_completion,
)
from avatar_core.rewards.registry import register
from avatar_core.types import Sample

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RELATIVE_TOLERANCE = 1e-3
_ABSOLUTE_TOLERANCE = 1e-5

Scorer = Callable[[str], float]


@register("accuracy")
def accuracy_reward(
    texts: Sequence[str], sample: Sample, *, numeric: Literal["dense", "strict"] = "dense"
) -> list[float | None]:
    """Score each completion's answer by the sample's problem type.

    Args:
        texts: completions of one group.
        sample: its `problem_type`, `solution` and `options` are used.
        numeric: how numbers are compared, see `numeric_agreement`.

    Returns:
        One value in [0, 1] per completion; all `None` when the solution cannot be scored against.

    Raises:
        UsageError: unknown `numeric`.
    """
    if numeric not in ("dense", "strict"):
        raise UsageError(f"accuracy reward: numeric={numeric!r}; choose 'dense' or 'strict'")
    scorer = _scorer(sample, strict=numeric == "strict")
    return [None if scorer is None else scorer(text) for text in texts]


def numeric_agreement(answer: float, target: float, *, strict: bool = False) -> float:
    """Agreement of two numbers in [0, 1].

    Dense: 1 − min(1, |ŷ − y| / |y|), and 1 − min(1, |ŷ|) for y = 0. Strict: 1 when the relative
    error is below 10⁻³ (the absolute error below 10⁻⁵ where |y| < 10⁻⁵), else 0.
    """
    error = abs(answer - target)
    if strict:
        small = abs(target) < _ABSOLUTE_TOLERANCE
        limit = _ABSOLUTE_TOLERANCE if small else _RELATIVE_TOLERANCE * abs(target)
        return float(error < limit)
    return 1.0 - min(1.0, error / abs(target) if target else error)


def pair_f1(answer: frozenset[tuple[str, str]], target: frozenset[tuple[str, str]]) -> float:
    """F1 = 2 |P ∩ G| / (|P| + |G|) of two sets of normalised pairs, of which one is not empty."""
    return 2 * len(answer & target) / (len(answer) + len(target))


def word_agreement(answer: str, target: str) -> float:
    """1 − min(1, word error rate), in lower case; `target` holds at least one word."""
    # The metric libraries take seconds to import and most runs never need them.
    import jiwer

    rate = jiwer.wer(" ".join(target.lower().split()), " ".join(answer.lower().split()))
    return 1.0 - min(1.0, float(rate))


def text_overlap(answer: str, target: str) -> float:
    """Mean F of ROUGE-1, ROUGE-2 and ROUGE-L with stemming."""
    scores = _rouge().score(target, answer)
    return float(sum(score.fmeasure for score in scores.values()) / len(scores))


@functools.cache
def _rouge() -> Any:
    """The ROUGE scorer, made once."""
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)


def _scorer(sample: Sample, *, strict: bool) -> Scorer | None:
    """The function that scores one completion of a sample; `None` when its solution is unusable."""
    match sample.problem_type:
        case "multiple choice":
            return _choice(sample)
        case "numerical" | "regression":
            return _number(sample, strict=strict)
        case "localisation":
            return _pairs(sample)
        case "ocr":
            return _words(sample, word_agreement)
        case "free-form":
            return _words(sample, text_overlap)


def _choice(sample: Sample) -> Scorer | None:
    """1 when the stated option is the solution's, which may be a letter or an option text."""
    letters = _valid_letters(sample)
    gold = extract_letter(sample.solution, letters, sample.options)
    if gold is None:
        return None

    def score(text: str) -> float:
        parts = split_completion(text)
        # The parser reads a reasoning that never ended, but a letter in it is no answer.
        if not parts.closed and not parts.answer:
            return 0.0
        return float(extract_letter(text, letters, sample.options) == gold)

    return score


def _valid_letters(sample: Sample) -> str:
    """Letters of the options; without options A to D, or on to a later letter of the solution."""
    if sample.options:
        return _ALPHABET[: len(sample.options)]
    gold = extract_letter(sample.solution, _ALPHABET)
    return _ALPHABET[: max(4, _ALPHABET.index(gold) + 1 if gold else 0)]


def _number(sample: Sample, *, strict: bool) -> Scorer | None:
    """Agreement of the stated number with the solution's."""
    gold = extract_number(sample.solution)
    if gold is None:
        return None

    def score(text: str) -> float:
        answer = extract_number(text)
        return 0.0 if answer is None else numeric_agreement(answer, gold, strict=strict)

    return score


def _pairs(sample: Sample) -> Scorer | None:
    """F1 of the stated pairs against the solution's."""
    gold = extract_pairs(sample.solution)
    if gold is None:
        return None
    return lambda text: pair_f1(extract_pairs(text) or frozenset(), gold)


def _words(sample: Sample, agreement: Callable[[str, str], float]) -> Scorer | None:
    """Agreement of the answer's text with the solution's."""
    gold = answer_text(sample.solution)
    if not gold.split():
        return None
    return lambda text: agreement(answer_text(text), gold)
