from __future__ import annotations

from pathlib import Path

from avatar_core.rewards import REWARDS
from avatar_core.rewards.custom import load_rewards

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_reward_of_the_example_registers_and_scores() -> None:
    assert load_rewards(EXAMPLES / "own_reward" / "brevity.py") == ("brevity",)
    try:
        # 25 of 100 words leave three quarters; beyond 100 nothing is left.
        assert REWARDS["brevity"](["word " * 25, "", "word " * 300], None) == [0.75, 1.0, 0.0]
    finally:
        del REWARDS["brevity"]
