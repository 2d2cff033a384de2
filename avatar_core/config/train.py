"""Configuration of a training run: every number of the method with its range, meaning and source.

Sections are frozen models; `resolve.py` fills them from a preset, a file and `--set`. Fields that
may change when a run is resumed are listed in `FREE_ON_RESUME`; every other change is refused.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from avatar_core.config.base import Frozen
from avatar_core.config.hints import HintConfig
from avatar_core.config.judge import JUDGE_FREE_ON_RESUME, JudgeConfig
from avatar_core.config.media import MediaConfig
from avatar_core.config.replay import ReplayConfig
from avatar_core.config.reward import RewardConfig

Shape = Literal["parabola", "uniform", "linear-decay", "linear-incline", "inverse"]
LEAST_VOTES = 4
"""Fewest completions whose majority the self reward may take, where groups adapt their size."""

FREE_ON_RESUME = (
    frozenset({"steps", "out", "checkpoint", "media.workers", "media.cache_bytes"})
    | JUDGE_FREE_ON_RESUME
)
"""Dotted fields that a resumed run may change; steps may grow."""


class SamplingConfig(Frozen):
    """How completions are drawn during training."""

    max_new_tokens: int = Field(2048, ge=1)
    """Length limit of a completion."""
    temperature: float = Field(1.0, gt=0)
    """Softmax temperature of the draw."""
    top_k: int = Field(50, ge=0)
    """Tokens kept at each step; 0 keeps all."""
    top_p: float = Field(1.0, gt=0, le=1)
    """Nucleus kept at each step; 1 keeps all."""


class RolloutConfig(Frozen):
    """Which prompts are visited and how many completions each gets."""

    prompts_per_step: int = Field(1, ge=1)
    """Prompts visited per optimiser step."""
    group_size: int = Field(8, ge=2)
    """Completions trained on per visited prompt, fresh and replayed together."""
    fresh_per_group: int = Field(4, ge=1)
    """Completions generated per prompt while replay supplies the rest; `group_size` before that."""
    discard: bool = False
    """Generate `group_size` all the same, store all and train on `fresh_per_group` (release)."""
    adaptive_group: bool = False
    """Generate fewer, down to `min_group`, where a prompt's rewards are well remembered."""
    min_group: int = Field(2, ge=1)
    """Fewest completions generated per prompt under `adaptive_group`."""
    skip: bool = False
    """Pass over some visits of prompts whose rewards have long been all equal."""
    skip_keep: float = Field(0.5, gt=0, le=1)
    """Share of visits on trial that `skip` keeps after one whole group of equal rewards; each
    further one keeps this share of the rest."""
    skip_uniform: float = Field(0.5, ge=0.5, le=1)
    """Share of visits that are not on trial: `skip` keeps them whatever the rewards were."""
    pool: int = Field(4096, ge=1)
    """Distinct prompts drawn from the data; fewer when the data hold fewer."""
    window: int = Field(256, ge=1)
    """Prompts that are visited `visits` times before the next ones come up."""
    visits: int = Field(2, ge=1)
    """Visits of each prompt within its window; baselines and hints need at least two."""
    system_prompt: str = (
        "Think about the question first and write your reasoning between <think> and </think>. "
        "Then write the final answer between <answer> and </answer>."
    )
    """System turn of every prompt."""

    @model_validator(mode="after")
    def _fresh_fits(self) -> RolloutConfig:
        if self.fresh_per_group > self.group_size:
            raise ValueError(
                f"rollout.fresh_per_group={self.fresh_per_group} exceeds "
                f"rollout.group_size={self.group_size}; lower it"
            )
        if self.adaptive_group and self.min_group > self.fresh_per_group:
            raise ValueError(
                f"rollout.min_group={self.min_group} exceeds "
                f"rollout.fresh_per_group={self.fresh_per_group}; lower it"
            )
        return self


class AdvantageConfig(Frozen):
    """From rewards to per-token advantages."""

    eps: float = Field(1e-4, ge=0)
    """Added to the group's standard deviation."""
    scale: Literal["std", "none"] = "std"
    """`none` leaves centred rewards unscaled."""
    baseline: Literal["group", "shrinkage"] = "group"
    """What fresh rewards are compared with: the mean of their group, or the mean of the others in
    it shrunk towards what is remembered of the prompt."""
    forgetting: float = Field(0.98, gt=0, le=1)
    """Share of its weight that a remembered reward has left one optimiser step later."""
    prior_strength: float = Field(2.0, gt=0)
    """Remembered rewards that one reward of the present group is worth under `shrinkage`."""
    alpha: float = Field(1.0, ge=0)
    """Weight of the replayed advantages."""
    vcrs_scale: Literal["batch", "none"] = "batch"
    """Replayed advantages over the standard deviation of the update's rewards, or unscaled."""
    tas_lambda: float = Field(0.3, ge=0)
    """Extra credit at the ends of a completion; 0 is uniform credit."""
    tas_shape: Shape = "parabola"
    """Curve of the credit over a completion."""
    tas_normalize: bool = False
    """Scale the weights to mean 1 over each completion."""


