"""Ids of items: made of what is asked, and each once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import count

from avatar_core.benchmarks.item import Item


def content_id(*parts: str) -> str:
    """16 hexadecimal digits that stand for some texts, for an item that has no id of its own."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        content = part.encode()
        digest.update(b"%d:%s" % (len(content), content))
    return digest.hexdigest()


def unique_ids(items: list[Item]) -> list[Item]:
    """Items in their order, a repeated id with "#2", "#3" behind it.

    The set of ids does not depend on the order: a number that another item's own id ends in is
    passed over.
    """
    own = {item.id for item in items}
    seen: set[str] = set()
    unique = []
    for item in items:
        name = item.id
        if name in seen:
            repeats = (f"{item.id}#{number}" for number in count(2))
            name = next(name for name in repeats if name not in own and name not in seen)
        seen.add(name)
        unique.append(item if name == item.id else replace(item, id=name))
    return unique
