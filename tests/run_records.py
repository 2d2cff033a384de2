"""Builders of small runs for the tests of records, reporting and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avatar_core.evaluation_records import EvalSummary
from avatar_core.files import JsonlAppender, write_json
from avatar_core.records import CompletionRow, GroupRow, Manifest, MetricsRow


def metrics_row(step: int = 1, **changes: Any) -> MetricsRow:
    values: dict[str, Any] = {
        "step": step,
        "epoch": 0.5,
        "stage": 1,
        "completions_generated": 4 * step,
        "completions_trained": 8 * step,
        "completions_replayed": 4 * step,
        "tokens_generated": 100 * step,
        "reward_mean": 0.5,
        "reward_std": 0.25,
        "accuracy_fresh": 0.5,
        "groups": step,
        "groups_no_signal": 0,
        "unique_rewards_mean": 2.0,
        "adv_mean": 0.0,
        "adv_std": 1.0,
        "adv_small_share": 0.25,
        "replay_adv_mean": None,
        "replay_adv_std": None,
        "replay_adv_small_share": None,
        "loss": 0.1,
        "kl": 0.01,
        "clip_low": 0.0,
        "clip_high": 0.0,
        "ess": None,
        "replay_age_mean": None,
        "replay_reuse_mean": None,
        "tier_easy": 1,
        "tier_medium": 2,
        "tier_hard": 5,
        "hints_used": 0,
        "unscored": 0,
        "skipped_steps": 0,
        "grad_norm": 1.0,
        "lr": 1e-5,
        "seconds_media": 1.0,
        "seconds_encode": None,
        "seconds_generate": 2.0,
        "seconds_reward": 0.0,
        "seconds_train": 1.0,
        "peak_memory_bytes": None,
    }
    return MetricsRow(**{**values, **changes})


def group_row(
    rewards: list[float | None],
    advantages: list[float | None] | None = None,
    **changes: Any,
) -> GroupRow:
    given = advantages if advantages is not None else [None] * len(rewards)
    scored = {reward for reward in rewards if reward is not None}
    values: dict[str, Any] = {
        "step": 1,
        "prompt_id": "p",
        "family": "colour",
        "source": "fresh",
        "policy_step": 1,
        "tier": None,
        "baseline": None,
        "hinted": False,
        "no_signal": len(scored) < 2,
        "completions": tuple(
            CompletionRow(
                text="<answer>A</answer>",
                tokens=5,
                reward=reward,
                parts={"accuracy": reward},
                advantage=advantage,
                truncated=False,
            )
            for reward, advantage in zip(rewards, given, strict=True)
        ),
    }
    return GroupRow(**{**values, **changes})


def manifest() -> Manifest:
    return Manifest(
        versions={"avatar": "0.1.0", "python": "3.11"},
        seed=0,
        media={"fps": 2.0},
        model="tiny",
        model_fingerprint="0f",
        command=("avatar", "train"),
        created="2026-01-01T00:00:00Z",
        device="cpu",
        threads=1,
    )


def eval_summary(**changes: Any) -> EvalSummary:
    values: dict[str, Any] = {
        "benchmark": "scenes",
        "model": "tiny",
        "n": 4,
        "correct": 3,
        "accuracy": 0.75,
        "headline": "accuracy",
        "ci95": (0.3, 0.95),
        "accuracy_answered": 0.75,
        "status": {"ok": 4, "unparsed": 0, "truncated": 0, "error": 0, "missing_media": 0},
        "manifest": manifest(),
    }
    return EvalSummary(**{**values, **changes})


def write_run(folder: Path, metrics: list[MetricsRow], groups: list[GroupRow]) -> Path:
    write_json(folder / "config.json", {"stage": 1, "seed": 0})
    write_json(folder / "manifest.json", manifest().to_row())
    for name, rows in (("metrics", metrics), ("groups", groups)):
        with JsonlAppender(folder / f"{name}.jsonl") as log:
            for row in rows:
                log.append(row.to_row())
    return folder
