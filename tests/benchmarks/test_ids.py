"""Tests of benchmarks/ids.py: stable hashes, and repeated ids told apart."""

from __future__ import annotations

import random

from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item


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


def test_a_hash_stands_for_the_parts_and_their_borders() -> None:
    parts = [("ab", "c"), ("a", "bc"), ("abc",), ("", "abc"), ("c", "ab"), (), ("",)]
    assert len({content_id(*texts) for texts in parts}) == len(parts) == 7
    # blake2b with a digest of 8 bytes of b"1:a1:b", as any other tool computes it.
    assert content_id("a", "b") == "42de60bac299d468"
