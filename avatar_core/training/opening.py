"""The policy that a run begins with: what of it is trained, whether a reference stays behind."""

from __future__ import annotations

from avatar_core.config.train import TrainConfig
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy


def open_policy(start: str, config: TrainConfig) -> QwenOmniPolicy:
    """The policy that a run begins with: trained weights chosen, reference frozen if needed."""
    policy = load_policy(start, seed=config.seed, tuning=config.tuning)
    choose_trained(policy, config)
    if needs_reference(config):
        with policy.reference():
            pass
    return policy


def choose_trained(policy: QwenOmniPolicy, config: TrainConfig) -> None:
    """Decide which weights training changes, an adapter's or all, and what it keeps in memory."""
    if config.tuning == "lora":
        policy.add_adapter(config.lora.rank, config.lora.alpha, seed=config.seed)
    else:
        policy.merge_adapter()
    if config.optim.gradient_checkpointing:
        policy.recompute_activations()


def needs_reference(config: TrainConfig) -> bool:
    """Whether anything of a run looks at the policy that it began with."""
    hints, replay = config.hints, config.replay
    stuck = hints.enabled and hints.rule != "zero_streak" and hints.kl_to == "reference"
    scored = replay.enabled and replay.priority == "release" and replay.kl_weight > 0
    return config.stage > 0 and (config.loss.beta > 0 or stuck or scored)
