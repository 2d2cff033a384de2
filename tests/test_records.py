from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from avatar_core import evaluation_records, records
from avatar_core.errors import DataError
from avatar_core.evaluation_records import EvalRow, EvalTiming, SubsetScore
from avatar_core.files import write_json
from avatar_core.records import (
    GroupRow,
    MetricsRow,
    Record,
    VersionedRecord,
    read_manifest,
    read_record,
    rows_of,
)
from tests.run_records import eval_summary, group_row, manifest, metrics_row

REQUIRED_METRICS = """
schema, step, epoch, stage, completions_generated, completions_trained, completions_replayed,
tokens_generated, reward_mean, reward_std, accuracy_fresh, groups, groups_no_signal,
unique_rewards_mean, adv_mean, adv_std, adv_small_share, replay_adv_mean, replay_adv_std,
replay_adv_small_share, loss, kl, clip_low, clip_high, ess, replay_age_mean, replay_reuse_mean,
tier_easy, tier_medium, tier_hard, hints_used, unscored, skipped_steps, grad_norm, lr,
seconds_media, seconds_encode, seconds_generate, seconds_reward, seconds_train, peak_memory_bytes
"""
REQUIRED_RESULTS = """
id, status, prediction, gold, correct, score, text, truncated, modalities, frames, groups, seconds,
error
"""
REQUIRED_SUMMARY = """
schema, benchmark, model, n, correct, accuracy, headline, ci95, accuracy_answered, metrics, status,
groups, manifest
"""


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def eval_row(**changes: Any) -> EvalRow:
    values: dict[str, Any] = {
        "id": "1",
        "status": "ok",
        "prediction": "A",
        "gold": "A",
        "correct": True,
        "score": 1.0,
        "text": "A",
        "truncated": False,
        "modalities": ("frames", "sound"),
        "frames": 8,
        "seconds": 0.5,
        "error": None,
    }
    return EvalRow(**{**values, **changes})


def all_kinds() -> set[type[Record]]:
    """Every class of record, those included that no file holds by itself."""
    named = {**vars(records), **vars(evaluation_records)}.values()
    return {kind for kind in named if isinstance(kind, type) and issubclass(kind, Record)}


def all_records() -> list[VersionedRecord]:
    return [
        metrics_row(families={"colour": 0.5, "motion": None}),
        group_row([1.0, None], [0.5, None]),
        eval_row(),
        eval_summary(groups={"duration": {"short": SubsetScore(n=1, correct=1, accuracy=1)}}),
        EvalTiming(
            items=1,
            seconds=0.5,
            phases={"media": 0.25},
            tokens_prompt=9,
            tokens_generated=2,
            items_per_second=2.0,
        ),
        manifest(),
    ]


def test_rows_have_the_keys_of_the_contract() -> None:
    added = {"families", "media_failed", "hints_refused", "visits_skipped"}
    added |= {"judge_graded", "judge_unparsed", "judge_unreachable"}
    added |= {"tokens_prompt", "tokens_trained"}
    parts = "prefill decode train_encode logprobs reference backward optimiser"
    added |= {f"seconds_{part}" for part in parts.split()}
    assert set(metrics_row().to_row()) == words(REQUIRED_METRICS) | added
    assert set(eval_row().to_row()) == words(REQUIRED_RESULTS) | {
        "schema",
        "asked",
        "unclosed",
        "phases",
        "tokens_prompt",
        "tokens_generated",
    }
    assert set(eval_summary().to_row()) == words(REQUIRED_SUMMARY) | {"asked", "answered"}


def test_every_record_survives_a_trip_through_json() -> None:
    made = all_records()
    for record in made:
        row = json.loads(json.dumps(record.to_row(), allow_nan=False))
        assert row["schema"] == 1
        assert read_record(type(record), row, "file:1") == record
    versioned = {kind for kind in all_kinds() if issubclass(kind, VersionedRecord)}
    assert {type(record) for record in made} == versioned - {VersionedRecord}


