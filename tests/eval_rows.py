"""Rows of evaluations for tests."""

from __future__ import annotations

from typing import Any

from avatar_core.evaluation_records import EvalRow


def eval_row(identity: str = "a", correct: bool | None = True, **changes: Any) -> EvalRow:
    values: dict[str, Any] = {
        "id": identity,
        "status": "ok",
        "prediction": "red",
        "gold": "red",
        "correct": correct,
        "score": None if correct is None else float(correct),
        "text": "<think>x</think><answer>red</answer>",
        "truncated": False,
        "modalities": ("text", "frames"),
        "frames": 4,
        "groups": {"family": "colour"},
        "seconds": 0.5,
        "error": None,
    }
    return EvalRow(**{**values, **changes})
