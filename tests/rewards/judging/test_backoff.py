from __future__ import annotations

import random

import pytest

from avatar_core.rewards.judging.backoff import backoff, retry_after, worth_retrying

NOON = 1_767_268_800.0  # Thu, 01 Jan 2026 12:00:00 GMT


def test_only_passing_troubles_are_retried() -> None:
    retried = [status for status in range(100, 700) if worth_retrying(status)]
    assert retried == [408, 409, 429, *range(500, 600)]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thursday, 01-Jan-26 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:59:00 GMT", 0.0),
        ("-3", None),
        ("soon", None),
        ("", None),
        ("1.2.3", None),
        ("²", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOON) == seconds


def test_waits_double_up_to_a_minute_and_vary_by_half() -> None:
    # ½ · 2^(n − 1): 0.5, 1, 2, …, 32, then 60 for n = 8 (64) and all later tries.
    longest = [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    for tried, most in enumerate(longest, start=1):
        waits = [backoff(tried, random.Random(seed)) for seed in range(200)]
        assert most / 2 <= min(waits) < 0.55 * most
        assert 0.95 * most < max(waits) <= most
    assert len(longest) == 9
