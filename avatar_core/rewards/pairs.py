"""Reading `position: object` pairs, the answers of sound localisation."""

from __future__ import annotations

import re

_EDGE = " \t\r\n\f\v()[]{}.,*\"'`-•"
_ENUMERATION = re.compile(r"\s*(?:[-*•]|\(?[0-9]{1,3}[.)])\s+")
_ARTICLE = re.compile(r"(?:the|an?)\s+")


def read_pairs(text: str) -> frozenset[tuple[str, str]] | None:
    """The set of normalised (position, object) pairs of a text without tags.

    Pairs are separated by new lines, semicolons or, where that leaves more than one colon, commas.
    Pieces without a colon are ignored. Both sides are case-folded and lose list marks, quotes and a
    leading article.

    Returns:
        The pairs; `None` when there is none, or when a piece still has two colons and could be read
        in two ways.
    """
    pairs = set()
    for piece in re.split(r"[;\n]", text):
        parts = piece.split(",") if piece.count(":") > 1 else [piece]
        for part in parts:
            sides = _ENUMERATION.sub("", part, count=1) if _ENUMERATION.match(part) else part
            if sides.count(":") > 1:
                return None
            position, _, name = (_normal(side) for side in sides.partition(":"))
            if position and name:
                pairs.add((position, name))
    return frozenset(pairs) or None


def _normal(text: str) -> str:
    """Case-folded text with single spaces, without edge punctuation and leading article."""
    plain = " ".join(text.split()).strip(_EDGE).casefold()
    return _ARTICLE.sub("", plain, count=1) if _ARTICLE.match(plain) else plain