class LossConfig(Frozen):
    """The clipped surrogate with a KL term."""

    beta: float = Field(0.1, ge=0)
    """Weight of the KL divergence to the reference policy."""
    kl_weights: Literal["importance", "none"] = "importance"
    """`importance` weights each token's KL by its truncated ratio, `none` is the release."""
    clip_low: float = Field(0.2, ge=0, lt=1)
    """The importance ratio is clipped below at 1 minus this."""
    clip_high: float = Field(0.2, ge=0)
    """The importance ratio is clipped above at 1 plus this."""
    level: Literal["token", "sequence"] = "token"
    """Importance ratio of each token, or of the completion (mean log-ratio)."""
    aggregate: Literal["grpo", "bnpo", "dr_grpo", "dapo"] = "grpo"
    """How per-token losses become one number."""
    ratio_cap: float | None = Field(None, gt=1)
    """Bound of the ratio of completions with negative advantage; None leaves them unbounded."""

    @model_validator(mode="after")
    def _cap_above_clip(self) -> LossConfig:
        if self.ratio_cap is not None and self.ratio_cap < 1 + self.clip_high:
            raise ValueError(
                f"loss.ratio_cap={self.ratio_cap} is below 1 + loss.clip_high; raise it"
            )
        return self


class OptimConfig(Frozen):
    """The optimiser, with linear warm-up."""

    method: Literal["adamw", "muon"] = "adamw"
    """What changes the weights: AdamW, or Muon for the matrices of linear layers, to which neither
    beta applies, and AdamW for the rest. Measured on the embedded model's stage 0 alone, where Muon
    wants fewer steps."""
    lr: float = Field(5e-7, gt=0)
    """Peak learning rate."""
    warmup: float = Field(0.05, ge=0, le=1)
    """Share of the steps over which the rate rises."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """After warm-up: to zero along a cosine, or constant."""
    beta1: float = Field(0.9, ge=0, lt=1)
    """Decay of AdamW's mean of gradients."""
    beta2: float = Field(0.999, ge=0, lt=1)
    """Decay of AdamW's mean of squared gradients; lower follows faster in a short run."""
    weight_decay: float = Field(0.0, ge=0)
    """Decoupled weight decay."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Gradients are scaled down to this norm."""
    accumulate: int = Field(1, ge=1)
    """Micro-batches that an update is cut into, by prompts; more take less memory, same loss."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass instead of keeping them: one more forward pass
    per update."""
    max_skipped: int = Field(5, ge=1)
    """Consecutive steps with a loss or gradient that is not finite before the run stops."""


class LoraSettings(Frozen):
    """The low-rank adapter of `tuning = "lora"`, on every linear layer.

    It has no dropout: log-probabilities of one completion under one policy must not vary.
    """

    rank: int = Field(8, ge=1)
    """Rank of every update."""
    alpha: int = Field(32, ge=1)
    """An update is scaled by alpha over rank."""


class SupervisedConfig(Frozen):
    """Stage 0: supervised training on reasoning traces."""

    batch_size: int = Field(16, ge=1)
    """Samples per optimiser step."""


class HeldOutConfig(Frozen):
    """Greedy accuracy on held-out samples before and after the stage."""

    samples: int = Field(200, ge=0)
    """Held-out samples; 0 leaves the measurement out."""
    data: str | None = None
    """JSONL file of held-out samples; None takes the test split of `scenes`, and none elsewhere."""
    batch_size: int = Field(32, ge=1)
    """Samples answered together."""


class CheckpointConfig(Frozen):
    """What is kept on disk."""

    every: int = Field(250, ge=1)
    """Steps between checkpoints; the last step always writes one."""
    keep: int = Field(2, ge=1)
    """Checkpoints kept, newest first."""


class TrainConfig(Frozen):
    """Everything that determines a training run."""

    stage: int = Field(1, ge=0, le=3)
    """0 supervised; 1 visual; 2 audio-visual; 3 localisation."""
    model: str = "tiny"
    """`tiny`, a checkpoint directory or a hub id."""
    data: str = "scenes"
    """`scenes` or a JSONL file."""
    out: str = "runs/stage1"
    """Run directory."""
    init: str | None = None
    """Checkpoint or run directory the stage starts from; None starts from `model`."""
    preset: str = "paper"
    """The preset the defaults came from."""
    tuning: Literal["full", "lora"] = "full"
    """Train all weights, or a low-rank adapter."""
    threads: int | None = Field(None, ge=1)
    """Threads of one torch operation on the CPU; None leaves the choice to torch."""
    steps: int = Field(1000, ge=1)
    """Optimiser steps."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Run seed; every random draw is a function of it and of where the draw happens."""
    media: MediaConfig = MediaConfig()
    sampling: SamplingConfig = SamplingConfig()
    rollout: RolloutConfig = RolloutConfig()
    reward: RewardConfig = RewardConfig()
    judge: JudgeConfig = JudgeConfig()
    advantage: AdvantageConfig = AdvantageConfig()
    replay: ReplayConfig = ReplayConfig()
    hints: HintConfig = HintConfig()
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()
    lora: LoraSettings = LoraSettings()
    supervised: SupervisedConfig = SupervisedConfig()
    held_out: HeldOutConfig = HeldOutConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()

    @field_validator("reward")
    @classmethod
    def _majority_has_votes(cls, reward: RewardConfig, info: ValidationInfo) -> RewardConfig:
        rollout = info.data.get("rollout")
        votes = bool(reward.weights.get("self"))
        if votes and rollout and rollout.adaptive_group and rollout.min_group < LEAST_VOTES:
            raise ValueError(
                f"the self reward takes a majority of at least {LEAST_VOTES} completions; "
                f"set rollout.min_group={LEAST_VOTES} or rollout.adaptive_group=false"
            )
        return reward
