"""Items per second of `avatar eval` beside one item at a time, as one JSON document on stdout.

    python -m tests.performance.eval_throughput [--items 500] [--repeats 3] [--model tiny]

Both answer the same scenes greedily, with the same weights and prompts, in turns. The first is an
evaluation as the command runs it, from the choice of its batch size to the written summary. The
second is the loop that evaluation scripts usually have: decode the item's media in this process,
call the processor, call `generate` of a thinker as transformers loads it on this one prompt, decode
the new tokens. Loading weights, rendering clips and wording questions is part of neither. `tiny`
has untrained weights: its replies are noise and run to the length limit; a run directory gives a
trained model, whose replies differ in length.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2_5OmniProcessor, Qwen2_5OmniThinkerForConditionalGeneration

from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.media import MediaConfig
from avatar_core.evaluation.backend import Answerer
from avatar_core.evaluation.jobs import Job, make_job
from avatar_core.evaluation.run import measure_job, open_answerer
from avatar_core.evaluation.tasks import Task
from avatar_core.media.decode import decode
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Prompt
from avatar_core.models.prompting import control_tokens, processor_inputs
from avatar_core.run_settings import run_settings
from tests.performance.measuring import in_turns, ratio, report, spread

WARM = 8
"""Items that both answer before anything is timed."""


class Alone:
    """Answers one item after the other with thinker and processor as transformers reads them."""

    def __init__(self, checkpoint: str, config: EvalConfig) -> None:
        thinker: Any = Qwen2_5OmniThinkerForConditionalGeneration
        processor: Any = Qwen2_5OmniProcessor
        with tempfile.TemporaryDirectory() as name:
            load_policy(checkpoint).save(Path(name))
            self._model = thinker.from_pretrained(name).eval()
            self._processor = processor.from_pretrained(name)
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

    def reply(self, task: Task) -> str:
        """What the model writes for a task."""
        inputs = self._inputs(task)
        made = self._generate(inputs)[:, inputs["input_ids"].shape[1] :]
        (text,) = self._processor.batch_decode(made, skip_special_tokens=True)
        return str(text)

    def narrowest(self, task: Task) -> float:
        """Smallest distance of the best score from the second best among the tokens of a reply."""
        made = self._generate(self._inputs(task), output_scores=True, return_dict_in_generate=True)
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


def replies_of(job: Job, model: Answerer) -> dict[str, str]:
    """Answer the job as the command does, in a result directory of its own; texts by id."""
    with tempfile.TemporaryDirectory() as name:
        done = measure_job(job._replace(directory=Path(name, "out")), model, lambda *_: None)
    return {row.id: row.text or "" for row in done.rows}


def compared(
    ours: Mapping[str, str], theirs: Mapping[str, str], alone: Alone, tasks: Sequence[Task]
) -> dict[str, Any]:
    """How many replies are equal, and how close a call each of the others was.

    A batch adds its numbers in another order than a single prompt, which moves scores by about
    1e-6; a reply may part from the other only where two tokens are as close as that.
    """
    parted = [task for task in tasks if ours[task.id] != theirs[task.id]]
    margins = [alone.narrowest(task) for task in parted]
    return {
        "equal_replies": len(tasks) - len(parted),
        "distinct_replies": len(set(ours.values())),
        "widest_call_of_a_different_reply": max(margins, default=None),
    }


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", default="tiny", help="tiny, or a run directory")
    parser.add_argument("--max-new-tokens", type=int, help="default: as the model was trained")
    parser.add_argument("--out", type=Path, help="write the JSON document here too")
    return parser.parse_args()


def main() -> None:
    """Let both answer in turns, and write what came of it."""
    chosen = options()
    settings = run_settings(chosen.model)
    config = EvalConfig(
        names=("scenes",),
        model=chosen.model,
        limit=chosen.items,
        max_new_tokens=chosen.max_new_tokens,
    )
    job = make_job(config, "scenes", settings)
    model = open_answerer(config, settings, lambda *_: None)
    alone = Alone(settings.checkpoint, job.config)
    replies: dict[str, dict[str, str]] = {}

    def runner(wanted: Job = job) -> None:
        replies["runner"] = replies_of(wanted, model)

    def loop(wanted: Job = job) -> None:
        replies["loop"] = {task.id: alone.reply(task) for task in wanted.tasks}

    for side in (runner, loop):
        side(job._replace(tasks=job.tasks[:WARM]))
    seconds = in_turns({"runner": runner, "loop": loop}, chosen.repeats, warm_up=0)
    items = len(job.tasks)
    rates = {name: spread([items / one for one in found]) for name, found in seconds.items()}
    faster = ratio(seconds, "loop", "runner")
    for name, rate in rates.items():
        sys.stderr.write(f"{name}: {rate['median']:.2f} items per second\n")
    sys.stderr.write(f"ratio: {faster['median']:.2f}, by round {faster['rounds']}\n")
    document = {
        "model": chosen.model,
        "items": items,
        "max_new_tokens": job.config.max_new_tokens,
        "items_per_second": rates,
        "ratio": faster,
        **compared(replies["runner"], replies["loop"], alone, job.tasks),
    }
    report(document, chosen.out)


if __name__ == "__main__":
    main()
