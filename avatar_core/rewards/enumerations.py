"""Options that a reply only repeats: an enumeration of all of them states none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from avatar_core.rewards.words import ENDS, STARTS, plain

_FEWEST = 3
_MARKS = r"[\s.()\[\]*]*"
_REACH = 20
_LABEL = re.compile(rf"{STARTS}(?:[(\[]([A-Z])[)\]]|([A-Z])(?:\.(?![A-Z]\.)|[):]))")
_OPENING = re.compile(r"(?:\A|[:：\n])[\s*_\"'`-]*\Z")
_BETWEEN = r"[)\]]?\s{0,3}[,/|;、，]?\s{0,3}(?:(?:and|or|&|和|与|或)\s{0,3})?[(\[]?"


def without_enumerations(text: str, letters: Sequence[str], options: Sequence[str]) -> str:
    """Blank the letters of "A, B, C or D" and of "A. cat B. dog C. cow D. pig".

    Only a list of all letters in their order counts, of three or more, or of two that are the whole
    text: with two options "A, B is wrong" states the A. A labelled list is of three or more, on one
    line or has every label at the start of one, and it opens a line or follows a colon: in "The
    answer is A. B: too late" the A is stated. An option's own text behind its label goes too; other
    words stay to be read.
    """
    if len(letters) < 2:
        return text
    listed = _BETWEEN.join(rf"(?<![A-Za-z0-9]){letter}(?![A-Za-z0-9])" for letter in letters)
    if len(letters) < _FEWEST:
        return "" if re.fullmatch(_MARKS + listed + _MARKS, text) else text
    text = re.sub(rf"{STARTS}{listed}{ENDS}", lambda match: " " * len(match.group()), text)
    return _without_labels(text, letters, options)


def _without_labels(text: str, letters: Sequence[str], options: Sequence[str]) -> str:
    """Blank the labels of every enumeration, and the options' own texts behind them."""
    labels = list(_LABEL.finditer(text))
    names = [label.group(1) or label.group(2) for label in labels]
    kept: list[str] = []
    position = 0
    for first in range(len(labels) - len(letters) + 1):
        run = labels[first : first + len(letters)]
        if names[first : first + len(letters)] != list(letters) or not _is_enumeration(text, run):
            continue
        ends = [*(label.start() for label in run[1:]), _last_end(text, run[-1].end(), options)]
        for index, (label, end) in enumerate(zip(run, ends, strict=True)):
            kept += [text[position : label.start()], " "]
            own = index < len(options) and plain(text[label.end() : end]) == plain(options[index])
            position = end if own else label.end()
    return "".join([*kept, text[position:]])


def _is_enumeration(text: str, run: Sequence[re.Match[str]]) -> bool:
    """Whether labels in their order are on one line or open one each, from an opening on."""
    inline = "\n" not in text[run[0].start() : run[-1].start()]
    return all(_opens(text, label.start()) for label in (run[:1] if inline else run))


def _opens(text: str, start: int) -> bool:
    """Whether what begins at `start` opens a line or follows a colon."""
    return _OPENING.search(text[max(0, start - _REACH) : start]) is not None


def _last_end(text: str, start: int, options: Sequence[str]) -> int:
    """Where the text of the last option of a line ends."""
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    if not options:
        return line_end
    size = len(options[-1].strip())
    offset = len(text[start:line_end]) - len(text[start:line_end].lstrip())
    own = text[start + offset : start + offset + size]
    return start + offset + size if plain(own) == plain(options[-1]) else line_end
