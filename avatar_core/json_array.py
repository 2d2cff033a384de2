"""The elements of a JSON array one after the other, with little of a large file in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from avatar_core.errors import DataError
from avatar_core.strict_json import Content, RowDecoder

CHUNK = 1 << 20
"""Bytes read at a time."""
_SPACE = re.compile(r"[ \t\r\n]*")


class Element(NamedTuple):
    """One element of an array."""

    line: int
    """Line on which it begins, from 1."""
    content: Content


class ArrayReader:
    """Reads the array that a file holds.

    What is not JSON ends the array, since nobody knows where the next element would begin; a fault
    within an element does not.
    """

    def __init__(self, file: BinaryIO, decoder: RowDecoder, limit: int) -> None:
        """Start at the beginning of a file.

        Args:
            file: UTF-8 text, with or without a byte order mark.
            decoder: decodes the elements.
            limit: greatest length of an element in characters.
        """
        self._file = file
        self._characters = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = decoder
        self._limit = limit
        self._text = ""
        self._at = 0
        self._line = 1

    def elements(self) -> Iterator[Element]:
        """The elements in order; the last one is an error when the array is broken off."""
        try:
            yield from self._elements()
        except UnicodeDecodeError:
            yield Element(
                self._line, DataError("not UTF-8 text here or below; save the file as UTF-8")
            )
        except DataError as error:
            yield Element(self._line, error)

    def _elements(self) -> Iterator[Element]:
        mark = self._take()
        if mark != "[":
            raise DataError(f"not valid JSON (found {mark!r} instead of an array)")
        if self._next() == "]":
            self._take()
        else:
            while True:
                yield self._element()
                mark = self._take()
                if mark == "]":
                    break
                if mark != ",":
                    raise DataError(f"not valid JSON (found {mark!r} behind a row, expected , or ]")
        if self._next():
            raise DataError("not valid JSON (more text behind the end of the array)")

    def _element(self) -> Element:
        self._next()
        while True:
            try:
                decoded = self._decoder.first(self._text, self._at)
                # A value at the very end of what was read may go on behind it.
                if decoded.end < len(self._text):
                    line = self._line
                    self._advance(decoded.end)
                    return Element(line, decoded.content)
                fault = "the array is not closed"
            except json.JSONDecodeError as error:
                fault = error.msg
            if len(self._text) - self._at > self._limit:
                raise DataError(
                    f"the row is longer than {self._limit} characters or not valid JSON ({fault})"
                )
            if not self._fill():
                raise DataError(f"not valid JSON ({fault} in the row that begins here)")

    def _take(self) -> str:
        """The next character that is no white space, moving behind it; empty at the end."""
        mark = self._next()
        self._at += len(mark)
        return mark

    def _next(self) -> str:
        """The next character that is no white space, moving up to it; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._advance(space.end() if space else self._at)
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def _advance(self, to: int) -> None:
        self._line += self._text.count("\n", self._at, to)
        self._at = to

    def _fill(self) -> bool:
        """Read on; whether there was more."""
        more = ""
        block = b"-"
        # A few bytes may end within a character.
        while block and not more:
            block = self._file.read(CHUNK)
            more = self._characters.decode(block, final=not block)
        self._text = self._text[self._at :] + more
        self._at = 0
        return bool(more)
