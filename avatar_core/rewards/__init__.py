"""Rewards: the answer parser, the functions by name, and their weighted sum."""

from avatar_core.rewards import accuracy as _accuracy
from avatar_core.rewards import format as _format
from avatar_core.rewards.combine import Scored, score
from avatar_core.rewards.registry import REWARDS, RewardFunction, register

__all__ = ["REWARDS", "RewardFunction", "Scored", "register", "score"]
# Importing the modules registered their functions.
del _accuracy, _format
