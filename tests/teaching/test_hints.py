from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.data.given_hints import Hint, read_hints
from avatar_core.errors import DataError, ServiceError, UsageError
from avatar_core.rewards.judging.chat import Reply
from avatar_core.rewards.judging.rubric import ChatPrompt
from avatar_core.teaching.hints import (
    BATCH,
    Lesson,
    ask,
    open_teacher,
    samples_by_id,
    write_hints,
)
from avatar_core.types import Sample
from tests.training.test_data import row, write_data

GOOD = "Find the sounding object first."
LEAK = "It is blue."


def samples(count: int) -> list[Sample]:
    return [
        Sample(f"q{n}", f"Colour {n}?", (), "B", "multiple choice", options=("red", "blue"))
        for n in range(count)
    ]


class Teacher:
    """Answers with what a function makes of the number of the prompt."""

    identity: tuple[str, ...] = ("test",)

    def __init__(self, answer: Callable[[int], str | None]) -> None:
        self.asked: list[str] = []
        self._answer = answer

    def answer(self, prompts: Sequence[ChatPrompt]) -> list[Reply]:
        first = len(self.asked)
        self.asked += [prompt.text for prompt in prompts]
        texts = [self._answer(first + n) for n in range(len(prompts))]
        return [Reply(text, "" if text is not None else "out to lunch") for text in texts]


def test_a_leak_is_asked_about_once_more_then_marked() -> None:
    # Prompts 0, 1, 2, then 0 and 2 again.
    replies = [LEAK, GOOD, LEAK, GOOD, LEAK]
    teacher = Teacher(replies.__getitem__)
    assert ask(samples(3), teacher, "t") == [
        Hint("q0", GOOD, "t"),
        Hint("q1", GOOD, "t"),
        Hint("q2", None, "t", "gave the answer away"),
    ]
    assert len(teacher.asked) == 5
    assert all("refused: it gave the answer away" in text for text in teacher.asked[3:])


def test_rows_are_written_and_asked_for_only_once(tmp_path: Path) -> None:
    file = tmp_path / "hints.jsonl"
    told: list[int] = []
    asked = samples(BATCH + 2)
    teacher = Teacher(lambda n: LEAK if n in (1, BATCH) else GOOD)  # q1, and again
    assert write_hints(asked, teacher, "t", file, told.append) == Lesson(BATCH + 1, 1, 0)
    assert told == [BATCH, BATCH + 2]
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == BATCH + 2
    assert rows[0] == {"id": "q0", "hint": GOOD, "teacher": "t"}
    assert rows[1] == {"id": "q1", "hint": None, "teacher": "t", "refused": "gave the answer away"}

    teacher = Teacher(lambda _: GOOD)
    assert write_hints(samples(BATCH + 3), teacher, "u", file) == Lesson(1, 0, BATCH + 2)
    assert len(teacher.asked) == 1
    assert read_hints(file)[-1] == Hint(f"q{BATCH + 2}", GOOD, "u")
    assert read_hints(file)[:-1] == [Hint(**{"refused": None, **row}) for row in rows]
    assert [path.name for path in tmp_path.iterdir()] == ["hints.jsonl"]


def test_a_teacher_that_falls_silent_ends_the_call_with_what_there_is(tmp_path: Path) -> None:
    file = tmp_path / "hints.jsonl"
    asked = samples(3 * BATCH)
    teacher = Teacher(lambda n: GOOD if n < BATCH else None)
    with pytest.raises(ServiceError, match=f"{2 * BATCH} of {3 * BATCH} .*out to lunch"):
        write_hints(asked, teacher, "t", file)
    # The batch after the first silent one is not tried.
    assert len(teacher.asked) == 2 * BATCH
    assert len(read_hints(file)) == BATCH
    assert write_hints(asked, Teacher(lambda _: GOOD), "t", file) == Lesson(2 * BATCH, 0, BATCH)


def test_one_prompt_without_a_reply_does_not_hold_up_the_others(tmp_path: Path) -> None:
    file = tmp_path / "hints.jsonl"
    teacher = Teacher(lambda n: None if n == 0 else GOOD)
    with pytest.raises(ServiceError, match="1 of 12"):
        write_hints(samples(12), teacher, "t", file)
    assert [row.id for row in read_hints(file)] == [f"q{n}" for n in range(1, 12)]


def test_nothing_is_written_when_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(ServiceError):
        write_hints(samples(1), Teacher(lambda _: None), "t", tmp_path / "hints.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "row",
    [
        {"id": 3, "hint": "x", "teacher": "t"},
        {"id": "a", "hint": None, "teacher": "t"},
        {"id": "a", "hint": "x", "teacher": "t", "refused": "y"},
        {"step": 1},
    ],
)
def test_another_file_is_left_alone(tmp_path: Path, row: dict[str, object]) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=r"metrics.jsonl:1: not a row of hints"):
        write_hints(samples(1), Teacher(lambda _: GOOD), "t", file)
    assert file.read_text() == json.dumps(row) + "\n"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8000", "whole address"),
        ("ftp://host/v1", "whole address"),
        ("http://[x", "whole address"),
        ("http://host:port/v1", "whole address"),
        ("http://user:key@host/v1", "must hold no key"),
        ("http://host/v1?key=1", "must hold no key"),
    ],
)
def test_an_address_that_is_none_or_holds_a_key_is_refused(url: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        open_teacher(url, "t", None)
    assert str(caught.value).startswith("--teacher-url ") and "\n" not in str(caught.value)
    assert message == "whole address" or url not in str(caught.value)


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEACHER_KEY", raising=False)
    with pytest.raises(UsageError, match="--teacher-key-env='TEACHER_KEY': .* is not set"):
        open_teacher("http://host/v1", "t", "TEACHER_KEY")
    monkeypatch.setenv("TEACHER_KEY", "secret")
    assert "secret" not in repr(open_teacher("http://host/v1/", "t", "TEACHER_KEY").identity)


def test_a_key_in_an_address_without_a_scheme_is_not_repeated() -> None:
    with pytest.raises(
        UsageError, match=r"--teacher-url ftp://\*\*\*@host/v1: give a whole"
    ) as caught:
        open_teacher("ftp://user:canary@host/v1", "t", None)
    assert "canary" not in str(caught.value)


def test_the_samples_of_a_run_have_the_hints_of_its_file(tmp_path: Path) -> None:
    data = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4"), row("b", "2.mp4")])
    file = tmp_path / "hints.jsonl"
    file.write_text(json.dumps(Hint("b", GOOD, "t").to_row()) + "\n")
    config = resolve_train(stage=3, assignments=[f"data={data}", f"hints.file={file}"])
    assert {name: sample.hint for name, sample in samples_by_id(config).items()} == {
        "a": None,
        "b": GOOD,
    }
