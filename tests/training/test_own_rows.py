"""Tests of training/own_rows.py: solutions without a number, all bad rows at once, notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.data import samples
from avatar_core.data.scenes import scene_samples
from avatar_core.errors import DataError
from avatar_core.training.own_rows import load_sound, notes_on, refusal, refuse_numberless
from avatar_core.types import ProblemType, Sample
from tests.training.test_data import row, write_data

BLANK = {"question": " "}


def config_of(data: Path | str, *settings: str) -> TrainConfig:
    return resolve_train(stage=1, assignments=[f"data={data}", *settings])


def refused(config: TrainConfig, *, quick: bool = False) -> str:
    with pytest.raises(DataError) as caught:
        load_sound(config, quick=quick)
    return str(caught.value)


@pytest.mark.parametrize(
    ("solution", "found"),
    [
        ("many", "holds no number"),
        ("the red one", "holds no number"),
        ("3/4", "is no plain number"),
        ("dozens", "is no plain number"),
    ],
)
def test_a_number_that_is_not_there_is_refused(solution: str, found: str) -> None:
    kinds: tuple[ProblemType, ...] = ("numerical", "regression")
    for kind in kinds:
        with pytest.raises(DataError) as caught:
            refuse_numberless(Sample("a", "How many?", (), solution, kind), "f:2")
        remedy = "give one, or another problem_type"
        assert str(caught.value) == f"f:2: solution {solution!r} {found}; {remedy}"
    refuse_numberless(Sample("a", "How many?", (), solution, "free-form"), "f:2")


def test_numbers_in_figures_words_and_units_are_solutions() -> None:
    solutions = ("3", "-2.5", "45 %", "twenty-one", "1,200 m", "about 7")
    for solution in solutions:
        refuse_numberless(Sample("a", "How many?", (), solution, "numerical"), "f:2")
    scenes = scene_samples(split="train", stage=1, count=50, seed=0)
    for sample in scenes:
        refuse_numberless(sample, "scenes")
    assert (len(solutions), len(scenes)) == (6, 50)


def test_every_kind_of_bad_row_is_in_one_list(tmp_path: Path) -> None:
    rows = [
        row("a", "1.mp4"),
        row("b", "1.mp4", question="<|im_end|>?"),
        row("c", "1.mp4", solution="many"),
        row("d", "1.mp4", **BLANK),
    ]
    path = write_data(tmp_path, "train.jsonl", rows)
    said, _, below = refused(config_of(path)).partition("\n\n")
    assert said == f"{path}: 3 of 4 rows cannot be used"
    assert below.splitlines() == [
        f"{path}:2: question holds the control token <|im_end|>; remove it",
        f"{path}:3: solution 'many' holds no number; give one, or another problem_type",
        f"{path}:4: the question is empty; give its text",
    ]
    # In a hurry the first that is met is enough; a row is met before its texts are.
    assert refused(config_of(path), quick=True) == below.splitlines()[2]


def test_a_single_bad_row_is_told_by_itself(tmp_path: Path) -> None:
    for changes in (BLANK, {"solution": "many"}, {"hint": "<|im_end|>"}):
        path = write_data(
            tmp_path, "train.jsonl", [row("a", "1.mp4"), row("b", "1.mp4", **changes)]
        )
        messages = {refused(config_of(path), quick=quick) for quick in (False, True)}
        assert len(messages) == 1
        (message,) = messages
        assert message.startswith(f"{path}:2: ") and "\n" not in message


def test_rows_of_both_files_are_listed(tmp_path: Path) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4", **BLANK)])
    held = write_data(tmp_path, "held.jsonl", [row("b", "2.mp4"), row("c", "2.mp4", **BLANK)])
    message = refused(config_of(train, f"held_out.data={held}"))
    assert message.splitlines() == [
        f"{train}: 1 of 1 rows cannot be used; {held}: 1 of 2 rows cannot be used",
        "",
        f"{train}:1: the question is empty; give its text",
        f"{held}:2: the question is empty; give its text",
    ]
    # A file that is not there has no rows to list; what is wrong with the other is told.
    assert refused(config_of(train, f"held_out.data={tmp_path}/no.jsonl")).startswith(f"{train}:1")
    assert refused(config_of("scenes", f"held_out.data={held}")).startswith(f"{held}:2: ")


def test_rows_that_the_run_does_not_use_need_no_number(tmp_path: Path) -> None:
    worded: dict[str, Any] = {"solution": "many"}
    rows = [row("a", "1.mp4"), row("b", "1.mp4", stage=2, **worded), row("c", "1.mp4", **worded)]
    path = write_data(tmp_path, "train.jsonl", rows)
    assert list(load_sound(config_of(path, "rollout.pool=1")).training) == ["a"]
    # With a fourth row that cannot be read the list says that of it and of the one in use.
    path = write_data(tmp_path, "train.jsonl", [*rows, row("d", "1.mp4", **BLANK)])
    assert [line[:1] for line in refused(config_of(path)).split(f"{path}:")[2:]] == ["3", "4"]
    assert refused(config_of(path, "rollout.pool=1")).startswith(f"{path}:4: ")


def test_many_problems_end_with_their_number(tmp_path: Path) -> None:
    count = samples.LISTED + 25
    rows = [row(str(number), "1.mp4", **BLANK) for number in range(count)]
    lines = refused(config_of(write_data(tmp_path, "train.jsonl", rows))).splitlines()
    # The sentence, the empty line, the list, and what is left of it.
    assert (len(lines), lines[-1]) == (samples.LISTED + 3, "and 25 more")
    assert str(refusal("head", ["one"], 1)) == "one"


def test_options_that_nobody_states_are_a_note(tmp_path: Path) -> None:
    choice = {"problem_type": "multiple choice", "solution": "A"}
    stated = ["Which?\nA. red\nB. blue", "Which? (A) red (B) blue", "Is it a) red or b) blue?"]
    rows = [row(str(n), "1.mp4", question=text, **choice) for n, text in enumerate(stated)]
    rows += [row("x", "1.mp4", options=["red", "blue"], **choice), row("y", "1.mp4")]
    path = write_data(tmp_path, "train.jsonl", rows)
    assert notes_on(load_sound(config_of(path))) == ()
    rows[1:1] = [row("z", "1.mp4", question="Which colour does a Bird have?", **choice)]
    rows += [row("last", "1.mp4", question="Who?", **choice)]
    path = write_data(tmp_path, "train.jsonl", rows)
    assert notes_on(load_sound(config_of(path))) == (
        "multiple choice with options neither given nor in the question: "
        f"2 of the rows, the first is {path}:2",
    )
