"""The judge of a run: whether one is needed, whether it can be had, and what it is asked so far."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError
from avatar_core.rewards.judging.judge import CountingJudge, JudgeCounts
from avatar_core.rewards.judging.opening import open_judge, server_key
from avatar_core.training.data import SCENES

if TYPE_CHECKING:
    from avatar_core.training.parallel import World
    from avatar_core.training.telemetry import Counters

JUDGE = "judge"


def needs_judge(config: TrainConfig) -> bool:
    """Whether a run asks a judge; a reward of weight 0 is recorded, so its judge is asked too."""
    return config.stage > 0 and JUDGE in config.reward.weights


def check_judge(config: TrainConfig) -> None:
    """Check what can be checked of a judge without asking it.

    Raises:
        UsageError: the scripted judge is to grade something else than scenes, or the key of the
            server is not in the environment.
    """
    if not needs_judge(config):
        return
    if config.judge.kind == "scripted" and config.data != SCENES:
        raise UsageError(
            f"--data {config.data}: the scripted judge knows the facts of scenes only; set "
            "judge.kind=served with judge.url and judge.model, or judge.kind=local with "
            "judge.model, or leave the judge out of reward.weights"
        )
    if config.judge.kind == "served":
        server_key(config.judge.api_key_env)


def judge_of(config: TrainConfig, run: Path) -> CountingJudge | None:
    """Open the judge of a run, a local model is loaded here; `None` when none is needed.

    Raises:
        AvatarError: see `avatar_core.rewards.judging.opening.open_judge`.
    """
    return open_judge(config.judge, run, seed=config.seed) if needs_judge(config) else None


def take_counts(judge: CountingJudge, counters: Counters, world: World) -> None:
    """Add what the judges of all processes have counted to the totals of the run; they begin anew.

    A judge that is opened anew, when a run is resumed, has counted nothing.
    """
    counts, judge.counts = judge.counts, JudgeCounts()
    graded, unparsed, unreachable = world.total(
        [counts.graded, counts.unparsed, counts.unreachable]
    )
    counters.judge_graded += int(graded)
    counters.judge_unparsed += int(unparsed)
    counters.judge_unreachable += int(unreachable)
