"""What a configuration key that does not exist may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

SIMILARITY = 0.7
"""Least share of matching characters at which a key is taken for a misspelling of another."""
ELSEWHERE = {
    "adam_beta1": "optim.beta1",
    "adam_beta2": "optim.beta2",
    "beta": "loss.beta",
    "clip_ratio": "loss.clip_low",
    "epsilon": "loss.clip_low",
    "epsilon_high": "loss.clip_high",
    "gradient_accumulation_steps": "optim.accumulate",
    "importance_sampling_level": "loss.level",
    "kl_coef": "loss.beta",
    "kl_loss_coef": "loss.beta",
    "learning_rate": "optim.lr",
    "lora_alpha": "lora.alpha",
    "lora_r": "lora.rank",
    "lora_rank": "lora.rank",
    "loss_type": "loss.aggregate",
    "lr_scheduler_type": "optim.schedule",
    "max_completion_length": "sampling.max_new_tokens",
    "max_response_length": "sampling.max_new_tokens",
    "max_tokens": "sampling.max_new_tokens",
    "model_name_or_path": "model",
    "n": "rollout.group_size",
    "num_generations": "rollout.group_size",
    "output_dir": "out",
    "per_device_train_batch_size": "rollout.prompts_per_step",
    "save_steps": "checkpoint.every",
    "save_total_limit": "checkpoint.keep",
    "scale_rewards": "advantage.scale",
    "temperature": "sampling.temperature",
    "train_batch_size": "rollout.prompts_per_step",
    "warmup_ratio": "optim.warmup",
}
"""Keys by what TRL, ms-swift or verl call the same thing, or the nearest to it."""


def meant(key: str, known: Sequence[str]) -> str | None:
    """The known key that an unknown one may stand for; `None` when none is near.

    First comes the name of another program, then a key that ends in the same word, then the nearest
    spelling.

    Args:
        key: what was given, with or without its section.
        known: the keys that exist.

    >>> keys = ["optim.lr", "optim.warmup", "steps"]
    >>> [meant(key, keys) for key in ("learning_rate", "warmup", "stpes", "colour")]
    ['optim.lr', 'optim.warmup', 'steps', None]
    """
    word = key.rpartition(".")[2]
    if ELSEWHERE.get(word) in known:
        return ELSEWHERE[word]
    ending = [other for other in known if other.rpartition(".")[2] == word]
    near = difflib.get_close_matches(key, ending or known, 1, 0.0 if ending else SIMILARITY)
    return near[0] if near else None


def instead(key: str, known: Sequence[str], *, training: bool) -> str:
    """What to give instead of an unknown key, or where the known ones are; ends an error message.

    Args:
        key: dotted, as given.
        known: the keys that exist.
        training: whether they are those of a training run, too many for a message.
    """
    if near := meant(key, known):
        return f"did you mean {near!r}?"
    if training:
        return "`avatar train --stage 1 --dry-run` prints all keys, docs/presets.md explains them"
    return f"known: {', '.join(known)}"
