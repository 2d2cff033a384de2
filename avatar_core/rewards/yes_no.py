"""Reading yes or no as an answer, not as a part of a sentence."""

from __future__ import annotations

import re
from typing import Literal, cast

from avatar_core.rewards.words import ENDS, STARTS

YesNo = Literal["yes", "no"]
_WORD = re.compile(rf"{STARTS}(yes|no){ENDS}", re.IGNORECASE)
_OFFER = re.compile(
    rf"{STARTS}(?:yes\s+(?:or|and)\s+no|no\s+(?:or|and)\s+yes){ENDS}", re.IGNORECASE
)
# "no" says of a noun that there is none of it; before these words it cannot.
_ANSWER_GOES_ON = frozenset(
    "and as because but he i if it or she since so that the there they this though we while you"
    " no yes".split()
)
_NEXT_WORD = re.compile(r"[ \t]+([^\W\d_]+)")
_NUMBERED = re.compile(r"\.?[ \t]*[0-9]")


def read_yes_no(text: str) -> YesNo | None:
    """The last "yes" or "no" of a text without tags, as a word of its own and of any case.

    "know" holds no "no", "no evidence" and "No. 5" deny nothing, and "yes or no" is an offer.

    >>> read_yes_no("Yes, there is no doubt.")
    'yes'
    """
    text = _OFFER.sub(" ", text)
    for match in reversed(list(_WORD.finditer(text))):
        word = match.group(1).lower()
        if word == "yes" or _stands_alone(text, match.end()):
            return cast("YesNo", word)
    return None


def _stands_alone(text: str, end: int) -> bool:
    """Whether the "no" that ends at `end` is an answer."""
    following = _NEXT_WORD.match(text, end)
    if following is None:
        return _NUMBERED.match(text, end) is None
    return following.group(1).lower() in _ANSWER_GOES_ON
