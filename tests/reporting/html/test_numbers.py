from __future__ import annotations

import pytest

from avatar_core.reporting.html.numbers import (
    count,
    decimal,
    percent,
    percent_tick,
    points,
    signed,
    three_digits,
    tick,
    ticks,
)


def test_numbers_are_written_for_reading() -> None:
    shown = [
        (count(12345), "12,345"),
        (decimal(-0.0004), "0.000"),
        (decimal(-1.5, 1), "−1.5"),
        (percent(0.1234), "12.3\u00a0%"),
        (points(-0.08), "−8.0"),
        (signed(0.5, 1), "+0.5"),
        (three_digits(0.000123), "1.23e−04"),
        (three_digits(0.21949), "0.219"),
        (three_digits(123456.0), "123,456"),
        (tick(0.6000000000000001), "0.6"),
        (tick(20000), "20k"),
        (tick(1_500_000), "1.5M"),
        (tick(-0.5), "−0.5"),
        (tick(0.0001), "1e−04"),
        (percent_tick(0.999), "99.9\u00a0%"),
    ]
    for found, expected in shown:
        assert found == expected
    assert len(shown) == 15
    assert {show(None) for show in (count, decimal, percent, points, signed, three_digits)} == {"–"}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.1, 0.32, [-0.1, 0.0, 0.1, 0.2, 0.3]),
        (0.0, 4864.0, [0.0, 1000.0, 2000.0, 3000.0, 4000.0]),
        (0.9966, 1.0, [0.997, 0.998, 0.999, 1.0]),
        (3.0, 3.0, [3.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected
