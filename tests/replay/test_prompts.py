from __future__ import annotations

import math

import pytest

from avatar_core.replay.prompts import Prompts

SHARES = (0.25, 0.35, 0.40)


def test_a_prompt_is_known_from_its_first_visit():
    prompts = Prompts(SHARES, window=3)
    assert prompts.get("q") is None
    with pytest.raises(KeyError):
        prompts["q"]
    assert prompts.tier("q") == "hard"
    seen = prompts.visit("q", ())
    assert (seen.place, seen.visits, seen.baseline, seen.rank.mean) == (0, 1, 0.0, -math.inf)
    assert prompts.visit("r", [1.0]).place == 1
    assert prompts.visit("q", [1.0, 0.0]) is prompts["q"] is seen
    assert (seen.visits, seen.baseline, seen.rank.mean) == (2, 0.5, 0.5)
    # Ranks are kept of prompts with a reward, once each.
    assert len(prompts.ranked) == 2
    prompts.visit("q", [0.0, 0.0])
    assert list(seen.window) == [0.0, 0.0, 0.0]
    assert len(prompts.ranked) == 2


def test_what_is_known_comes_back():
    prompts = Prompts(SHARES, window=3)
    for index in range(9):
        prompts.visit(f"p{index % 5}", [index / 7, index / 3] if index != 4 else [])
    other = Prompts(SHARES, window=3)
    other.restore(prompts.known())
    assert other.known() == prompts.known()
    for index in range(5):
        one, two = prompts[f"p{index}"], other[f"p{index}"]
        assert (one.place, one.rank, one.visits) == (two.place, two.rank, two.visits)
        assert prompts.tier(f"p{index}") == other.tier(f"p{index}")
