"""Decoding of one JSON object, with what Python's decoder lets pass counted as a fault.

Not JSON, or of no use in a row: NaN and infinities, numbers too large to hold, a key given twice,
half of a surrogate pair, nesting without end.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

from avatar_core.errors import DataError

MAX_DEPTH = 64
MAX_DIGITS = 300
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels; give a flat row"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

Content = dict[str, Any] | DataError
"""An object, or what is wrong with it; the error does not name its place."""


class Decoded(NamedTuple):
    """One JSON value at the start of a text."""

    content: Content
    """The value when it is a sound object."""
    end: int
    """Index behind it."""


class RowDecoder:
    """Decodes JSON objects; faults leave the text readable behind the object."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._json = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=self._float,
            parse_int=self._int,
            parse_constant=self._constant,
        )

    def line(self, line: bytes) -> Content:
        """The object that a line of UTF-8 text holds."""
        try:
            text = line.decode("utf-8").strip()
            decoded = self.first(text, 0)
        except UnicodeDecodeError as error:
            return DataError(f"not UTF-8 text (byte {error.start}); save the file as UTF-8")
        except json.JSONDecodeError as error:
            return DataError(
                f"not valid JSON ({error.msg}, column {error.colno}); give one object per line, "
                "or an array of objects"
            )
        except DataError as error:
            return error
        if decoded.end < len(text):
            return DataError(
                f"not valid JSON (more text behind column {decoded.end}); give one object per line"
            )
        return decoded.content

    def first(self, text: str, start: int) -> Decoded:
        """The value that begins at an index of a text.

        Raises:
            JSONDecodeError: it is not JSON, or the text ends within it.
            DataError: it is nested so deep that its end cannot be found.
        """
        self._faults.clear()
        try:
            value, end = self._json.raw_decode(text, start)
        except RecursionError as error:
            raise DataError(_TOO_DEEP) from error
        fault = self._fault(value, text, start, end)
        return Decoded(DataError(fault) if fault else value, end)

    def _fault(self, value: object, text: str, start: int, end: int) -> str | None:
        if not isinstance(value, dict):
            return f"expected a JSON object, found {type(value).__name__}"
        if self._faults:
            return f"not valid JSON ({self._faults[0]}); mend or remove the row"
        brackets = text.count("[", start, end) + text.count("{", start, end)
        if brackets > MAX_DEPTH and _depth_exceeds(value, MAX_DEPTH):
            return _TOO_DEEP
        if _SURROGATE.search(text, start, end) and not _encodable(value):
            return "not valid text (half of a surrogate pair); mend or remove the row"
        return None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            self._faults.append(f"key {twice[:60]!r} is given twice")
        return found

    def _float(self, figures: str) -> float:
        value = float(figures)
        if math.isinf(value):
            self._faults.append(f"{figures[:20]} is too large a number")
        return value

    def _int(self, figures: str) -> int:
        if len(figures) > MAX_DIGITS:
            self._faults.append(f"{figures[:20]}… is too large a number")
            return 0
        return int(figures)

    def _constant(self, name: str) -> float:
        self._faults.append(f"{name} is no JSON number")
        return 0.0


def _depth_exceeds(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        parents = [item for item in level if isinstance(item, dict | list)]
        level = [
            child
            for parent in parents
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return any(isinstance(item, dict | list) for item in level)


def _encodable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
