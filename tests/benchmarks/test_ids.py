"""Tests of benchmarks/ids.py: stable hashes, and repeated ids told apart."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.types import MediaRef


def items(*names: str) -> list[Item]:
    return [Item(name, "b", "", (), "?", (), "x", "open") for name in names]


def ids(*names: str) -> list[str]:
    return [item.id for item in unique_ids(items(*names))]


def test_repeated_ids_are_numbered_in_order() -> None:
    assert ids("a", "b", "a", "a", "b") == ["a", "b", "a#2", "a#3", "b#2"]
    assert ids() == []


def test_items_keep_everything_else() -> None:
    given = items("a", "a")
    assert unique_ids(given)[0] is given[0]
    assert [item.question for item in unique_ids(given)] == ["?", "?"]


def test_a_number_that_is_taken_is_passed_over_whatever_the_order() -> None:
    names = ["a", "a", "a#2", "a#2", "a", "b"]
    orders = set()
    for seed in range(50):
        random.Random(seed).shuffle(names)
        orders.add(tuple(names))
        assert set(ids(*names)) == {"a", "a#3", "a#4", "a#2", "a#2#2", "b"}
    assert len(orders) > 20


def test_items_of_one_id_that_differ_keep_their_ids_in_any_order() -> None:
    media = (MediaRef("video", "/data/one.mp4"),)
    (base,) = items("a")
    changes: list[dict[str, Any]] = [
        {},
        {"question": "Why?"},
        {"gold": "y"},
        {"options": ("x", "y")},
        {"alternatives": ("z",)},
        {"groups": {"kind": ("k",)}},
        {"media": media},
        {"worded": "?!"},
        {"question": "Why?"},  # the second one once more
    ]
    given = [replace(base, **change) for change in changes]
    forward, backward = unique_ids(given), unique_ids(given[::-1])
    assert len({item.id for item in forward}) == len(given) == 9
    assert sorted(map(repr, forward)) == sorted(map(repr, backward))
    assert forward[8].id == f"{forward[1].id}#2" and forward[1].id.startswith("a_")
    # Where the files lie does not count.
    moved = replace(base, media=(MediaRef("video", "x/one.webm"),))
    assert unique_ids([moved, base])[0].id == forward[6].id


def test_a_lone_surrogate_is_a_text_like_any_other() -> None:
    (base,) = items("a")
    (only,) = unique_ids([replace(base, question="\ud800")])
    assert only.id == "a"


def test_a_hash_stands_for_the_parts_and_their_borders() -> None:
    parts = [("ab", "c"), ("a", "bc"), ("abc",), ("", "abc"), ("c", "ab"), (), ("",)]
    assert len({content_id(*texts) for texts in parts}) == len(parts) == 7
    # blake2b with a digest of 8 bytes of b"1:a1:b", as any other tool computes it.
    assert content_id("a", "b") == "42de60bac299d468"
