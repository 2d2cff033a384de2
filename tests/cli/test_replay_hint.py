from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_cli.__main__ import main
from avatar_core.config.resolve import resolve_train
from avatar_core.files import write_json
from tests.rewards.judging.chat_server import Behaviour, drop, says, serving, status
from tests.run_records import group_row, metrics_row, write_run

GOOD = says("Hint: find the sounding object first.")
LEAK = says("It is the blue one.")


def prompt(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "question": f"<video>Which colour is {name}?",
        "videos": ["clip.mp4"],
        "options": ["red", "blue"],
        "solution": "B",
        "problem_type": "multiple choice",
        "audio_cues": "a low tone",
        **changes,
    }


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run in which "a" and "b" are stuck, and so are "hinted" and "gone"; "right" is not."""
    stuck = ("a", "b", "hinted", "gone")
    groups = [group_row([0.0, 0.0], prompt_id=name, tier="hard") for name in stuck]
    groups.append(group_row([1.0, 0.0], prompt_id="right", tier="hard"))
    run = write_run(tmp_path / "run", [metrics_row()], groups)
    rows = [prompt("a"), prompt("b"), prompt("hinted", hint="Look."), prompt("right")]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "clip.mp4").write_bytes(b"never decoded")
    config = resolve_train(stage=1, flags={"data": str(data)})
    write_json(run / "config.json", config.model_dump(mode="json"))
    return run


def hint(run: Path, url: str, *options: str) -> int:
    return main(
        ["replay", "hint", str(run), "--teacher-url", url, "--teacher-model", "big", *options]
    )


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_stuck_prompts_get_hints(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(GOOD) as server:
        assert hint(run, server.url, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    file = run / "hints.jsonl"
    assert document == {
        "schema": 1,
        "path": str(run),
        "out": str(file),
        "stuck": 4,
        "hints": 2,
        "refused": 0,
        "already": 0,
        "hinted_in_data": 1,
        "not_in_data": 1,
    }
    suggestion = "find the sounding object first."
    assert rows(file) == [{"id": n, "hint": suggestion, "teacher": "big"} for n in ("a", "b")]
    sent = [body for _, _, body in server.requests]
    assert {body["model"] for body in sent} == {"big"}
    texts = sorted(body["messages"][0]["content"] for body in sent)
    assert all("A. red\nB. blue" in text and "a low tone" in text for text in texts)
    assert ["Which colour is a?" in text for text in texts] == [True, False]


def test_a_second_call_asks_for_what_is_missing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps({"id": "a", "hint": "Listen.", "teacher": "old"}) + "\n")
    with serving(GOOD) as server:
        assert hint(run, server.url, "--out", str(file)) == 0
        assert len(server.requests) == 1
        assert [row["teacher"] for row in rows(file)] == ["old", "big"]
        assert hint(run, server.url, "--out", str(file)) == 0
        assert len(server.requests) == 1
    assert "already 2" in capsys.readouterr().out


def test_a_leak_is_asked_about_again_and_then_left_out(run: Path) -> None:
    # Both prompts leak at first, then one of them.
    with serving(LEAK, LEAK, GOOD, LEAK) as server:
        assert hint(run, server.url) == 0
    assert len(server.requests) == 4
    found = sorted(str(row["hint"]) for row in rows(run / "hints.jsonl"))
    assert found == ["None", "find the sounding object first."]
    refused = [row for row in rows(run / "hints.jsonl") if row["hint"] is None]
    assert [row["refused"] for row in refused] == ["gave the answer away"]


def test_passing_trouble_is_waited_for(run: Path) -> None:
    behaviours: list[Behaviour] = [status(503, Retry_After="0"), drop, GOOD]
    with serving(*behaviours) as server:
        assert hint(run, server.url) == 0
    assert len(server.requests) == 4
    assert len(rows(run / "hints.jsonl")) == 2


def test_a_teacher_that_is_down_ends_in_exit_9(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(status(401)) as server:
        assert hint(run, server.url) == 9
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "the teacher left 2 of 2 prompts without a hint" in captured.err
    assert "HTTP 401" in captured.err
    assert "canary" not in captured.err
    assert not (run / "hints.jsonl").exists()


def test_a_run_without_stuck_prompts_asks_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path, [metrics_row()], [group_row([1.0], tier="hard")])
    with serving(GOOD) as server:
        assert hint(run, server.url, "--json") == 0
    assert json.loads(capsys.readouterr().out)["stuck"] == 0
    assert server.requests == []
    assert not (run / "hints.jsonl").exists()


def test_an_address_is_checked_before_anything_is_read(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hint(run, "localhost:1") == 2
    assert "--teacher-url localhost:1: give a whole address" in capsys.readouterr().err
