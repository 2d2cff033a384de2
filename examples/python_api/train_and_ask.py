"""Train, evaluate and ask the embedded model from Python."""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import avatar_core
from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.resolve import resolve_train
from avatar_core.data.scenes import scene_samples
from avatar_core.evaluation.run import EvalResult
from avatar_core.inference import Answer
from avatar_core.training.run import RunResult


class Outcome(NamedTuple):
    """What came of it."""

    run: RunResult
    score: EvalResult
    answer: Answer


def train_and_ask(out: Path, *settings: str) -> Outcome:
    """Train a little on scenes, score the result on held-out ones and ask it about a clip.

    Args:
        out: run directory.
        settings: what `avatar train --set` takes, over those below.
    """
    few = ("steps=3", "rollout.pool=16", "held_out.samples=0")
    config = resolve_train(stage=1, assignments=[*few, f"out={out}", *settings])
    run = avatar_core.train(config)
    model = str(run.directory)
    score = avatar_core.evaluate(EvalConfig(names=("scenes",), model=model, stage=1, limit=8))
    (sample,) = scene_samples(split="test", stage=1, count=1)
    answer = avatar_core.infer(sample.media[0].path, sample.question, model=model)
    return Outcome(run, score, answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train, evaluate and ask the embedded model.")
    parser.add_argument("out", type=Path)
    outcome = train_and_ask(parser.parse_args().out)
    (evaluation,) = outcome.score.evaluations
    sys.stdout.write(f"accuracy {evaluation.summary.accuracy:.3f}\n{outcome.answer.text}\n")
