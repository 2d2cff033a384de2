"""Rows and documents that reach disk, with their schema version and a docstring per field.

Here are what all of them share, what training writes and the manifest; what `avatar eval` writes is
in `avatar_core.evaluation_records`.

A value that does not exist is `None` (null in the file), never 0. Rows are written with `to_row`
and read with `read_record`. A reader ignores keys it does not know, so a later release may add some
without a new schema; a change of meaning raises `SCHEMA`, and rows of another schema are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avatar_core.choices import LETTERS
from avatar_core.errors import DataError
from avatar_core.files import read_json, read_jsonl
from avatar_core.run_directory import CONFIG, MANIFEST

SCHEMA = 1
"""Version of every record."""

Tier = Literal["easy", "medium", "hard"]
Source = Literal["fresh", "replayed"]


class Record(BaseModel):
    """Immutable part of a file; NaN and infinity are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )

    def to_row(self) -> dict[str, Any]:
        """Give the record as JSON values, under the keys the file uses."""
        return self.model_dump(mode="json")


class VersionedRecord(Record):
    """A record that is a row or a document of its own."""

    schema_version: int = Field(SCHEMA, alias="schema")
    """Schema the row was written with; `schema` in the file."""


class MetricsRow(VersionedRecord):
    """One optimiser step (`metrics.jsonl`).

    Counters are cumulative over the run: `completions_*`, `tokens_generated`, `groups`,
    `groups_no_signal`, `hints_used`, `hints_refused`, `unscored`, `skipped_steps`. Everything else
    describes this step or, for the replay buffer, its state after it. Times, `tokens_prompt` and
    peak memory are those of the process that writes; times of parts are contained in their whole.
    """

    step: int = Field(ge=0)
    """Optimiser step, from 1."""
    epoch: float = Field(ge=0)
    """Passes over the training prompts so far."""
    stage: int = Field(ge=0, le=3)
    """Training stage."""
    completions_generated: int = Field(ge=0)
    """Completions ever sampled, hinted and warm-up ones included."""
    completions_trained: int = Field(ge=0)
    """Completions that entered a loss, replayed ones each time."""
    completions_replayed: int = Field(ge=0)
    """The replayed part of `completions_trained`."""
    tokens_generated: int = Field(ge=0)
    """Tokens of all completions generated."""
    reward_mean: float | None
    """Mean reward of the fresh completions; `None` without a scored one."""
    reward_std: float | None
    """Standard deviation of the same."""
    accuracy_fresh: float | None
    """Share of fresh completions whose answer is right, in [0, 1]."""
    groups: int = Field(ge=0)
    """Fresh groups."""
    groups_no_signal: int = Field(ge=0)
    """Fresh groups whose scored rewards are all equal."""
    unique_rewards_mean: float | None
    """Distinct rewards per fresh group, mean of this step."""
    adv_mean: float | None
    """Mean advantage of the fresh completions."""
    adv_std: float | None
    """Standard deviation of the same."""
    adv_small_share: float | None
    """Share of the same with |A| ≤ 0.1."""
    replay_adv_mean: float | None
    """Mean advantage of the replayed completions; `None` when none were drawn."""
    replay_adv_std: float | None
    """Standard deviation of the same."""
    replay_adv_small_share: float | None
    """Share of the same with |A| ≤ 0.1."""
    loss: float | None
    """Loss of the step; `None` when it was skipped because a number was not finite."""
    kl: float | None
    """Estimated divergence from the reference policy, mean per token; `None` without one."""
    clip_low: float | None
    """Share of tokens (or sequences) whose ratio was clipped from below."""
    clip_high: float | None
    """The same from above."""
    ess: float | None
    """Effective sample size of the importance ratios of the step, a share of their number."""
    replay_age_mean: float | None
    """Mean age of the replayed groups in optimiser steps."""
    replay_reuse_mean: float | None
    """Mean number of earlier draws of the replayed groups."""
    tier_easy: int | None
    """Completions stored in the easy tier of the buffer; `None` without a buffer."""
    tier_medium: int | None
    """The same of the medium tier."""
    tier_hard: int | None
    """The same of the hard tier."""
    hints_used: int = Field(ge=0)
    """Groups sampled with a hint in the prompt."""
    unscored: int = Field(ge=0)
    """Completions that could not be scored."""
    skipped_steps: int = Field(ge=0)
    """Steps not taken because a loss or gradient was not finite."""
    grad_norm: float | None
    """Gradient norm before clipping; `None` when the step was skipped."""
    lr: float
    """Learning rate."""
    seconds_media: float | None
    """Wall time decoding media."""
    seconds_encode: float | None
    """Wall time encoding prompts."""
    seconds_generate: float | None
    """Wall time sampling completions."""
    seconds_reward: float | None
    """Wall time scoring them."""
    seconds_train: float | None
    """Wall time of forward, backward and update."""
    peak_memory_bytes: int | None
    """Highest device memory so far; `None` where the device does not tell."""
    media_failed: int = Field(0, ge=0)
    """Prompts left out because a clip or the text could not be read; cumulative."""
    visits_skipped: int = Field(0, ge=0)
    """Visits passed over since the prompt's rewards have long been all equal; cumulative."""
    judge_graded: int = Field(0, ge=0)
    """Completions that the judge gave scores; cumulative, as the next two."""
    judge_unparsed: int = Field(0, ge=0)
    """Completions whose grading held no scores."""
    judge_unreachable: int = Field(0, ge=0)
    """Completions that the judge could not be asked about."""
    hints_refused: int = Field(0, ge=0)
    """Visits whose hint was due but not shown, since it holds the reference answer."""
    families: Mapping[str, float | None] = Field(default_factory=dict)
    """`accuracy_fresh` by question family."""
    seconds_prefill: float | None = None
    """The part of `seconds_generate` that ran the prompts through the model."""
    seconds_decode: float | None = None
    """The part of it that drew the tokens behind them."""
    seconds_train_encode: float | None = None
    """The part of `seconds_train` that encoded prompts: replayed ones, and in pieces all again."""
    seconds_logprobs: float | None = None
    """The part of it that computed the log-probabilities that are trained."""
    seconds_reference: float | None = None
    """The part of it that the reference policy took, with encoding its prompts."""
    seconds_backward: float | None = None
    """The part of it that computed gradients."""
    seconds_optimiser: float | None = None
    """The part of it that measured and clipped the gradient and changed the parameters."""
    tokens_prompt: int | None = None
    """Tokens of the prompts visited or replayed in this step, each once for all its completions."""
    tokens_trained: int | None = None
    """Completion tokens in the update; `None` when it was not taken, and in stage 0."""


