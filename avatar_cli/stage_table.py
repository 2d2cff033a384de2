"""What a curriculum gained: one line per stage, measured on the held-out samples of its family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table

from avatar_cli.render import MISSING, count, percent, signed_percent, table_of

if TYPE_CHECKING:
    from avatar_core.training.held_out import Accuracy, HeldOut

FAMILIES = {0: "reasoning traces", 1: "visual", 2: "audio-visual", 3: "localisation"}


def stage_table(gained: Mapping[int, HeldOut]) -> Table:
    """Show accuracy with its 95 % interval before and after each stage, and the paired gain.

    Args:
        gained: what was measured, by stage.
    """
    title = "Held-out accuracy by stage, 95 % intervals below"
    table = table_of(title, "stage", "samples", "before", "after", "gain")
    for stage, held_out in gained.items():
        table.add_row(
            f"{stage} {FAMILIES[stage]}",
            count(held_out.samples),
            _moment(held_out.before),
            _moment(held_out.after),
            _gain(held_out),
        )
    return table


def _moment(accuracy: Accuracy) -> str:
    bounds = accuracy.interval
    below = " to ".join(map(percent, bounds)) if bounds else MISSING
    return f"{percent(accuracy.value)}\n{below}"


def _gain(held_out: HeldOut) -> str:
    bounds = held_out.gain_interval
    below = " to ".join(map(signed_percent, bounds)) if bounds else MISSING
    return f"{signed_percent(held_out.gain)}\n{below}"
