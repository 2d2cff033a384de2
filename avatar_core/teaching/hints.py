"""The teacher who writes hints to a file (`avatar_core.data.given_hints` says what is in it)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core.config.judge import plain_address, redacted
from avatar_core.config.train import TrainConfig
from avatar_core.data.given_hints import Hint, read_hints
from avatar_core.errors import ServiceError, UsageError
from avatar_core.files import write_atomic
from avatar_core.rewards.judging.chat import Reply
from avatar_core.rewards.judging.opening import server_key
from avatar_core.rewards.judging.rubric import ChatPrompt
from avatar_core.rewards.judging.rubric_judge import Responder
from avatar_core.rewards.judging.served import ServedModel, Server
from avatar_core.teaching.suggestions import fault_of, prompt_text, suggestion_of
from avatar_core.training.data import hinted, training_part
from avatar_core.types import Sample

BATCH = 8
"""Prompts asked between two writes of the file."""
MAX_REPLY_TOKENS = 1024
"""Room for the reasoning of a teacher that writes it out."""


class Lesson(NamedTuple):
    """What a call of `write_hints` did."""

    hints: int
    """Hints written."""
    refused: int
    """Prompts whose suggestions were refused."""
    already: int
    """Prompts that the file had already."""


def open_teacher(url: str, model: str, key_env: str | None) -> ServedModel:
    """A teacher behind an OpenAI-compatible server; nothing is sent yet.

    Args:
        url: base address, such as http://127.0.0.1:8000/v1.
        model: name that the server knows the model by.
        key_env: environment variable that holds the server's key; `None` sends none.

    Raises:
        UsageError: the address is no plain one, or the variable is not set.
    """
    try:
        address = plain_address(url, "--teacher-key-env")
    except ValueError as error:
        raise UsageError(f"--teacher-url {redacted(url)}: {error}") from error
    key = server_key(key_env or None, "--teacher-key-env")
    return ServedModel(Server(address, model, key, max_new_tokens=MAX_REPLY_TOKENS))


def samples_by_id(config: TrainConfig) -> dict[str, Sample]:
    """The samples that a run trains on, with its hints; clips of scenes are made where missing.

    Raises:
        UsageError: the run's file of data or hints is missing, or a row is not usable any more.
    """
    samples = hinted(training_part(config, render=True).samples, config)
    return {sample.id: sample for sample in samples}


def write_hints(
    samples: Sequence[Sample],
    responder: Responder,
    teacher: str,
    path: Path,
    tell: Callable[[int], None] = lambda _: None,
) -> Lesson:
    """Ask for a hint for each sample that a file lacks, and write them to it.

    The file is replaced as a whole after every few prompts, so a call that is cut short loses
    little and the next one goes on. A whole batch without a reply ends the call at once.

    Args:
        samples: questions to write hints for.
        responder: who answers.
        teacher: name of the model, for the rows.
        path: the file.
        tell: is told how many prompts were asked about so far.

    Raises:
        ServiceError: the teacher left prompts without a reply; the others are in the file.
        DataError: the file is not one of hints.
        DiskError: the file could not be written.
    """
    before = read_hints(path)
    known = {row.id for row in before}
    wanted = [sample for sample in samples if sample.id not in known]
    made: list[Hint] = []
    reason = ""
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        answers = ask(batch, responder, teacher)
        got = [answer for answer in answers if isinstance(answer, Hint)]
        reason = next((a.reason for a in answers if isinstance(a, Reply)), reason)
        if not got:
            break
        made += got
        lines = (json.dumps(row.to_row(), separators=(",", ":")) for row in [*before, *made])
        write_atomic(path, "".join(f"{line}\n" for line in lines))
        tell(start + len(batch))
    if len(made) < len(wanted):
        raise ServiceError(
            f"the teacher left {len(wanted) - len(made)} of {len(wanted)} prompts without a hint "
            f"({reason}); run the same command again when it answers, {path} keeps what is there"
        )
    refused = sum(row.hint is None for row in made)
    return Lesson(len(made) - refused, refused, len(samples) - len(wanted))


def ask(samples: Sequence[Sample], responder: Responder, teacher: str) -> list[Hint | Reply]:
    """A hint for each sample, asked for a second time where the first could not be used.

    Returns:
        In order; the reply without text where the teacher gave none.
    """
    replies = responder.answer([ChatPrompt(prompt_text(sample)) for sample in samples])
    results = [
        _taken(reply, sample, teacher) for reply, sample in zip(replies, samples, strict=True)
    ]
    faults = {
        place: result.refused
        for place, result in enumerate(results)
        if isinstance(result, Hint) and result.refused
    }
    if faults:
        prompts = [ChatPrompt(prompt_text(samples[place], fault=f)) for place, f in faults.items()]
        for place, reply in zip(faults, responder.answer(prompts), strict=True):
            results[place] = _taken(reply, samples[place], teacher)
    return results


def _taken(reply: Reply, sample: Sample, teacher: str) -> Hint | Reply:
    if reply.text is None:
        return reply
    hint = suggestion_of(reply.text)
    fault = fault_of(hint, sample)
    return Hint(sample.id, None if fault else hint, teacher, fault)