def test_a_row_of_another_schema_is_refused_with_the_schema_it_needs() -> None:
    refused = 0
    for record in all_records():
        for schema in (0, 2, None, "1"):
            row = {**record.to_row(), "schema": schema}
            with pytest.raises(DataError, match=f"^m.jsonl:3: .* schema {schema!r}, .* schema 1;"):
                read_record(type(record), row, "m.jsonl:3")
            refused += 1
    assert refused == 24


def test_a_missing_or_wrong_field_is_named() -> None:
    row = metrics_row().to_row()
    del row["lr"]
    with pytest.raises(DataError, match="m.jsonl:1: MetricsRow field 'lr': Field required"):
        read_record(MetricsRow, row, "m.jsonl:1")
    group = group_row([1.0]).to_row()
    group["completions"][0]["tokens"] = -1
    with pytest.raises(DataError, match=r"GroupRow field 'completions\.0\.tokens'"):
        read_record(GroupRow, group, "g.jsonl:1")


def test_a_key_of_a_later_release_is_ignored() -> None:
    row = {**metrics_row().to_row(), "from_the_future": 1}
    assert read_record(MetricsRow, row, "m.jsonl:1") == metrics_row()


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValidationError, match="finite"):
        metrics_row(loss=float("nan"))
    with pytest.raises(ValidationError, match="finite"):
        metrics_row(families={"colour": float("inf")})


def test_records_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        metrics_row().step = 2  # type: ignore[misc]


def test_every_field_of_every_record_is_described() -> None:
    seen = 0
    for kind in all_kinds():
        for name, field in kind.model_fields.items():
            assert field.description, f"{kind.__name__}.{name}"
            seen += 1
    assert seen >= 100


def test_the_first_schema_is_still_read() -> None:
    folder = Path(__file__).parent / "golden" / "records-1"
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    groups = [json.loads(line) for line in (folder / "groups.jsonl").read_text().splitlines()]
    read = [read_record(MetricsRow, row, "metrics") for row in rows]
    assert [row.step for row in read] == [1, 2]
    # What that release did not write is absent, not 0.
    assert {row.seconds_prefill for row in read} == {row.tokens_prompt for row in read} == {None}
    assert [len(read_record(GroupRow, row, "groups").completions) for row in groups] == [2, 1]


def test_the_answer_names_the_option_where_it_is_on_record() -> None:
    row = group_row([1.0], solution="B", options=("left", "right"))
    assert row.answer() == "B = right"
    # Rows of earlier releases, and answers that are no letter of an option.
    assert group_row([1.0], solution="B").answer() == "B"
    assert group_row([1.0], solution="7", options=("left", "right")).answer() == "7"
    assert group_row([1.0]).answer() is None


def test_what_is_no_object_is_no_record() -> None:
    for content, kind in (([], "list"), ("x", "str"), (None, "NoneType")):
        with pytest.raises(DataError, match=rf"^there: expected a JSON object, found {kind};"):
            read_record(GroupRow, content, "there")  # type: ignore[arg-type]


def test_the_rows_of_a_log_end_before_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "groups.jsonl"
    assert list(rows_of(GroupRow, path)) == []
    row = group_row([1.0])
    path.write_text(row.model_dump_json() + '\n{"schema": 1')
    assert list(rows_of(GroupRow, path)) == [row]
    path.write_text(row.model_dump_json() + '\n{"schema": 9}\n')
    with pytest.raises(DataError, match=r"groups.jsonl:2: GroupRow has schema 9"):
        list(rows_of(GroupRow, path))


def test_a_manifest_is_there_once_something_has_begun(tmp_path: Path) -> None:
    write_json(tmp_path / "manifest.json", manifest().to_row())
    assert read_manifest(tmp_path) is None
    write_json(tmp_path / "config.json", {})
    assert read_manifest(tmp_path) == manifest()
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"manifest.json"):
        read_manifest(tmp_path)
