"""Rewards: the answer parser, the functions by name, and their weighted sum."""

from avatar_core.rewards import accuracy as _accuracy
from avatar_core.rewards import consistency as _consistency
from avatar_core.rewards import format as _format
from avatar_core.rewards.combine import Scored, score
from avatar_core.rewards.judging import reward as _judge
from avatar_core.rewards.registry import REWARDS, RewardContext, RewardFunction, register

__all__ = ["REWARDS", "RewardContext", "RewardFunction", "Scored", "register", "score"]
# Importing the modules registered their functions.
del _accuracy, _consistency, _format, _judge
