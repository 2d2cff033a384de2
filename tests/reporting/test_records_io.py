from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.errors import DataError, UsageError
from avatar_core.files import write_json
from avatar_core.reporting.records_io import held_out_gain, load_run
from tests.run_records import eval_summary, group_row, metrics_row, write_run


def test_a_whole_run_is_read(tmp_path: Path) -> None:
    metrics, groups = [metrics_row(1), metrics_row(2)], [group_row([1.0, 0.0])]
    records = load_run(write_run(tmp_path, metrics, groups))
    assert records.metrics == tuple(metrics)
    assert records.groups == tuple(groups)
    assert records.config == {"stage": 1, "seed": 0}
    assert records.manifest is not None
    assert records.manifest.model == "tiny"
    assert records.evaluation is None


def test_a_run_killed_at_any_byte_of_a_row_is_read_without_that_row(tmp_path: Path) -> None:
    write_run(tmp_path, [metrics_row(1), metrics_row(2)], [])
    path = tmp_path / "metrics.jsonl"
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    cuts = range(start, len(whole), 7)
    for cut in cuts:
        path.write_bytes(whole[:cut])
        assert [row.step for row in load_run(tmp_path).metrics] == [1]
    assert len(cuts) > 50


@pytest.mark.parametrize("name", ["config.json", "manifest.json", "metrics.jsonl", "groups.jsonl"])
def test_each_piece_alone_makes_a_partial_run(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "whole", [metrics_row()], [group_row([1.0])])
    (tmp_path / "part").mkdir()
    (tmp_path / "whole" / name).rename(tmp_path / "part" / name)
    part = load_run(tmp_path / "part")
    present = {
        "config.json": part.config is not None,
        "manifest.json": part.manifest is not None,
        "metrics.jsonl": bool(part.metrics),
        "groups.jsonl": bool(part.groups),
    }
    assert present == {key: key == name for key in present}


def test_an_evaluation_directory_is_read(tmp_path: Path) -> None:
    write_json(tmp_path / "summary.json", eval_summary().to_row())
    assert load_run(tmp_path).evaluation == eval_summary()


def test_what_is_no_run_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    for path in (tmp_path, tmp_path / "none", tmp_path / "notes.txt"):
        with pytest.raises(UsageError, match="give the --out"):
            load_run(path)


def test_a_path_that_the_system_does_not_take_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="RUN .*File name too long"):
        load_run(tmp_path / ("x" * 256))


def test_a_summary_of_held_out_samples_has_all_that_is_reported(tmp_path: Path) -> None:
    assert held_out_gain(tmp_path) is None
    moment = {"value": 0.5, "interval": None}
    whole = {"samples": 2, "before": moment, "after": moment, "gain": 0.0, "gain_interval": None}
    file = tmp_path / "held_out" / "summary.json"
    write_json(file, whole)
    assert held_out_gain(tmp_path) == whole
    for broken, key in (
        ({}, "samples"),
        ({**whole, "before": 0.5}, "before.value"),
        ({**whole, "after": {"value": 0.5}}, "after.interval"),
    ):
        write_json(file, broken)
        with pytest.raises(DataError, match=rf"summary\.json: key '{key}' is missing"):
            held_out_gain(tmp_path)
    write_json(file, [])
    with pytest.raises(DataError, match=r"summary\.json: expected a JSON object, found list"):
        held_out_gain(tmp_path)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    write_run(tmp_path, [metrics_row()], [])
    with (tmp_path / "groups.jsonl").open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(DataError, match="groups.jsonl:1: GroupRow has schema None"):
        load_run(tmp_path)
    (tmp_path / "groups.jsonl").unlink()
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(DataError, match="config.json: expected a JSON object, found list"):
        load_run(tmp_path)
