"""The single fields of a row: their types, their values, and the nearest name for a wrong one."""

from __future__ import annotations

import re
from typing import get_args

from avatar_core.errors import DataError
from avatar_core.naming import nearest
from avatar_core.types import ProblemType

PROBLEM_TYPES: tuple[ProblemType, ...] = get_args(ProblemType)
STAGES = range(4)
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.IGNORECASE | re.DOTALL)
_THINK = re.compile(r"<think>(.*)</think>", re.IGNORECASE | re.DOTALL)


def problem_type_of(given: object) -> ProblemType:
    """A problem type, in any case, with blanks, hyphens or underscores in it."""
    if given is None:
        raise DataError(f"problem_type is missing; give one of {', '.join(PROBLEM_TYPES)}")
    if not isinstance(given, str):
        raise DataError(f"problem_type must be text, found {type(given).__name__}")
    name = given if given in _BY_WORDS else _words(given)
    if name not in _BY_WORDS:
        near = nearest(given[:60], list(PROBLEM_TYPES))
        raise DataError(f"unknown problem_type {given[:60]!r}{near}")
    return _BY_WORDS[name]


def solution_of(given: object) -> str:
    """A reference answer, without the answer tags it may be wrapped in."""
    if given is None:
        raise DataError("solution is missing; give the right answer")
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise DataError(f"solution must be text or a number, found {type(given).__name__}")
    tagged = _ANSWER.findall(given) if isinstance(given, str) else []
    solution = str(tagged[-1] if tagged else given).strip()
    if not solution:
        raise DataError("solution is empty; give the right answer")
    return solution


def stage_of(given: object) -> int | None:
    """A training stage, 0 to 3, or `None`."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or given not in STAGES:
        raise DataError(f"stage {str(given)[:60]!r} does not exist; give 0, 1, 2 or 3")
    return given


def optional_text(given: object, name: str) -> str | None:
    """A text without white space around it; blank counts as absent."""
    if given is not None and not isinstance(given, str):
        raise DataError(f"{name} must be text, found {type(given).__name__}")
    return given.strip() or None if given else None


def check_cues(given: object) -> None:
    """Raise `DataError` unless audio captions are a text, a list of texts or absent."""
    texts = given if isinstance(given, list) else [given]
    if given is not None and not all(isinstance(text, str) for text in texts):
        raise DataError("audio_cues must be a text or a list of texts")


def trace_of(reasoning: object, answer: str) -> str | None:
    """The reply that reasons as given and then answers; `None` without reasoning."""
    thought = optional_text(reasoning, "process")
    if thought and (tagged := _THINK.fullmatch(thought)):
        thought = tagged[1].strip()
    return f"<think>{thought}</think><answer>{answer}</answer>" if thought else None


def id_of(given: object) -> str | None:
    """An id as text; `None` when none is given."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, str | int) or not str(given).strip():
        raise DataError(
            f"id {str(given)[:60]!r} must be text or a whole number; leave it out for a default"
        )
    return str(given)


def _words(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.strip().casefold()))


_BY_WORDS: dict[str, ProblemType] = {_words(name): name for name in PROBLEM_TYPES}
