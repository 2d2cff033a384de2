from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from tests.run_records import group_row, metrics_row, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    groups = [
        group_row([1.0, 0.0], [1.75, -0.3]),
        group_row([1.0], [0.05], source="replayed", step=9, policy_step=2, tier="hard"),
        group_row([1.0], [0.05], source="replayed", step=12, policy_step=2, tier="hard"),
    ]
    return write_run(tmp_path, [metrics_row()], groups)


def test_stats_show_tiers_rewards_and_magnitudes(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "stats", str(run)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    # Ages 7 and 10; the second draw of one stored group has one earlier draw.
    assert ["hard", "5", "62.5", "%", "2", "8.5", "10", "0.50"] in lines
    assert ["distinct", "rewards", "2.00", "1.00", "1.33"] in lines
    # Fresh |A| are 1.75 and 0.3, replayed 0.05 twice.
    assert ["0", "to", "0.1", "0.0", "%", "100.0", "%", "50.0", "%"] in lines
    assert ["0.25", "to", "0.5", "50.0", "%", "0.0", "%", "25.0", "%"] in lines
    assert ["1.5", "and", "more", "50.0", "%", "0.0", "%", "25.0", "%"] in lines


def test_stats_as_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "stats", "--json", str(run)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"schema", "path", "tiers", "hints", "rewards", "advantages"}
    assert document["tiers"]["hard"]["age_mean"] == 8.5
    assert (document["hints"]["used"], document["hints"]["refused"]) == (0, 0)


def test_stats_show_that_hints_fired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    groups = [
        group_row([0.0, 1.0], prompt_id="a", hinted=True),
        group_row([0.0, 0.0], prompt_id="b", hinted=True, leaked=True),
        group_row([0.0, 0.0], prompt_id="c"),
    ]
    run = write_run(tmp_path, [metrics_row(hints_used=2, hints_refused=3)], groups)
    assert main(["replay", "stats", str(run)]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    # Used, prompts, answered right, answer in hint, refused for it.
    assert shown[shown.index(["Hints"]) + 4] == ["2", "2", "1", "1", "3"]
    assert main(["replay", "stats", "--json", str(run)]) == 0
    assert json.loads(capsys.readouterr().out)["hints"] == {
        "used": 2,
        "refused": 3,
        "prompts": 2,
        "answered": 1,
        "leaked": 1,
    }


def test_replay_without_a_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay"]) == 2
    assert "Missing command" in capsys.readouterr().err


def test_a_run_without_groups_has_empty_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "stats", str(write_run(tmp_path, [], []))]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["hard", "-", "-", "0", "-", "-", "-"] in lines
    assert ["-", "0", "0", "0", "-"] in lines
