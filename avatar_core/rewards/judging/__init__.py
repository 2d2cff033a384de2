"""The judge: scripted for `scenes`, a served model, or a local one, behind one interface.

The reward function is in `reward.py`; importing it registers "judge".
"""

from avatar_core.rewards.judging.judge import (
    CountingJudge,
    Judge,
    JudgeCounts,
    JudgeRequest,
    Verdict,
)
from avatar_core.rewards.judging.opening import open_judge

__all__ = ["CountingJudge", "Judge", "JudgeCounts", "JudgeRequest", "Verdict", "open_judge"]
