from __future__ import annotations

import pytest

from avatar_core.rewards.judging.scene_claims import (
    Claim,
    agreement,
    places_in,
    read_trace,
    truth_of,
)

FACTS = {
    "things": [
        {
            "colour": "red",
            "shape": "circle",
            "position": "top left",
            "end": "top right",
            "motion": "right",
            "appears": 1,
            "flash": 2,
        },
        {
            "colour": "blue",
            "shape": "square",
            "position": "bottom left",
            "end": "bottom left",
            "motion": "still",
            "appears": 3,
            "flash": None,
        },
    ],
    "tones": [{"time": 2, "pitch": "high"}],
}


def test_a_trace_is_taken_apart() -> None:
    trace = read_trace(
        "I see top left a red circle flash at 2, bottom left a blue square.\n"
        "I hear high at 2, low at 4. So high is the red circle."
    )
    assert trace.seen == [
        ("object", "top left", "red circle"),
        ("flash", "red circle", "2"),
        ("object", "bottom left", "blue square"),
    ]
    assert trace.heard == [("tone", "high", "2"), ("tone", "low", "4")]
    assert trace.conclusion == "so high is the red circle"


@pytest.mark.parametrize(
    ("detail", "claim"),
    [
        ("flash at 3", ("flash", "red circle", "3")),
        ("from 4", ("appears", "red circle", "4")),
        ("going to bottom right", ("end", "red circle", "bottom right")),
        ("staying", ("end", "red circle", "top left")),
    ],
)
def test_details_belong_to_their_object(detail: str, claim: Claim) -> None:
    trace = read_trace(f"I see TOP LEFT a Red Circle {detail}, top right a blue square.")
    assert trace.seen[1] == claim
    assert len(trace.seen) == 3


def test_silence_is_a_claim_and_no_conclusion_is_none() -> None:
    trace = read_trace("I hear nothing.")
    assert trace.heard == [("silence",)]
    assert trace.conclusion == ""
    assert read_trace("") == ([], [], "")


def test_what_the_facts_make_true() -> None:
    truth = truth_of(FACTS)
    assert truth.objects == {
        ("object", "top left", "red circle"),
        ("object", "bottom left", "blue square"),
    }
    assert truth.flashes == {("flash", "red circle", "2")}
    assert truth.others == {
        ("appears", "red circle", "1"),
        ("appears", "blue square", "3"),
        ("end", "red circle", "top right"),
        ("end", "blue square", "bottom left"),
    }
    assert truth.tones == {("tone", "high", "2")}
    assert truth_of({**FACTS, "tones": []}).tones == {("silence",)}


A, B, C = ("a",), ("b",), ("c",)


@pytest.mark.parametrize(
    ("claimed", "value"),
    [
        ([A, B], 1.0),
        ([A], 2 / 3),  # P = 1, R = 1/2
        ([A, B, ("x",)], 0.8),  # P = 2/3, R = 1
        ([A, B, B], 0.8),  # the second B counts as wrong: P = 2/3, R = 1
        ([A, B, C], 1.0),  # C is allowed
        ([C], 0.0),  # allowed, but nothing that was wanted
        ([("x",)], 0.0),
        ([], 0.0),
    ],
)
def test_agreement(claimed: list[Claim], value: float) -> None:
    assert agreement(claimed, frozenset({A, B}), frozenset({C})) == pytest.approx(value, abs=1e-12)


def test_nothing_wanted() -> None:
    assert agreement([], frozenset()) == 1.0
    assert agreement([A], frozenset()) == 0.0


def test_places() -> None:
    assert places_in("Top left: a dog; bottom right: it") == [
        ("place", "top left"),
        ("place", "bottom right"),
    ]
