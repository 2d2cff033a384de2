from __future__ import annotations

import io

from rich.console import Console

from avatar_cli.stage_table import stage_table
from avatar_core.evaluation.tally import Interval
from avatar_core.training.held_out import Accuracy, HeldOut

SURE = HeldOut(
    200,
    Accuracy(0.25, Interval(0.2, 0.3125)),
    Accuracy(0.5, Interval(0.4, 0.6)),
    0.25,
    Interval(-0.0625, 0.375),
)
UNSURE = HeldOut(1, Accuracy(None, None), Accuracy(0.0, None), 0.0, None)


def test_a_line_and_its_intervals_for_every_stage() -> None:
    stream = io.StringIO()
    Console(file=stream, width=80).print(stage_table({1: SURE, 3: UNSURE}))
    lines = [" ".join(line.split()) for line in stream.getvalue().splitlines()]
    assert "1 visual 200 25.0 % 50.0 % +25.0" in lines
    assert "20.0 % to 31.2 % 40.0 % to 60.0 % -6.2 to +37.5" in lines
    assert "3 localisation 1 - 0.0 % +0.0" in lines
    assert max(map(len, stream.getvalue().splitlines())) <= 80
