from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avatar_core.files import write_json
from avatar_core.reporting.records_io import load_run
from avatar_core.reporting.summary import summarise
from tests.run_records import eval_summary, group_row, metrics_row, write_run


def test_the_document_is_json_and_the_same_every_time(tmp_path: Path) -> None:
    groups = [group_row([1.0, 0.0], [1.0, -1.0]), group_row([0.5], [0.1], source="replayed")]
    write_run(tmp_path, [metrics_row(1, accuracy_fresh=0.25), metrics_row(2)], groups)
    first = json.dumps(summarise(load_run(tmp_path)).to_document(), allow_nan=False)
    assert first == json.dumps(summarise(load_run(tmp_path)).to_document(), allow_nan=False)
    document = json.loads(first)
    assert (document["stage"], document["steps"], document["completions_generated"]) == (1, 2, 8)
    assert document["accuracy"] == {"first": 0.25, "last": 0.5}
    assert document["rewards"]["fresh"]["histogram"]["counts"][0] == 1
    assert document["advantages"]["replayed"]["magnitudes"]["counts"] == [0, 1, 0, 0, 0, 0]
    assert document["evaluation"] is None


def test_a_run_that_has_only_begun_has_no_figures(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {})
    document = summarise(load_run(tmp_path)).to_document()
    assert (document["stage"], document["steps"], document["phases"]) == (None, 0, {})
    assert document["rewards"]["all"]["mean"] is None


def test_an_evaluation_is_part_of_the_document(tmp_path: Path) -> None:
    write_json(tmp_path / "summary.json", eval_summary().to_row())
    assert summarise(load_run(tmp_path)).to_document()["evaluation"]["accuracy"] == 0.75


def test_reporting_does_not_load_torch() -> None:
    code = "import avatar_core.reporting.summary, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.slow
def test_ten_thousand_rows_take_less_than_two_seconds(tmp_path: Path) -> None:
    group = group_row([1.0, 0.0] * 4, [0.5, -0.5] * 4)
    files = {"metrics.jsonl": (metrics_row(), 2_500), "groups.jsonl": (group, 7_500)}
    for name, (row, number) in files.items():
        (tmp_path / name).write_text((json.dumps(row.to_row()) + "\n") * number)
    # Processor time, so that other tests on the same cores do not count.
    start = time.process_time()
    summary = summarise(load_run(tmp_path))
    assert time.process_time() - start < 2.0
    assert summary.steps + summary.rewards["all"].groups == 10_000
