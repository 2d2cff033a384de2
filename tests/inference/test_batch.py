"""A file of questions: answered as one by one, failures recorded, taken up where it stopped."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from avatar_core.config.inference import BatchConfig
from avatar_core.errors import Stopped, TooManyFailures, UsageError
from avatar_core.inference import infer
from avatar_core.inference.batch import BatchResult, answer_file, refuse_failures

ROWS: list[dict[str, Any]] = [
    {"id": "a", "video": "clip.mp4", "question": "What is this?"},
    {"id": "b", "video": "clip.mp4", "question": "What?", "start": 0, "end": 1},
    {"id": "c", "video": ["still.png", "sound.m4a"], "question": "Which of them?"},
    {"id": "d", "video": "notes.txt", "question": "What?"},
    {"id": "e", "video": "clip.mp4", "question": ""},
    {"id": "f", "images": ["still.png"], "question": "Which?", "options": ["red", "blue"]},
]


def ask(files: Path, out: Path, run: str, rows: Any = ROWS, **options: Any) -> BatchResult:
    path = files / f"{out.stem}-rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return answer_file(BatchConfig(file=path, out=out, model=run, batch_size=2, **options))


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_rows_are_answered_as_one_by_one_and_failures_recorded(
    files: Path, run: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    result = ask(files, out, run)
    rows = {row["id"]: row for row in lines(out)}
    assert list(rows) == ["a", "b", "c", "d", "e", "f"]
    alone = [
        infer(files / "clip.mp4", "What is this?", model=run),
        infer(files / "clip.mp4", "What?", model=run, start=0, end=1),
        infer(files / "still.png", "Which of them?", model=run, also=(files / "sound.m4a",)),
        infer(files / "still.png", "Which?\nA. red\nB. blue", model=run),
    ]
    for name, one in zip("abcf", alone, strict=True):
        row = rows[name]
        assert (row["text"], row["answer"] or "") == (one.text, one.answer)
        assert (tuple(row["modalities"]), row["frames"]) == (one.modalities, one.frames)
        assert (row["prompt_tokens"], row["error"]) == (one.prompt_tokens, None)
        assert row["seconds"] > 0
    assert rows["b"]["media"] == [f"{files / 'clip.mp4'}#t=0,1"]
    assert "damaged or not a media file" in rows["d"]["error"]
    assert ":5: the question is empty" in rows["e"]["error"]
    assert (rows["d"]["status"], rows["e"]["status"]) == ("error", "error")
    assert (result.failed, result.resumed, len(result.rows)) == (2, 0, 6)
    with pytest.raises(TooManyFailures, match="2 of 6 rows failed, more than 1 %") as caught:
        refuse_failures(result)
    assert caught.value.exit_code == 3
    refuse_failures(result._replace(rows=result.rows[:3]))


def test_what_was_answered_is_kept_and_the_rest_is_asked(
    files: Path, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    good = [ROWS[0], ROWS[1], ROWS[5]]
    whole = ask(files, out, run, good)
    first = out.read_bytes()
    # Cut off behind the first row, in the middle of the second.
    out.write_bytes(first[: first.index(b"\n") + 20])
    result = ask(files, out, run, good)
    assert (result.resumed, result.failed) == (1, 0)
    assert [row.text for row in result.rows] == [row.text for row in whole.rows]

    def load(*_: object) -> None:
        raise AssertionError("nothing is owed, so no model is wanted")

    monkeypatch.setattr("avatar_core.inference.batch.load_policy", load)
    before = out.read_bytes()
    assert ask(files, out, run, good).resumed == 3
    assert out.read_bytes() == before
    with pytest.raises(UsageError, match="of another model or of other settings"):
        ask(files, out, run, good, max_new_tokens=3)
    assert out.read_bytes() == before
    with pytest.raises(AssertionError, match="no model is wanted"):
        ask(files, out, run, [{**ROWS[0], "question": "What else?"}])
    # Answers of before are lost when there is a model to give others, not before.
    with pytest.raises(AssertionError, match="no model is wanted"):
        ask(files, out, run, good, resume=False)
    assert out.read_bytes() == before
    monkeypatch.undo()
    assert ask(files, out, run, good[:1], resume=False).resumed == 0
    assert [row["id"] for row in lines(out)] == ["a"]


def test_a_signal_keeps_the_finished_batches(files: Path, run: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    path = files / "stopped-rows.jsonl"
    rows = [{**ROWS[0], "id": str(number)} for number in range(6)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = BatchConfig(file=path, out=out, model=run, batch_size=2)

    def interrupt(_phrase: str, done: int, _total: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped, match="stopped after 2 of 6 questions") as caught:
        answer_file(config, interrupt)
    assert caught.value.exit_code == 143
    assert len(lines(out)) == 2
    result = answer_file(config)
    assert (result.resumed, len(result.rows)) == (2, 6)
    assert [row["id"] for row in lines(out)] == ["0", "1", "2", "3", "4", "5"]
