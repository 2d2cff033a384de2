from __future__ import annotations

from avatar_core.training.telemetry import Counters, peak_memory_bytes
from tests.training.groups import group


def test_counts_of_a_step_by_hand() -> None:
    counters = Counters()
    fresh = [group("a", 1.0, 0.0, None), group("b", 0.5, 0.5)]
    counters.count_step(fresh, [[0, 1, 2], [0, 1]], replayed=4, taken=True)
    counters.count_step(fresh[:1], [[0, 1, 2]], replayed=2, taken=False)
    # Step 1: 5 completions of 3 tokens, 4 replayed; step 2: 3 more, generated but not trained on.
    assert counters.state() == {
        "completions_generated": 8,
        "completions_trained": 9,
        "completions_replayed": 4,
        "tokens_generated": 24,
        "groups": 3,
        "groups_no_signal": 1,
        "hints_used": 0,
        "unscored": 2,
        "skipped_steps": 1,
        "media_failed": 0,
        "visits_skipped": 0,
        "judge_graded": 0,
        "judge_unparsed": 0,
        "judge_unreachable": 0,
    }


def test_totals_are_restored_and_a_new_one_starts_at_zero() -> None:
    counters = Counters(completions_generated=7, media_failed=2)
    state = counters.state()
    again = Counters(groups=99)
    again.restore(state)
    assert again == counters
    del state["media_failed"]
    again.restore(state)
    assert again == Counters(completions_generated=7)


def test_peak_memory_is_that_of_a_process_with_torch() -> None:
    assert peak_memory_bytes() > 100 << 20