class CompletionRow(Record):
    """One completion of a group as it entered the step."""

    text: str
    """Decoded completion without special tokens."""
    tokens: int = Field(ge=0)
    """Its length in tokens."""
    reward: float | None
    """Weighted total; `None` when unscored."""
    parts: Mapping[str, float | None] = Field(default_factory=dict)
    """Reward by function, unweighted; `None` where one could not score."""
    advantage: float | None
    """Advantage before token weights; `None` when the group was not trained on."""
    truncated: bool
    """Generation stopped at the length limit."""


class GroupRow(VersionedRecord):
    """One group of completions that a step sampled or replayed (`groups.jsonl`)."""

    step: int = Field(ge=0)
    """Optimiser step that used the group."""
    prompt_id: str
    """Id of the sample."""
    family: str | None
    """Question family; `None` when the data name none."""
    source: Source
    """Sampled in this step, or drawn from the buffer."""
    policy_step: int = Field(ge=0)
    """Step of the policy that sampled the completions; `step - policy_step` is the age."""
    tier: Tier | None
    """Tier of the prompt at that moment; `None` when it was in none."""
    baseline: float | None
    """Per-prompt baseline of its advantages; `None` when they are group-relative."""
    hinted: bool
    """The prompt carried a hint."""
    leaked: bool = False
    """That hint holds the reference answer."""
    no_signal: bool
    """All scored rewards of the group were equal when it was sampled."""
    completions: tuple[CompletionRow, ...]
    """The completions, in order of their draw."""
    question: str | None = None
    """What was asked, with its options; `None` in rows of earlier releases."""
    solution: str | None = None
    """The reference answer, of multiple choice a letter; `None` in rows of earlier releases."""
    options: tuple[str, ...] = ()
    """Texts of the options in order of their letters; empty in rows of earlier releases."""

    def answer(self) -> str | None:
        """The reference answer, a letter with the text of its option where that is on record."""
        lettered = dict(zip(LETTERS, self.options, strict=False))
        text = lettered.get(self.solution or "")
        return self.solution if text is None else f"{self.solution} = {text}"


class Manifest(VersionedRecord):
    """What a run or an evaluation was made with (`manifest.json`)."""

    versions: Mapping[str, str]
    """Version of avatar, Python and every library that shapes the result."""
    seed: int
    """Seed of the run."""
    media: Mapping[str, Any]
    """Media settings and limits."""
    model: str
    """The model as it was asked for."""
    model_fingerprint: str | None
    """Digest of the model's weights and settings; `None` for a served model."""
    command: tuple[str, ...]
    """The command line."""
    created: str
    """Start of the run, ISO 8601 in UTC."""
    device: str
    """Device the model ran on."""
    threads: int | None
    """Threads torch used for one operation; `None` where torch was not used."""


RecordT = TypeVar("RecordT", bound=VersionedRecord)


def read_record(kind: type[RecordT], row: Mapping[str, Any], where: str) -> RecordT:
    """Check one row read from disk and build its record.

    Args:
        kind: record class of the file.
        row: decoded JSON; anything but an object is refused.
        where: file, and line for a log, to name in an error.

    Raises:
        DataError: it is no object, was written with another schema, or a field is missing or wrong.
    """
    if not isinstance(row, Mapping):
        raise DataError(
            f"{where}: expected a JSON object, found {type(row).__name__}; mend or remove it"
        )
    found = row.get("schema")
    if found != SCHEMA:
        raise DataError(
            f"{where}: {kind.__name__} has schema {found!r}, this release reads schema {SCHEMA}; "
            f"read it with a release of avatar for schema {found!r}"
        )
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{where}: {kind.__name__} field {field!r}: {first['msg']}; mend or remove the record"
        ) from error


def rows_of(kind: type[RecordT], path: Path) -> Iterator[RecordT]:
    """The rows of a log; none without a file, and without a last line that was cut short.

    Raises:
        DataError: a row is damaged or of another schema; names file and line.
    """
    if path.is_file():
        for number, row in read_jsonl(path, torn_tail=True):
            yield read_record(kind, row, f"{path}:{number}")


def read_manifest(directory: Path) -> Manifest | None:
    """What the run or evaluation in a directory was made with; `None` when none has begun.

    Raises:
        DataError: the manifest is missing, damaged or of another schema.
    """
    if not (directory / CONFIG).is_file():
        return None
    path = directory / MANIFEST
    return read_record(Manifest, read_json(path), str(path))
