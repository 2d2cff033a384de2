"""Reading the four scores from what a judge wrote, without guessing."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping

from avatar_core.rewards.judging.rubric import SCORES
from avatar_core.rewards.tags import tail_of

MAX_CHARACTERS = 20_000
"""Replies are limited to a few hundred tokens; anything much longer is none."""

_FLAT_OBJECT = re.compile(r"\{[^{}]*\}")
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_TEXT_SCORE = re.compile(
    rf"\s*(?P<value>{_NUMBER})\s*(?:(?P<percent>%)|/\s*(?P<whole>{_NUMBER}))?\s*"
)


def scores_of(reply: str) -> dict[str, float] | None:
    """The scores that a reply states.

    Reasoning before the last `</think>` is skipped. The object may stand in a fence, among other
    text, below one other key, and be written as in Python (single quotes, a trailing comma).
    A score may be a number or a text ("0.5", "50 %", "5/10") and is clamped to [0, 1]; one that is
    null, not finite or anything else is left out.

    Returns:
        Score by name, in the order of `SCORES`; `None` when there is none, or when the reply holds
        two objects that do not agree.

    >>> scores_of('Sure: {"location_accuracy": "80%", "caption_correctness": 1.2}')
    {'location_accuracy': 0.8, 'caption_correctness': 1.0}
    """
    if len(reply) > MAX_CHARACTERS:
        return None
    found = [scores for one in _objects(tail_of(reply).text) if (scores := _scores(one))]
    return found[0] if found and all(scores == found[0] for scores in found) else None


def _objects(text: str) -> Iterator[Mapping[object, object]]:
    """The outermost JSON objects of a text; where there is none, those written as in Python."""
    decoder = json.JSONDecoder()
    position, any_found = 0, False
    while (position := text.find("{", position)) >= 0:
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        any_found = True
        yield value
    if any_found:
        return
    for match in _FLAT_OBJECT.finditer(text):
        try:
            value = ast.literal_eval(match.group())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        if isinstance(value, dict):
            yield value


def _scores(found: Mapping[object, object]) -> dict[str, float]:
    """The scores of an object, else of the first object below one of its keys."""
    named = {_key(key): _score(value) for key, value in found.items()}
    scores = {name: value for name in SCORES if (value := named.get(name)) is not None}
    inner = (value for value in found.values() if isinstance(value, dict))
    return scores or next((s for value in inner if (s := _flat(value))), {})


def _flat(found: Mapping[object, object]) -> dict[str, float]:
    named = {_key(key): _score(value) for key, value in found.items()}
    return {name: value for name in SCORES if (value := named.get(name)) is not None}


def _key(key: object) -> str:
    return re.sub(r"[^a-z]+", "_", str(key).casefold()).strip("_")


def _score(value: object) -> float | None:
    """A score in [0, 1], or `None` when the value is none."""
    if isinstance(value, str):
        match = _TEXT_SCORE.fullmatch(value)
        if match is None:
            return None
        whole = 100.0 if match["percent"] else float(match["whole"] or 1.0)
        number = float(match["value"]) / whole if whole > 0 else math.nan
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e300 else math.nan
    else:
        return None
    return min(1.0, max(0.0, number)) if math.isfinite(number) else None
