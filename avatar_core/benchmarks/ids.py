"""Ids of items: made of what is asked, and each once."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from pathlib import PurePath

from avatar_core.benchmarks.item import Item
from avatar_core.naming import numbered


def content_id(*parts: str) -> str:
    """16 hexadecimal digits that stand for some texts, for an item that has no id of its own."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%s" % (len(content), content))
    return digest.hexdigest()


def unique_ids(items: list[Item]) -> list[Item]:
    """Items in their order, each with an id of its own that does not depend on the order.

    Items of one id that differ get a hash of what they ask behind it. Those that ask the same get
    "#2", "#3"; a number that another item's own id ends in is passed over.
    """
    asked = [_asked(item) for item in items]
    contents: dict[str, set[str]] = defaultdict(set)
    for item, content in zip(items, asked, strict=True):
        contents[item.id].add(content)
    return _numbered(
        [
            item if len(contents[item.id]) == 1 else replace(item, id=f"{item.id}_{content}")
            for item, content in zip(items, asked, strict=True)
        ]
    )


def _asked(item: Item) -> str:
    """A hash of question, gold, categories and the names of media, wherever they lie."""
    media = (f"{ref.kind} {PurePath(ref.path).stem} {ref.start} {ref.end}" for ref in item.media)
    return content_id(
        item.question,
        item.worded or "",
        repr(item.options),
        item.gold,
        repr(item.alternatives),
        repr(sorted(item.groups.items())),
        *media,
    )


def _numbered(items: list[Item]) -> list[Item]:
    names = numbered([item.id for item in items])
    return [
        item if name == item.id else replace(item, id=name)
        for item, name in zip(items, names, strict=True)
    ]
