"""The four stages in a row: each begins with what the one before it left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig

STAGES = (0, 1, 2, 3)
DEFAULT_OUT = "runs/all"
_TAUGHT_BY = (
    "model",
    "data",
    "init",
    "tuning",
    "steps",
    "media",
    "optim",
    "supervised",
    "held_out",
)


def resolve_stages(
    *,
    preset: str | None = None,
    file: Path | None = None,
    assignments: Iterable[str] = (),
    flags: Mapping[str, object] | None = None,
) -> list[TrainConfig]:
    """Resolve the configurations of all stages; each has its run in `<out>/stage<N>`.

    File, assignments and flags apply to every stage. Stage 0 begins with `init`, if there is one.
    The embedded model, asked to learn what its cold start learns, takes that as its stage 0, so
    that runs with other seeds or presets begin with one policy.

    Args:
        preset: as of `resolve_train`, which says also what is refused.
        file: likewise.
        assignments: likewise.
        flags: likewise; `out` is the directory of all runs.
    """
    given, assignments = dict(flags or {}), tuple(assignments)

    def resolved(stage: int) -> TrainConfig:
        return resolve_train(
            stage=stage, preset=preset, file=file, assignments=assignments, flags=given
        )

    first = resolved(0)
    root = Path(DEFAULT_OUT if first.out == "runs/stage0" else first.out)
    configs: list[TrainConfig] = []
    for stage in STAGES:
        given["out"] = str(root / f"stage{stage}")
        configs.append(resolved(stage))
        given["init"] = given["out"]
    if taught_alike(configs[0], cold_start_config()):
        configs[0] = cold_start_config().model_copy(update={"out": configs[0].out})
    return configs


def cold_start_config() -> TrainConfig:
    """Stage 0 of the embedded model, the same for all seeds and presets; `out` is left open."""
    return resolve_train(stage=0, preset="paper", flags={"data": "scenes", "seed": 0})


def taught_alike(one: TrainConfig, other: TrainConfig) -> bool:
    """Whether two stages 0 teach the same; what only the later stages use may differ."""
    same = all(getattr(one, name) == getattr(other, name) for name in _TAUGHT_BY)
    rollouts = (one.rollout, other.rollout)
    prompts = {(rollout.pool, rollout.system_prompt) for rollout in rollouts}
    return same and one.stage == other.stage == 0 and len(prompts) == 1
