"""What ms-swift loads when `peer_swift` times it: a reward, and a line of JSON for every step.

Used through the extension points of ms-swift alone, `--external_plugins`, `--reward_funcs` and
`--callbacks`; its files stay as they are. Without the environment variable that names the log this
file does nothing, so that the other side can take the reward from here.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

LOG = "PEER_SWIFT_LOG"
"""Environment variable with the path of the log."""
NAME = "letter_share"
"""Name of the reward; untrained models give no right answer, but more or fewer letters."""
CALLBACK = "step_log"
PACKAGES = ("ms-swift", "torch", "transformers", "trl")


def letter_share(text: str) -> float:
    """Share of the characters of a text that are letters."""
    return sum(character.isalpha() for character in text) / max(1, len(text))


class StepLog:
    """Writes what every step trained on, and when it ended.

    Attributes:
        path: of the log; the first line says which packages are in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._batches: list[dict[str, Any]] = []
        self._step = 0

    def begin(self, versions: Mapping[str, str]) -> None:
        """Start the file."""
        self.path.write_text(json.dumps(versions) + "\n")

    def batch(self, names: Sequence[str], input_ids: Any, mask: Any, logprobs: Any) -> None:
        """Remember a batch.

        Args:
            names: ids of the samples, one for each completion.
            input_ids: int64 [completions, tokens], prompts with their completions.
            mask: bool [completions, last tokens], true on completions.
            logprobs: float32, of the tokens of `mask`.
        """
        for name, ids, own, values in zip(
            names, input_ids.tolist(), mask.tolist(), logprobs.tolist(), strict=True
        ):
            tail = len(ids) - len(own)
            places = [place for place, mine in enumerate(own) if mine]
            tokens = [ids[tail + place] for place in places]
            row = {"id": name, "prompt": ids[: tail + places[0]], "tokens": tokens}
            # The weights are still those of the checkpoint, so that the other side can compare.
            first = {"logprobs": [values[place] for place in places]} if not self._step else {}
            self._batches.append(row | first)

    def end_step(self) -> None:
        """Write a line for the step that ends now."""
        ended = time.perf_counter()
        self._step += 1
        line = {"step": self._step, "ended": ended, "completions": self._batches}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._batches = []


def install(log: StepLog) -> None:
    """Register the reward and a callback that feeds the log."""
    # Not installed where this project is checked.
    from swift.callbacks import (  # type: ignore[import-not-found, unused-ignore]
        TrainerCallback,
        callbacks_map,
    )
    from swift.rewards import ORM, orms  # type: ignore[import-not-found, unused-ignore]

    class LetterShare(ORM):  # type: ignore[misc, unused-ignore]
        def __call__(self, completions: Sequence[str], **_: object) -> list[float]:
            return [letter_share(text) for text in completions]

    class Logging(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def __init__(self, args: Any, trainer: Any) -> None:
            super().__init__(args, trainer)
            prepare = trainer._prepare_batch_inputs

            def logged(samples: Any) -> Any:
                batches = prepare(samples)
                # One batch, as one group makes a step.
                (batch,) = batches
                found = batch["grpo_batch"]
                log.batch(
                    [sample.extra["id"] for sample in samples],
                    batch["model_inputs"]["input_ids"],
                    found.completion_mask,
                    found.old_per_token_logps,
                )
                return batches

            trainer._prepare_batch_inputs = logged

        def on_train_begin(self, *_: object, **__: object) -> None:
            log.begin({name: version(name) for name in PACKAGES})

        def on_step_end(self, *_: object, **__: object) -> None:
            log.end_step()

    orms[NAME] = LetterShare
    callbacks_map[CALLBACK] = Logging


if LOG in os.environ:
    install(StepLog(Path(os.environ[LOG])))
