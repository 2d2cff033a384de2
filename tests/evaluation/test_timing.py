from __future__ import annotations

import pytest

from avatar_core.evaluation.timing import PATHS, each, timed_row, timing_of
from avatar_core.evaluation_records import EVAL_PHASES, EvalRow, EvalTiming
from tests.eval_rows import eval_row

SECONDS = {
    "media/prepare": 1.0,
    "media": 3.0,
    "answer/encode": 2.0,
    "answer/decode/prefill": 4.0,
    "answer/decode": 10.0,
    "answer": 12.5,
    "score": 0.5,
}


def timed(identity: str, seconds: dict[str, float], prompt: int, reply: int | None) -> EvalRow:
    return timed_row(eval_row(identity), seconds, prompt=prompt, reply=reply)


def test_a_row_has_phases_that_do_not_overlap() -> None:
    row = timed("a", SECONDS, 90, 12)
    assert row.seconds == 16.0
    assert row.phases == {
        "media": 2.0,
        "prepare": 1.0,
        "encode": 2.0,
        "prefill": 4.0,
        "decode": 6.0,
        "score": 0.5,
    }
    # Half a second of answering was in none of its parts.
    assert sum(row.phases.values()) == 15.5
    assert (row.tokens_prompt, row.tokens_generated) == (90, 12)
    assert timed("a", each(SECONDS, 4), 90, None).phases["decode"] == 1.5


def test_sums_are_over_the_rows_that_know_their_phases() -> None:
    rows = [
        timed("a", SECONDS, 90, 12),
        timed("b", {"media": 1.0, "score": 3.0}, 10, 8),
        eval_row("old", seconds=7.0),
        eval_row("failed", seconds=None, status="error"),
    ]
    assert timing_of(rows) == EvalTiming(
        items=2,
        seconds=20.0,
        phases={
            "media": 3.0,
            "prepare": 1.0,
            "encode": 2.0,
            "prefill": 4.0,
            "decode": 6.0,
            "score": 3.5,
        },
        tokens_prompt=100,
        tokens_generated=20,
        items_per_second=0.1,
    )
    assert timing_of(rows[2:]) is None
    assert timing_of([]) is None


def test_every_phase_of_the_records_has_a_path() -> None:
    assert tuple(PATHS) == EVAL_PHASES


def test_no_time_gives_no_rate() -> None:
    found = timing_of([timed("a", {"score": 0.0}, 1, 1)])
    assert found is not None
    assert (found.items, found.items_per_second) == (1, None)
    assert found.phases == {"score": 0.0}


def test_shares_of_a_batch_add_up_to_it() -> None:
    share = each(SECONDS, 3)
    assert share.keys() == SECONDS.keys()
    assert {path: 3 * value for path, value in share.items()} == pytest.approx(SECONDS)
