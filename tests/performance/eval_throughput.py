"""Items per second of `avatar eval` beside one item at a time, as one JSON document on stdout.

    python tests/performance/eval_throughput.py [--items 500] [--repeats 3] [--model tiny]

Both answer the same scenes greedily, with the same weights and prompts, in turns. The first is an
evaluation as the command runs it, from the choice of its batch size to the written summary. The
second is the loop that evaluation scripts usually have: decode the item's media in this process,
call the processor, call the family's own `generate` on this one prompt, decode the new tokens.
Loading weights, rendering clips and making tasks is part of neither. `tiny` has untrained weights:
its replies are noise and all run to the length limit; give a run directory for a trained model.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.media import MediaConfig
from avatar_core.evaluation.jobs import Job, make_job
from avatar_core.evaluation.run import measure_job, open_answerer
from avatar_core.evaluation.tasks import Task
from avatar_core.media.decode import decode
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Prompt
from avatar_core.models.prompting import control_tokens, processor_inputs
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.run_settings import RunSettings, run_settings


class Round(NamedTuple):
    """One pass over all items."""

    seconds: float
    """Wall time."""
    replies: Mapping[str, str]
    """Text by item id."""


class Alone:
    """Answers one item after the other with the thinker and processor of transformers."""

    def __init__(self, policy: QwenOmniPolicy, config: EvalConfig) -> None:
        self._model: Any = policy.model
        self._processor: Any = policy.processor
        self._media = config.media or MediaConfig()
        self._system = config.system_prompt or None
        tokenizer = self._processor.tokenizer
        stops = [tokenizer.eos_token_id, tokenizer.pad_token_id]
        self._options: dict[str, Any] = {
            "do_sample": False,
            "max_new_tokens": config.max_new_tokens,
            "eos_token_id": stops,
            "pad_token_id": tokenizer.pad_token_id,
            # As in the project's decoding: control tokens are no part of an answer.
            "suppress_tokens": sorted(set(control_tokens(self._processor).values()) - set(stops)),
        }

    def answer(self, tasks: Sequence[Task]) -> Round:
        """Reply to every task."""
        begun = time.perf_counter()
        replies = {task.id: self._reply(task) for task in tasks}
        return Round(time.perf_counter() - begun, replies)

    def narrowest(self, task: Task) -> float:
        """Smallest distance of the best score from the second best among the tokens of a reply."""
        inputs = self._inputs(task)
        made = self._generate(inputs, output_scores=True, return_dict_in_generate=True)
        best = torch.stack(made.scores).topk(2, dim=-1).values
        return float((best[..., 0] - best[..., 1]).min())

    def _inputs(self, task: Task) -> dict[str, Any]:
        parts = tuple(
            part if isinstance(part, str) else decode(part, self._media, self._media.audio)
            for part in task.content
        )
        inputs: dict[str, Any] = processor_inputs(Prompt(self._system, parts), self._processor)
        inputs["video_second_per_grid"] = torch.as_tensor(inputs["video_second_per_grid"])
        return inputs

    @torch.no_grad()
    def _generate(self, inputs: Mapping[str, Any], **more: Any) -> Any:
        return self._model.generate(**inputs, use_audio_in_video=True, **self._options, **more)

    def _reply(self, task: Task) -> str:
        inputs = self._inputs(task)
        made = self._generate(inputs)[:, inputs["input_ids"].shape[1] :]
        (text,) = self._processor.batch_decode(made, skip_special_tokens=True)
        return str(text)


def run_once(job: Job, model: Any) -> Round:
    """The job as the command does it, in a result directory of its own."""
    with tempfile.TemporaryDirectory() as name:
        begun = time.perf_counter()
        done = measure_job(job._replace(directory=Path(name, "out")), model, lambda *_: None)
        seconds = time.perf_counter() - begun
    return Round(seconds, {row.id: row.text or "" for row in done.rows})


def prepared(arguments: argparse.Namespace) -> tuple[Job, RunSettings]:
    """The job, with its clips rendered."""
    config = EvalConfig(
        names=("scenes",),
        model=arguments.model,
        limit=arguments.items,
        max_new_tokens=arguments.max_new_tokens,
        batch_size=arguments.batch_size,
    )
    settings = run_settings(arguments.model)
    return make_job(config, "scenes", settings), settings


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, minimum and maximum."""
    found = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return {name: round(value, 3) for name, value in found.items()}


def compared(ours: Round, theirs: Round, alone: Alone, tasks: Sequence[Task]) -> dict[str, Any]:
    """How many replies are equal, and how close a call each of the others was.

    A batch adds its numbers in another order than a single prompt, which moves scores by about
    1e-6; a reply may part from the other only where two tokens are as close as that.
    """
    parted = [task for task in tasks if ours.replies[task.id] != theirs.replies[task.id]]
    margins = [alone.narrowest(task) for task in parted]
    return {
        "equal_replies": len(tasks) - len(parted),
        "distinct_replies": len(set(ours.replies.values())),
        "widest_call_of_a_different_reply": max(margins, default=None),
    }


def main() -> None:
    """Let both answer in turns, each first in every second round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--max-new-tokens", type=int, default=None)
    parser.add_argument("--batch-size", type=int, default=None)
    arguments = parser.parse_args()
    job, settings = prepared(arguments)
    model = open_answerer(job.config, settings, lambda *_: None)
    alone = Alone(load_policy(settings.checkpoint), job.config)
    # What only a first call pays: caches of the file system, kernels chosen once.
    run_once(job._replace(tasks=job.tasks[:8]), model)
    alone.answer(job.tasks[:8])
    rounds: dict[str, list[Round]] = {"runner": [], "alone": []}
    for number in range(arguments.repeats):
        for name in ("runner", "alone") if number % 2 == 0 else ("alone", "runner"):
            done = run_once(job, model) if name == "runner" else alone.answer(job.tasks)
            rounds[name].append(done)
            rate = len(job.tasks) / done.seconds
            sys.stderr.write(f"round {number}, {name}: {rate:.2f} items per second\n")
    ratios = [b.seconds / a.seconds for a, b in zip(*rounds.values(), strict=True)]
    rates = {
        name: spread([len(job.tasks) / one.seconds for one in done])
        for name, done in rounds.items()
    }
    document = {
        "machine": {"cpus": os.cpu_count(), "threads": torch.get_num_threads()},
        "model": arguments.model,
        "items": len(job.tasks),
        "max_new_tokens": job.config.max_new_tokens,
        "items_per_second": rates,
        "ratio": spread(ratios),
        "ratios": [round(ratio, 3) for ratio in ratios],
        **compared(rounds["runner"][0], rounds["alone"][0], alone, job.tasks),
    }
    sys.stderr.write(f"ratio: median {statistics.median(ratios):.2f}, of {document['ratios']}\n")
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
