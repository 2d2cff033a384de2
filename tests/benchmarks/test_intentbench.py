"""IntentBench: three kinds of answers, their golds, wordings and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.intentbench import INTENTBENCH, ask, figures
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.errors import DataError
from avatar_core.evaluation_records import EvalRow
from avatar_core.types import MediaRef
from tests.benchmarks.kit import intentbench as kit

GOOD = {
    "problem": "What?",
    "problem_type": "multiple choice",
    "options": ["A. x", "B. y"],
    "solution": "<answer>A</answer>",
    "video": "a.mp4",
}


def items(root: Path, layout: str, *, reverse: bool = False) -> list[Item]:
    home = root / f"{layout}{reverse}"
    home.mkdir()
    kit.write(home, layout, reverse=reverse)
    return select(INTENTBENCH, home, Selection())


def one(root: Path, **change: Any) -> Item:
    (root / "qa.json").write_text(json.dumps([{**GOOD, **change}]), encoding="utf-8")
    return select(INTENTBENCH, root, Selection())[0]


def row(name: str, kind: str, score: float | None) -> EvalRow:
    return EvalRow(
        id=name,
        status="error" if score is None else "ok",
        prediction=None,
        gold="A",
        correct=score == 1,
        score=score,
        text=None,
        truncated=False,
        modalities=(),
        frames=None,
        groups={"problem_type": (kind,)},
        seconds=None,
        error=None,
    )


@pytest.mark.parametrize("layout", kit.LAYOUTS)
def test_kinds_golds_and_options(tmp_path: Path, layout: str) -> None:
    loaded = items(tmp_path, layout)
    assert [item.id for item in loaded] == [kit.ident(number) for number in range(7)]
    assert loaded[0].id == "talk_17_q2"
    assert [(item.answer_kind, item.gold, len(item.options)) for item in loaded] == [
        ("mc", "C", 4),
        ("mc", "E", 5),
        ("multi", "B,D", 8),
        ("multi", "A,C,H", 8),
        ("yesno", "yes", 0),
        ("yesno", "no", 0),
        ("yesno", "no", 0),
    ]
    assert loaded[0].options == ("She is bored.", "She is late.", "She is hurt.", "She laughs.")
    assert loaded[2].groups == {"problem_type": ("emer_ov_mc",), "type": ("emotion",)}
    assert loaded[4].question == kit.ROWS[4]["problem"]


def test_media_and_the_missing_one(tmp_path: Path) -> None:
    hub, authors = items(tmp_path, "hub"), items(tmp_path, "authors")
    # The second question has no field `video`.
    assert hub[1].media == (MediaRef("video", str(tmp_path / f"hubFalse/videos/{kit.TALK}")),)
    assert authors[1].media == (MediaRef("video", str(tmp_path / f"authorsFalse/{kit.TALK}")),)
    gone = str(tmp_path / f"hubFalse/videos/{kit.GONE}")
    assert [item.missing for item in hub] == [(), (), (), (), (), (gone,), ()]
    assert not any(item.missing for item in authors)


def test_the_order_of_the_file_changes_no_item(tmp_path: Path) -> None:
    there, back = items(tmp_path, "hub"), items(tmp_path, "hub", reverse=True)
    assert [(item.id, item.gold) for item in there] == [
        (item.id, item.gold) for item in reversed(back)
    ]


def test_records_without_an_id_are_told_apart(tmp_path: Path) -> None:
    rows = [GOOD, {**GOOD, "problem": "Why?"}, {**GOOD, "video": "b.mp4"}, GOOD]
    (tmp_path / "qa.json").write_text(json.dumps(rows), encoding="utf-8")
    names = [item.id for item in select(INTENTBENCH, tmp_path, Selection())]
    assert len(set(names)) == 4
    assert names[3] == f"{names[0]}#2"
    assert one(tmp_path, **{"Question id": 17}).id == "17"


@pytest.mark.parametrize(
    ("change", "gold"),
    [
        ({"solution": "<answer>B</answer> no: <answer>a</answer>"}, "A"),
        ({"solution": None, "answer": "(B)"}, "B"),
        ({"solution": "<answer></answer>", "answer": "y"}, "B"),
        ({"problem_type": "emer_ov_mc", "solution": "<answer>b ,A,</answer>"}, "A,B"),
        ({"problem_type": "emer_ov_mc", "solution": "<answer>B,B</answer>"}, "B"),
        ({"problem_type": "judge", "solution": "<answer> YES. </answer>"}, "yes"),
    ],
)
def test_gold(tmp_path: Path, change: dict[str, Any], gold: str) -> None:
    assert one(tmp_path, **change).gold == gold


def test_options_inside_the_problem(tmp_path: Path) -> None:
    item = one(tmp_path, problem="What?\nA. x\nB. y", options=None)
    assert (item.question, item.options) == ("What?", ("x", "y"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"problem_type": "regression"}, "row 1: problem_type 'regression' is not one of"),
        ({"solution": "A"}, "row 1: answer is missing"),
        ({"solution": "<answer>C</answer>"}, "row 1: answer 'C' is none of the 2 options"),
        ({"problem_type": "emer_ov_mc", "solution": "<answer>A,C</answer>"}, "'C' is none of"),
        ({"problem_type": "emer_ov_mc", "solution": "<answer>AB</answer>"}, "'AB' is none of"),
        ({"problem_type": "judge", "solution": "<answer>unknown</answer>"}, "neither yes nor no"),
        ({"options": None}, "row 1.*no options"),
        ({"video": None}, "row 1: video or path is missing"),
        ({"video": "../../a.mp4"}, "not a path below"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        one(tmp_path, **change)


def test_the_official_wording_asks_for_tags_by_kind(tmp_path: Path) -> None:
    loaded = items(tmp_path, "hub")
    wanted = {0: "the one option", 2: "separated by commas", 4: "Yes or No"}
    for number, words in wanted.items():
        video, text = ask(loaded[number], "official")
        assert video == loaded[number].media[0]
        assert words in str(text) and "between <answer> and </answer>" in str(text)
        assert ("\nOptions:\nA. " in str(text)) == (number != 4)
    system = (INTENTBENCH.system or {}).get("official", "")
    assert all(f"<{tag}>" in system for tag in ("context", "think", "answer"))


def test_the_authors_wording_has_no_tags_and_keeps_the_problem(tmp_path: Path) -> None:
    loaded = items(tmp_path, "hub")
    wanted = {0: "one capital letter", 2: "separated by commas", 4: "Yes or No"}
    for number, words in wanted.items():
        _, text = ask(loaded[number], "authors")
        assert words in str(text) and "<" not in str(text)
        # The whole problem: which answer means a lie depends on how it is put.
        assert kit.ROWS[number]["problem"] in str(text)
    assert "authors" not in (INTENTBENCH.system or {})
    assert "Yes or No between <answer>" in str(ask(loaded[4], "think")[1])


def test_figures_count_sets_by_f1_and_exactly() -> None:
    rows = [
        row("a", "multiple choice", 1.0),
        row("b", "judge", 0.0),
        row("c", "emer_ov_mc", 0.5),
        row("d", "emer_ov_mc", 1.0),
        row("e", "emer_ov_mc", None),
    ]
    # Right are a and d of five; of the sets F1 is 0.5, 1 and 0 of the failed one.
    assert figures(rows) == {
        "exact_match": 2 / 5,
        "emotion_f1": 1.5 / 3,
        "emotion_exact_match": 1 / 3,
    }
    assert figures(rows[:2])["emotion_f1"] is None
    assert figures([])["exact_match"] is None
    assert (INTENTBENCH.headline, INTENTBENCH.graded) == ("mean_reward", True)
