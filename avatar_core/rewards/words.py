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
STANDALONE = re.compile(rf"{STARTS}([A-Z]){ENDS}{NOT_AN_INITIAL}")
"""A capital that stands alone."""
CLAUSE_END = re.compile(r"\s*(?:[.,;:)\]}*\"'`$。]|\Z)|[ \t]*[\r\n]")
"""No further words of the clause."""

_NEXT_WORD = re.compile(r" +([a-z]+)")
# Words that never follow an article: before them a lone A names the option.
_NOT_AFTER_ARTICLE = frozenset(
    "and as because but fits from if in is matches or seems since was when where which while"
    " with".split()
)
# These do follow one, but then a noun comes: "A better." names the option.
_COMPARED = frozenset(("best", "better"))
_NOUNS = r"(?:(?:the|these|option|choice|answer)s?\s+)*"
_EARLIER = r"(?:[(\[]?[A-Z][)\]]?\s{0,3}(?:,\s{0,3}(?:(?:and|or)\s+)?|(?:and|or|nor)\s+))*"
_EARLIER_OR = r"(?:[(\[]?[A-Z][)\]]?\s{1,3}(?:or|nor)\s+)*"
_RULED_OUT = re.compile(
    rf"(?:\b(?:not|isn't|isn’t|nor|neither)\s+{_NOUNS}{_EARLIER_OR}"
    rf"|\b(?:none\s+of|either|between|among)\s+{_NOUNS}[(\[]?{_EARLIER}"
    rf"|{STARTS}[(\[]?[A-Z][)\]]?,?\s{{1,3}}or\s+(?:(?:maybe|perhaps|possibly)\s+)?{_NOUNS}"
    r"|不是|不选|并非)[\s(\[（*\"'`]*\Z",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|not|without|neither|nor)\s+(?:(?:any|the|an?)\s+)?\Z", re.IGNORECASE)
_CLOSING = r"[)\]*_\"'`]{0,4}"
_ADVERBS = r"(?:(?:also|quite|(?!only|merely|simply)[a-z]{1,20}ly)\s+){0,2}"
_RIGHT = rf"{_ADVERBS}(?:the\s+)?(?:best\s+)?(?:correct|right|answer|choice|option)\b"
_REJECTION = (
    rf"(?:can(?:not|['’]t)\s+be\s+{_RIGHT}|(?:is|was|are|were)"
    rf"(?:(?:\s+not|n['’]t)(?:\s+{_RIGHT}|\s*(?:[.,;!]|\Z))|\s+{_ADVERBS}(?:incorrect|wrong)\b))"
)
_SET_ASIDE = re.compile(
    rf"{_CLOSING}(?:(?:\s+\([^()\n]{{1,60}}\))?\s+{_REJECTION}"
    r"|\s*\?[\s*]*[Nn]o\b(?!\s+(?:doubt|question)))"
)
_NEXT_LETTER = rf"(?i:{_NOUNS})[(\[]?([A-Z]){ENDS}{_CLOSING}"
_LISTED = rf"{_CLOSING}(?:,\s{{0,3}}[(\[]?[A-Z]{ENDS}{_CLOSING}){{0,8}},?"
_AND_WRONG = re.compile(rf"{_LISTED}\s{{1,3}}and\s+{_NEXT_LETTER}\s+(?=are|were|can){_REJECTION}")
_OR_ANOTHER = re.compile(
    rf"{_LISTED}\s{{1,3}}or\s+(?:(?:maybe|perhaps|possibly)\s+)?{_NEXT_LETTER}"
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
    word = following.group(1)
    if word in _COMPARED and CLAUSE_END.match(text, following.end()):
        return letter == "I"
    return letter == "I" or (letter == "A" and word not in _NOT_AFTER_ARTICLE)


def ruled_out(text: str, start: int) -> bool:
    """Whether the letter at `start` is named only to be excluded, or as one that it might be.

    "not B", "none of A, B and C", "either A or B" and the B of "A or B" state no letter.
    """
    return _RULED_OUT.search(text[max(0, start - _REACH) : start]) is not None


def denied(text: str, start: int) -> bool:
    """Whether the option's text at `start` follows a denial, as in "not the dog"."""
    return _DENIED.search(text[max(0, start - _REACH) : start]) is not None


def set_aside(text: str, end: int) -> bool:
    """Whether the answer that ends at `end` is rejected or taken back by what follows.

    "B is not correct" and "B? No" state nothing; "B is not wrong" does.
    """
    return _SET_ASIDE.match(text, end) is not None


def one_of_several(text: str, end: int) -> bool:
    """Whether the letter that ends at `end` is one that it might be, as the A of "A, B or C"."""
    match = _OR_ANOTHER.match(text, end)
    return match is not None and not reads_as_word(match[1], text, match.end(1))


def among_the_wrong(text: str, end: int) -> bool:
    """Whether the letter that ends at `end` begins a list that is rejected: "A and B are wrong"."""
    return _AND_WRONG.match(text, end) is not None
