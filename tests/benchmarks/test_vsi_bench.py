from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.benchmarks.vsi_bench import CHOICES, NUMBERS, VSI_BENCH, ask, figures, strata
from avatar_core.errors import DataError
from avatar_core.evaluation_records import EvalRow
from tests.benchmarks.kit import vsi_bench as kit


def loaded(root: Path, subset: str | None = None) -> list[Item]:
    return select(VSI_BENCH, root, Selection(subset=subset))


def scored(kind: str, score: float | None, groups: Sequence[str] | str | None = None) -> EvalRow:
    return EvalRow(
        id=f"{kind}-{score}",
        status="ok",
        prediction=None,
        gold=None,
        correct=score == 1,
        score=score,
        text=None,
        truncated=False,
        modalities=(),
        frames=None,
        groups={"question_type": kind if groups is None else tuple(groups)},
        seconds=None,
        error=None,
    )


def test_both_forms_of_the_hub_hold_the_same_questions(tmp_path: Path) -> None:
    for layout in kit.LAYOUTS:
        kit.write(tmp_path / layout, layout)
        items = loaded(tmp_path / layout)
        assert [item.id for item in items] == [str(number) for number in range(11, 23)]
        kinds = [(item.answer_kind, item.gold, len(item.options)) for item in items]
        assert kinds[:5] == [("number", gold, 0) for gold in ("10", "4", "2.0", "100", "25.5")]
        assert kinds[5:] == [
            ("mc", gold, count)
            for gold, count in zip("CBDABDA", (4, 3, 4, 2, 3, 4, 4), strict=True)
        ]
        assert items[6].options == ("lamp", "door", "table")
        assert items[6].groups == {"question_type": ("route_planning",), "dataset": ("scannet",)}
    assert len(kit.LAYOUTS) == 2


def test_scene_names_that_look_like_numbers_stay_as_they_are(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    items = loaded(tmp_path)
    home = tmp_path.resolve()
    assert items[0].media[0].path == str(home / "arkitscenes/41069999.mp4")
    (missing,) = [item for item in items if item.missing]
    assert missing.missing == (str(home / "scannetpp/00e7512340.mp4"),)


def test_a_scene_of_another_data_set_is_not_taken(tmp_path: Path) -> None:
    kit.write(tmp_path, "jsonl")
    (tmp_path / "arkitscenes").rename(tmp_path / "elsewhere")
    missing = {item.groups["dataset"] for item in loaded(tmp_path) if item.missing}
    assert missing == {("arkitscenes",)}
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "elsewhere").rename(tmp_path / "unpacked" / "arkitscenes")
    assert not any(item.missing for item in loaded(tmp_path))


def test_subsets_are_files_of_their_own(tmp_path: Path) -> None:
    kit.write(tmp_path, "jsonl")
    for subset, odd in (("debiased", 1), ("pruned", 0)):
        items = loaded(tmp_path, subset)
        assert [int(item.id) % 2 for item in items] == [odd] * 6
    (tmp_path / "test_pruned.parquet").unlink()
    with pytest.raises(DataError, match=r"holds no test_pruned.parquet"):
        loaded(tmp_path, "pruned")


@pytest.mark.parametrize(
    ("number", "fields", "complaint"),
    [
        (0, {"question_type": "object_weight"}, "'object_weight' is unknown"),
        (0, {"ground_truth": "ten"}, "ground_truth must be a number, found 'ten'"),
        (0, {"ground_truth": None}, "ground_truth is missing"),
        (0, {"scene_name": 41069999}, "scene_name must be a text, found '41069999'"),
        (0, {"scene_name": "../x"}, "not a path below"),
        (0, {"id": None}, "id is missing"),
        (5, {"options": None}, "no options were found"),
        (5, {"ground_truth": "E"}, "answer 'E' is none of the 4 options"),
    ],
)
def test_a_bad_row_is_named(
    tmp_path: Path, number: int, fields: dict[str, object], complaint: str
) -> None:
    rows = [kit.ROWS[1], {**kit.ROWS[number], **fields}]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=complaint):
        loaded(tmp_path)


def test_each_type_has_its_place_in_the_mean_of_eight() -> None:
    places = [strata(scored(kind, 1.0)) for kind in CHOICES + NUMBERS]
    assert len(places) == 10
    assert len({place[0] for place in places}) == 8
    assert [len(place) for place in places] == [2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    assert strata(scored(CHOICES[0], 1.0, [CHOICES[0]])) == (
        "object_rel_direction",
        "object_rel_direction_easy",
    )


def test_eight_scores_and_none_where_there_are_no_items() -> None:
    rows = [
        scored("object_rel_direction_easy", 1.0),
        scored("object_rel_direction_hard", 1.0),
        scored("object_rel_direction_hard", 0.0),
        scored("object_counting", 0.3),
        scored("object_counting", None),  # failed: counts 0
    ]
    scores = figures(rows)
    # Direction of two levels: (1 + 0.5) / 2. Counting: (0.3 + 0) / 2.
    present = {name: score for name, score in scores.items() if score is not None}
    assert present == pytest.approx({"object_rel_direction": 0.75, "object_counting": 0.15})
    assert len(scores) == 8
    assert set(figures([]).values()) == {None}


def test_wording(tmp_path: Path) -> None:
    kit.write(tmp_path, "jsonl")
    items = loaded(tmp_path)
    number, choice = str(ask(items[0], "official")[-1]), str(ask(items[6], "official")[-1])
    assert ask(items[0], "official")[:-1] == items[0].media
    assert number.endswith("Reply with one word or one short phrase.")
    assert "\nOptions:\nA. lamp\nB. door\nC. table\n" in choice
    assert "letter" in choice and "letter" not in number
    assert all("<answer>" in str(ask(item, "think")[-1]) for item in items)
    assert VSI_BENCH.styles == ("official", "think")
    assert (VSI_BENCH.headline, VSI_BENCH.graded) == ("macro_mean", True)
