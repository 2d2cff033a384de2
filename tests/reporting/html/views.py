"""Runs to make pages of."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from avatar_core.evaluation_records import EvalSummary
from avatar_core.records import CompletionRow, GroupRow, Manifest, MetricsRow
from avatar_core.reporting.html.views import STRIP, RunView
from avatar_core.reporting.records_io import RunRecords
from avatar_core.reporting.summary import summarise
from tests.run_records import group_row, manifest, metrics_row

ADVANTAGE = {"tas_lambda": 0.3, "tas_shape": "parabola", "tas_normalize": False}
TIERS = ("easy", "medium", "hard")


def view_of(
    metrics: tuple[MetricsRow, ...] = (),
    groups: tuple[GroupRow, ...] = (),
    *,
    name: str = "run",
    evaluation: EvalSummary | None = None,
    made: Manifest | None = None,
    config: dict[str, Any] | None = None,
    **more: Any,
) -> RunView:
    records = RunRecords(Path(f"runs/{name}"), config, made, metrics, groups, evaluation)
    return RunView(name=name, records=records, summary=summarise(records), **more)


def trained_view(steps: int = 40, name: str = "run", **more: Any) -> RunView:
    """A run with a value in every field that is plotted, and two groups per step."""
    metrics = tuple(
        metrics_row(
            step,
            reward_mean=0.5 + 0.4 * step / steps,
            accuracy_fresh=0.2 + 0.5 * step / steps,
            groups=2 * step,
            groups_no_signal=step // 4,
            ess=0.99,
            replay_age_mean=float(step % 7),
            replay_reuse_mean=0.5,
            families={"colour": step / steps},
            hints_used=1,
        )
        for step in range(1, steps + 1)
    )
    groups = tuple(group for step in range(1, steps + 1) for group in _groups(step))
    config = {"steps": steps + 10, "advantage": ADVANTAGE}
    return view_of(metrics, groups, name=name, made=manifest(), config=config, **more)


def strip() -> bytes:
    """A strip of frames that shows nothing."""
    file = io.BytesIO()
    Image.new("RGB", STRIP, (40, 90, 160)).save(file, "JPEG")
    return file.getvalue()


def _groups(step: int) -> tuple[GroupRow, GroupRow]:
    spread = (step % 5) / 5
    shared = {"step": step, "prompt_id": f"p{step % 9}", "question": f"What is shown at {step}?"}
    fresh = group_row([0.0, spread], [-1.0, 1.0], policy_step=step, tier=TIERS[step % 3], **shared)
    text = f"<think>I look at scene {step} and " + "see a red square " * 4 + "</think> red"
    told = (CompletionRow(**{**fresh.completions[0].model_dump(), "text": text}),)
    fresh = fresh.model_copy(update={"completions": told + fresh.completions[1:]})
    replayed = group_row([0.3], [0.05], source="replayed", policy_step=0, tier="hard", **shared)
    return fresh, replayed
