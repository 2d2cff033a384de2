"""What a reasoning trace about a scene claims, and what the scene's facts make true.

A claim is a tuple of words:

- ("object", position, name): an object is where the trace says it starts;
- ("flash", name, time), ("appears", name, time), ("end", name, position): details of it;
- ("tone", pitch, time) and ("silence",): what is heard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Claim = tuple[str, ...]

_PLACE = r"(?:top|bottom) (?:left|right)"
_SEEN = re.compile(
    rf"\b(?P<place>{_PLACE}) (?:an?|the) (?P<name>[a-z]+ [a-z]+)\b"
    rf"(?: flash at (?P<flash>[0-9]+)| from (?P<appears>[0-9]+)"
    rf"| going to (?P<end>{_PLACE})|(?P<still> staying))?"
)
_HEARD = re.compile(r"\b(high|low) at ([0-9]+)\b")
_NOTHING = re.compile(r"\bhear nothing\b")
_CONCLUSION = re.compile(r"(?:so|thus|therefore)\b")
_SENTENCE_END = re.compile(r"[.!?\n]+")


class Trace(NamedTuple):
    """A reasoning trace taken apart, in lower case; a claim made twice is there twice."""

    seen: list[Claim]
    """Claims about objects."""
    heard: list[Claim]
    """Claims about tones."""
    conclusion: str
    """The last sentence when it draws a conclusion ("So …"), else empty."""


class Truth(NamedTuple):
    """What is so in a scene."""

    objects: frozenset[Claim]
    """Where each object starts."""
    flashes: frozenset[Claim]
    """When each flash happens."""
    others: frozenset[Claim]
    """When each object appears and where it ends."""
    tones: frozenset[Claim]
    """The tones, or that there is silence."""


def read_trace(reasoning: str) -> Trace:
    """Take a trace apart.

    >>> read_trace("I see top left a red circle flash at 2. I hear low at 2. So it is red.").heard
    [('tone', 'low', '2')]
    """
    text = " ".join(reasoning.casefold().split(" "))
    sentences = [piece.strip() for piece in _SENTENCE_END.split(text) if piece.strip()]
    concludes = bool(sentences) and _CONCLUSION.match(sentences[-1]) is not None
    conclusion = sentences.pop() if concludes else ""
    claimed = ". ".join(sentences)
    seen = [claim for match in _SEEN.finditer(claimed) for claim in _object_claims(match)]
    heard: list[Claim] = []
    heard.extend(("tone", match[1], match[2]) for match in _HEARD.finditer(claimed))
    heard.extend(("silence",) for _ in _NOTHING.finditer(claimed))
    return Trace(seen, heard, conclusion)


def _object_claims(match: re.Match[str]) -> list[Claim]:
    """The claim that an object is somewhere, and the detail that follows it."""
    place, name = match["place"], match["name"]
    details = {kind: match[kind] for kind in ("flash", "appears", "end") if match[kind]}
    if match["still"]:
        details["end"] = place
    return [("object", place, name), *((kind, name, value) for kind, value in details.items())]


def truth_of(facts: Mapping[str, Any]) -> Truth:
    """The claims that a scene's facts make true, as `extra["facts"]` of a sample holds them."""
    things = [(f"{thing['colour']} {thing['shape']}", thing) for thing in facts["things"]]
    tones: set[Claim] = {("tone", tone["pitch"], str(tone["time"])) for tone in facts["tones"]}
    return Truth(
        objects=frozenset(("object", thing["position"], name) for name, thing in things),
        flashes=frozenset(
            ("flash", name, str(thing["flash"])) for name, thing in things if thing["flash"]
        ),
        others=frozenset(
            claim
            for name, thing in things
            for claim in (("appears", name, str(thing["appears"])), ("end", name, thing["end"]))
        ),
        tones=frozenset(tones or {("silence",)}),
    )


def agreement(
    claimed: Sequence[Claim], wanted: frozenset[Claim], allowed: frozenset[Claim] = frozenset()
) -> float:
    """F1 = 2 P R / (P + R) of claims; a claim made again counts as a wrong one.

    Args:
        claimed: what a trace says, in any order.
        wanted: what it has to say; what the recall R is over.
        allowed: what it may say as well without loss of precision P.

    Returns:
        A number in [0, 1]: 1 when nothing is wanted and nothing claimed, 0 when one of the two is.
    """
    if not claimed or not wanted:
        return float(not claimed and not wanted)
    said = set(claimed)
    precision = len(said & (wanted | allowed)) / len(claimed)
    recall = len(said & wanted) / len(wanted)
    return 2 * precision * recall / (precision + recall) if recall else 0.0


def places_in(text: str) -> list[Claim]:
    """The positions that a text names, as claims."""
    return [("place", place) for place in re.findall(rf"\b{_PLACE}\b", text.casefold())]
