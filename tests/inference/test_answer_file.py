"""Answers on disk: whose they are, which of them count, who may write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_core.config.inference import BatchConfig
from avatar_core.config.media import MediaConfig
from avatar_core.errors import DataError, RunLockedError, UsageError
from avatar_core.files import JsonlAppender
from avatar_core.inference.answer_file import (
    AnswerRow,
    check_out,
    empty,
    held,
    kept,
    named,
    read_answers,
    refused_row,
    settings_digest,
    weights_mark,
    write_answers,
)
from avatar_core.inference.rows import Question
from avatar_core.types import MediaRef

CLIP = MediaRef("video", "a.mp4", None, 2.0)


def answer(name: str, **changes: object) -> AnswerRow:
    row = refused_row(Question(name, "What?", (), None), "digest")
    return row.model_copy(update={"media": ("a.mp4#t=0,2",), "status": "ok", **changes})


def test_a_row_counts_for_the_very_question_it_answers() -> None:
    questions = [Question(name, "What?", (CLIP,), None) for name in "abcde"]
    rows = {
        "a": answer("a"),
        "b": answer("b", question="Why?"),
        "c": answer("c", media=("a.mp4",)),
        "d": answer("d", error="x", status="error"),
        "z": answer("z"),
    }
    assert kept(rows, questions) == {"a": rows["a"]}


def test_rows_are_read_back_and_the_last_of_an_id_counts(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with JsonlAppender(out) as log:
        for row in (answer("a", text="old"), answer("b"), answer("a", text="new")):
            log.append(row.to_row())
    with out.open("a") as file:
        file.write('{"torn": ')
    rows = read_answers(out, "digest")
    assert [(key, row.text) for key, row in rows.items()] == [("a", "new"), ("b", None)]
    write_answers(out, [rows["b"], rows["a"]])
    assert list(read_answers(out, "digest")) == ["b", "a"]
    with pytest.raises(UsageError, match=r"out\.jsonl:1: holds answers of another model"):
        read_answers(out, "other")
    out.write_text('{"id": "x"}\n')
    with pytest.raises(DataError, match="schema None"):
        read_answers(out, "digest")


def test_the_digest_is_of_what_an_answer_depends_on() -> None:
    media = MediaConfig()
    digest = settings_digest("tiny", media, "", 6)
    for changed in (
        settings_digest("other", media, "", 6),
        settings_digest("tiny", media.model_copy(update={"fps": 9.0}), "", 6),
        settings_digest("tiny", media, "Look.", 6),
        settings_digest("tiny", media, "", 7),
    ):
        assert changed != digest
    same = media.model_copy(update={"workers": media.workers + 1, "deadline_seconds": 1.0})
    assert settings_digest("tiny", same, "", 6) == digest


def test_the_digest_is_of_the_weights_in_a_directory(tmp_path: Path) -> None:
    model, base = tmp_path / "model", tmp_path / "base"
    for folder in (model, base):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"old")
    digests = [settings_digest(str(model), MediaConfig(), "", 6)]

    def look() -> None:
        digests.append(settings_digest(str(model), MediaConfig(), "", 6))

    look()
    assert digests[0] == digests[1]
    (model / "model.safetensors").write_bytes(b"other")
    look()
    # As an adapter, its base counts as well.
    (model / "model.safetensors").rename(model / "adapter_model.safetensors")
    adapter = {"peft_type": "LORA", "base_model_name_or_path": str(base)}
    (model / "adapter_config.json").write_text(json.dumps(adapter))
    look()
    (base / "model.safetensors").write_bytes(b"other")
    look()
    # A manifest holds a digest of every file, so that no file is looked at.
    (model / "manifest.json").write_text("{}")
    look()
    assert len(set(digests)) == len(digests) - 1 == 5
    (model / "adapter_model.safetensors").touch()
    look()
    assert digests[-1] == digests[-2]
    assert weights_mark("tiny") == weights_mark("owner/model") == []


def test_windows_are_part_of_a_name() -> None:
    assert named(CLIP) == "a.mp4#t=0,2"
    assert named(MediaRef("video", "a.mp4", 1.5)) == "a.mp4#t=1.5"
    assert named(MediaRef("video", "a.mp4")) == "a.mp4"


def test_one_process_writes_an_answer_file(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.jsonl"
    with held(out):
        assert out.read_bytes() == b""
        with pytest.raises(RunLockedError, match="being written by another process"), held(out):
            pass
        out.write_text("kept\n")
    with held(out):
        assert out.read_text() == "kept\n"
        empty(out)
        assert out.read_bytes() == b""


def test_answers_go_to_a_file_of_their_own(tmp_path: Path) -> None:
    questions = tmp_path / "rows.jsonl"
    questions.write_text("{}\n")
    check_out(BatchConfig(file=questions, out=tmp_path / "out.jsonl"))
    with pytest.raises(UsageError, match="is a directory"):
        check_out(BatchConfig(file=questions, out=tmp_path))
    with pytest.raises(UsageError, match="is the file of questions itself"):
        check_out(BatchConfig(file=questions, out=tmp_path / "." / "rows.jsonl"))


@pytest.mark.parametrize("resume", [True, False])
def test_only_a_file_of_answers_is_replaced(tmp_path: Path, resume: bool) -> None:
    out = tmp_path / "out.jsonl"
    row = json.dumps(answer("a").to_row(), separators=(",", ":"))
    config = BatchConfig(file=tmp_path / "rows.jsonl", out=out, resume=resume)
    # None yet, one that a killed call began, one, and one before a line cut short.
    for sound in ("", row[:5], row[:90], f"{row}\n", f'{row}\n{{"sch'):
        out.write_text(sound)
        check_out(config)
    for other in ("notes", "notes\n", '{"id": "x"}\n', "[1]\n", f"{row[:90]}\n", "\n\n"):
        out.write_text(other)
        with pytest.raises(UsageError, match="exists and is no file of answers"):
            check_out(config)
        assert out.read_text() == other
    with pytest.raises(UsageError, match="is no regular file"):
        check_out(config.model_copy(update={"out": Path("/dev/null")}))
