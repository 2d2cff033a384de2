"""Accuracies that AVATAR's authors publish for Qwen2.5-Omni-7B, by benchmark.

From tables 1 to 3 of arXiv 2508.03100. Their evaluation scripts read answers and count failures in
ways of their own, so that a few points between those figures and ours say nothing.
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """Accuracies that AVATAR's authors give for Qwen2.5-Omni-7B, in percent."""

    baseline: float
    """The model as it is."""
    grpo: float
    """After GRPO."""
    avatar: float
    """After AVATAR."""


PUBLISHED: dict[str, Published] = {
    "omnibench": Published(44.2, 45.4, 49.1),
    "daily_omni": Published(44.0, 44.8, 47.0),
    "cg_av_counting": Published(22.3, 22.8, 23.1),
    "av_odyssey": Published(29.8, 31.3, 32.1),
    "worldsense": Published(44.2, 45.1, 46.0),
    "intentbench": Published(63.7, 63.8, 63.9),
    "mvbench": Published(66.1, 66.3, 66.4),
    "video_mme": Published(58.3, 60.5, 62.8),
    "lvbench": Published(37.2, 37.8, 38.4),
    "video_holmes": Published(40.6, 43.2, 45.1),
    "mmvu": Published(60.2, 64.0, 65.6),
    "tomato": Published(29.0, 29.2, 30.8),
    "video_mmmu": Published(46.8, 48.1, 49.4),
    "vsi_bench": Published(25.4, 25.9, 26.8),
    "video_tt": Published(41.8, 43.0, 44.2),
}
"""In percent; of MMVU the multiple-choice questions, of CG-AV-Counting the whole videos."""
