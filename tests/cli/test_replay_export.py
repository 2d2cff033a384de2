from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from tests.run_records import group_row, metrics_row, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", [metrics_row()], [group_row([1.0, 0.0], [1.0, -1.0])])


def test_a_table_is_written(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "table.jsonl"
    assert main(["replay", "export", str(run), str(file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {"schema": 1, "path": str(run), "file": str(file), "rows": 2}
    assert len(file.read_text().splitlines()) == 2

    assert main(["replay", "export", str(run), str(file), "--force"]) == 0
    assert capsys.readouterr().out.split() == ["2", "completions", "in", str(file)]


def test_a_target_is_refused_before_the_run_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.parquet").write_text("mine")
    cases = {"a.csv": "unknown suffix", "old.parquet": "exists already"}
    for name, message in cases.items():
        assert main(["replay", "export", "no-run", str(tmp_path / name)]) == 2
        assert message in capsys.readouterr().err
    assert (tmp_path / "old.parquet").read_text() == "mine"
