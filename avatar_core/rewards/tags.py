"""Where the reasoning of a completion ends and its answer begins."""

from __future__ import annotations

import re
from typing import NamedTuple

_TAG = re.compile(r"</?(?:think|answer)>", re.IGNORECASE)
_OPEN_THINK = re.compile(r"<think>", re.IGNORECASE)
_CLOSE_THINK = re.compile(r"</think>", re.IGNORECASE)
_OPEN_ANSWER = re.compile(r"<answer>", re.IGNORECASE)
_ANSWER_PAIR = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.IGNORECASE | re.DOTALL)
_CUT_TAG = re.compile(r"</[a-z]{0,6}\Z", re.IGNORECASE)


class Parts(NamedTuple):
    """A completion taken apart."""

    reasoning: str
    """What was thought, without tags; empty when nothing was marked as reasoning."""
    answer: str
    """Content of the answer tags, else what follows the reasoning; empty when that never ended."""
    closed: bool
    """No `<think>` was left open."""


class Tail(NamedTuple):
    """What may hold the answer."""

    text: str
    """What follows the last `</think>`; the whole text when there is none."""
    closed: bool
    """No `<think>` is left open in it."""


class Tagged(NamedTuple):
    """The content of an answer tag and what surrounds it."""

    content: str
    rest: str
    """The text with the tag and its content cut out."""


def tail_of(text: str) -> Tail:
    """Keep what follows the last `</think>`, or everything when there is none."""
    start = 0
    for match in _CLOSE_THINK.finditer(text):
        start = match.end()
    tail = text[start:]
    return Tail(tail, closed=_OPEN_THINK.search(tail) is None)


def tagged_answer(text: str) -> Tagged | None:
    """Content of the last `<answer>` pair, else of an unclosed `<answer>`, else `None`."""
    pairs = list(_ANSWER_PAIR.finditer(text))
    if pairs:
        last = pairs[-1]
        return Tagged(last.group(1), text[: last.start()] + " " + text[last.end() :])
    opened = list(_OPEN_ANSWER.finditer(text))
    if opened:
        last = opened[-1]
        return Tagged(_CUT_TAG.sub("", text[last.end() :]), text[: last.start()])
    return None


def without_tags(text: str) -> str:
    """Replace every think and answer tag by a space and trim the ends."""
    return _TAG.sub(" ", text).strip()


def readings(text: str, *, unclosed: bool = True) -> tuple[str, ...]:
    """Texts that may state the answer, without tags, in the order in which they are to be read.

    The content of the answer tag comes first, then what surrounds it behind the reasoning.

    Args:
        text: a completion.
        unclosed: read a reasoning that never ended as a whole; otherwise only an answer tag in it
            counts.

    >>> readings("<think>A</think>so <answer>B</answer>")
    ('B', 'so')
    """
    tail = tail_of(text)
    tagged = tagged_answer(tail.text)
    places = [] if tagged is None else [tagged.content]
    if tail.closed or unclosed:
        places.append(tail.text if tagged is None else tagged.rest)
    return tuple(place for place in map(without_tags, places) if place)


def split_completion(text: str) -> Parts:
    """Split a completion into reasoning and answer.

    The reasoning ends at the last `</think>`; the answer is the last `<answer>` pair behind it,
    else the tail of an unclosed `<answer>`, else everything behind the reasoning. A `<think>` that
    never closes leaves an answer only when a tag marks one.

    >>> split_completion("<think>two, then one</think><answer>3</answer>")
    Parts(reasoning='two, then one', answer='3', closed=True)
    """
    tail = tail_of(text)
    tagged = tagged_answer(tail.text)
    if tagged is not None:
        answer = tagged.content
    else:
        answer = tail.text if tail.closed else ""
    return Parts(_reasoning(text, tail), without_tags(answer), tail.closed)


def _reasoning(text: str, tail: Tail) -> str:
    """What lies between the first `<think>` (else the start) and the end of the reasoning."""
    opened = _OPEN_THINK.search(text)
    start = opened.end() if opened else 0
    if tail.closed:
        return without_tags(text[start : len(text) - len(tail.text)])
    answer = _OPEN_ANSWER.search(text, max(start, len(text) - len(tail.text)))
    return without_tags(text[start : answer.start() if answer else len(text)])
