"""Replay: stored groups, drawn by difficulty of their prompt."""

from avatar_core.replay.buffer import Drawn, ReplayBuffer
from avatar_core.replay.rule import DrawRule
from avatar_core.replay.state import Stored
from avatar_core.replay.store import load_buffer, save_buffer
from avatar_core.replay.tiers import Tier

__all__ = [
    "DrawRule",
    "Drawn",
    "ReplayBuffer",
    "Stored",
    "Tier",
    "load_buffer",
    "save_buffer",
]
