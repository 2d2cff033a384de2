"""Makes foreign text safe for a terminal: what a model or a file says cannot move the cursor."""

from __future__ import annotations

import unicodedata

# Marks that reorder what follows them could make a line read as something it is not.
_REORDERING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def plain(text: str) -> str:
    """Drop control characters, lone surrogates and reordering marks; keep newlines and tabs."""
    return "".join(
        character
        for character in text
        if character in "\n\t"
        or (unicodedata.category(character) not in {"Cc", "Cs"} and character not in _REORDERING)
    )


def one_line(text: str) -> str:
    """Give `plain` text with every run of white space as one space."""
    return " ".join(plain(text).split())
