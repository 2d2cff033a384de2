"""Samples of every problem type and completions around an answer, for the reward tests."""

from __future__ import annotations

from avatar_core.types import ProblemType, Sample

COLOURS = ("red", "green", "blue")
SOLUTIONS: dict[ProblemType, str] = {
    "multiple choice": "B",
    "numerical": "4",
    "regression": "-2.5",
    "localisation": "left: dog; right: cat",
    "ocr": "Open all night",
    "free-form": "the dog barks",
}


def sample(solution: str, kind: ProblemType, options: tuple[str, ...] = ()) -> Sample:
    return Sample("s", "What is it?", (), solution, kind, options)


def samples() -> list[Sample]:
    """One sample of each problem type."""
    return [
        sample(solution, kind, COLOURS if kind == "multiple choice" else ())
        for kind, solution in SOLUTIONS.items()
    ]


def answers(*texts: str) -> list[str]:
    return [f"<think>A, 9, left: cat</think><answer>{text}</answer>" for text in texts]
