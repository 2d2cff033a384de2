"""Where a letter, a word or an option's text stands by itself in a reply, and how it is meant."""

from __future__ import annotations

import re

# A word character of a script that puts spaces between words: in "答案是B" the B stands alone.
_JOINED = r"[^\W_\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]"
# Underscores belong to a name as in "shot_B", or mark stress as in "__B__".
STARTS = rf"(?<!{_JOINED})(?<!{_JOINED}_)(?<!{_JOINED}__)(?<!{_JOINED}[-'’./&+])"
"""Pattern: no word reaches into what follows."""
ENDS = rf"(?!_*{_JOINED})(?![-'’/&+]{_JOINED})"
"""Pattern: no word goes on from what came before."""
TEXT_STARTS = rf"{STARTS}(?<!\d[.,])"
"""Pattern: as `STARTS`, and no number reaches in; "5 V" does not start within "2.5 V"."""
TEXT_ENDS = rf"{ENDS}(?![.,]\d)"
"""Pattern: as `ENDS`, and no number goes on; "3" does not end within "3.5"."""
NOT_AN_INITIAL = rf"(?!\.{_JOINED})"
"""Pattern: what came before is no letter of an abbreviation such as "U.S."."""

_NEXT_WORD = re.compile(r" +([a-z]+)")
# Words that never follow an article: before them a lone A names the option.
_NOT_AFTER_ARTICLE = frozenset(
    "and as because but from if in is or since was when where which while with".split()
)
_NOUNS = r"(?:(?:the|these|option|choice|answer)s?\s+)*"
_EARLIER = r"(?:[(\[]?[A-Z][)\]]?\s{0,3}(?:,\s{0,3}(?:(?:and|or)\s+)?|(?:and|or|nor)\s+))*"
_EARLIER_OR = r"(?:[(\[]?[A-Z][)\]]?\s{1,3}(?:or|nor)\s+)*"
_RULED_OUT = re.compile(
    rf"(?:\b(?:not|isn't|isn’t|nor|neither)\s+{_NOUNS}{_EARLIER_OR}"
    rf"|\b(?:none\s+of|either|between|among)\s+{_NOUNS}[(\[]?{_EARLIER}"
    r"|不是|不选|并非)[\s(\[（*\"'`]*\Z",
    re.IGNORECASE,
)
_REACH = 60


def plain(text: str) -> str:
    """Option texts compare case-folded, with single spaces and without a final dot."""
    return " ".join(text.split()).casefold().removesuffix(".").strip()


def is_phrase(text: str) -> bool:
    """Whether an option's plain text is more than a letter, which any sentence could contain."""
    return len(text) > 1 or text.isdigit()


def reads_as_word(letter: str, text: str, end: int) -> bool:
    """Whether a capital that ends at `end` goes on like the article A or the pronoun I."""
    following = _NEXT_WORD.match(text, end)
    if following is None:
        return False
    return letter == "I" or (letter == "A" and following.group(1) not in _NOT_AFTER_ARTICLE)


def ruled_out(text: str, start: int) -> bool:
    """Whether the letter at `start` is named only to be excluded, or as one that it might be.

    "not B", "none of A, B and C" and "either A or B" state no letter.
    """
    return _RULED_OUT.search(text[max(0, start - _REACH) : start]) is not None
