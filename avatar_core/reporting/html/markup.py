"""HTML from small functions: text is escaped unless it was made here."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

_VOID = frozenset({"meta", "input", "br"})
# Control characters, marks that turn the direction of text, lone surrogates and noncharacters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


class Markup(str):
    """HTML that needs no escaping any more; only this package makes it."""

    __slots__ = ()


Child: TypeAlias = "str | Markup | None"
Attribute: TypeAlias = "str | float | bool | None"


def clean(text: str) -> str:
    """Show characters that act without being seen by their number, as ⟨U+202E⟩.

    A completion may hold any of them; the ones that turn the direction of text would otherwise
    reorder what stands around it. Line breaks and tabs stay.
    """
    return _UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def escaped(text: str) -> Markup:
    """Text as HTML, for content as well as for attribute values in double quotes."""
    return Markup(html.escape(clean(text), quote=True))


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """One element.

    Args:
        name: of the element.
        children: markup as it is, text escaped; `None` is left out.
        attributes: values are escaped; an underscore in a name stands for a hyphen, one at its end
            is dropped (`class_`). True gives a bare attribute, False and `None` none.

    >>> tag("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    start = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Markup(start if name in _VOID else f"{start}{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Markup:
    """Markup and escaped text in a row; `None` is left out."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escaped(child)
            for child in children
            if child is not None
        )
    )


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    key = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {key}"
    text = value if isinstance(value, str) else f"{value:.10g}"
    return f' {key}="{escaped(text)}"'
