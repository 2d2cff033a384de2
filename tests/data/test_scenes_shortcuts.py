"""Tests of data/scenes/shortcuts.py: which traces guess, and what a guess says."""

from __future__ import annotations

import random
from pathlib import Path

from avatar_core.data.scenes import TEMPLATES, scene_samples
from avatar_core.data.scenes.shortcuts import GUESSES, guess

GUESS = "<think>I guess.</think>"


def test_only_crowded_visual_scenes_of_stage_zero_bring_guesses(tmp_path: Path) -> None:
    crowded = 0
    for sample in scene_samples(split="train", stage=0, count=54, root=tmp_path, workers=1):
        careful, *guesses = sample.responses
        assert not careful.startswith(GUESS)
        expected = GUESSES if sample.stage == 1 and int(str(sample.extra["level"])) >= 2 else 0
        assert len(guesses) == expected
        assert all(trace.startswith(GUESS) for trace in guesses)
        crowded += expected > 0
    assert crowded >= 5
    for sample in scene_samples(split="train", stage=1, count=14, root=tmp_path, workers=1):
        assert len(sample.responses) == 1


def test_a_guess_is_one_of_the_choices() -> None:
    rng = random.Random(0)
    asked = [template for template in TEMPLATES if template.stage == 1]
    assert len(asked) == 7
    for template in asked:
        found = {guess(rng, template) for _ in range(200)}
        assert found == {f"{GUESS}<answer>{key}</answer>" for key in template.keys}
