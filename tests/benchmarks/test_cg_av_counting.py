from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.cg_av_counting import CG_AV_COUNTING, figures
from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.errors import DataError
from avatar_core.types import Content, MediaRef
from tests.benchmarks.kit import cg_av_counting as kit
from tests.eval_rows import eval_row


def loaded(root: Path, mode: str | None = None) -> dict[str, Item]:
    return {item.id: item for item in select(CG_AV_COUNTING, root, Selection(mode=mode))}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    kit.write(root, "hub")
    return root


def written(root: Path, **changes: Any) -> Path:
    """A list of one question, changed."""
    row = {**kit.ROWS[0], **changes}
    (root / "cg-av-counting.json").write_text(json.dumps([row]), encoding="utf-8")
    return root


def test_counts_about_whole_videos(hub: Path) -> None:
    items = loaded(hub)
    assert list(items) == ["41", "42", "7", "8", "9", "10", "11"]
    first = items["41"]
    assert (first.question, first.gold, first.answer_kind) == (
        "How often does number 41 come?",
        "2",
        "count",
    )
    assert first.media == (MediaRef("video", str(hub / "cg_videos_720p" / "Q1w2E3.mp4")),)
    assert first.groups == {"category": ("event",), "type": ("AV",)}
    assert items["42"].gold == "3"  # written as a text
    gone = str(hub / "cg_videos_720p" / "gone.mp4")
    assert {name: item.missing for name, item in items.items() if item.missing} == {"10": (gone,)}


def test_clips_are_named_by_both_ends_with_two_decimals(hub: Path) -> None:
    items = loaded(hub, "ref")
    names = [Path(item.media[0].path).name for item in items.values()]
    assert names[0] == "Q1w2E3_0.00_0.75.mp4"
    assert names[3] == "r5T6y7_0.12_1.00.mp4"
    assert all(Path(item.media[0].path).parent.name == "ref_videos" for item in items.values())
    assert [name for name, item in items.items() if item.missing] == ["10"]
    assert {item.answer_kind for item in items.values()} == {"count"}


def test_clues_show_frames_in_order_of_first_appearance(hub: Path) -> None:
    items = loaded(hub, "clue")
    assert {item.answer_kind for item in items.values()} == {"clue"}
    assert [medium.kind for medium in items["41"].media] == ["video"]
    objects, clusters = items["7"], items["8"]
    assert [(medium.kind, medium.start) for medium in objects.media] == [
        ("image", 0.75),
        ("image", 0.25),
    ]
    assert [medium.start for medium in clusters.media] == [0.5, 0.0]
    gold = json.loads(objects.gold)
    assert (gold["category"], gold["times"], len(gold["clue"])) == ("object", [0.75, 0.25], 3)
    assert [name for name, item in items.items() if item.missing] == ["10"]


@pytest.mark.parametrize("mode", ["long", "ref", "clue"])
@pytest.mark.parametrize("layout", kit.LAYOUTS)
def test_layouts_hold_the_same_questions(layout: str, mode: str, tmp_path: Path, hub: Path) -> None:
    kit.write(tmp_path, layout, reverse=True)
    items, expected = loaded(tmp_path, mode), loaded(hub, mode)
    assert list(items) == list(reversed(expected))
    for name, item in items.items():
        same = expected[name]
        assert (item.question, item.gold, item.groups) == (same.question, same.gold, same.groups)
        assert [(m.kind, m.start) for m in item.media] == [(m.kind, m.start) for m in same.media]
        assert bool(item.missing) == (layout == "hub" and name == "10")


def test_a_question_without_index_is_known_by_its_content(tmp_path: Path) -> None:
    (name,) = loaded(written(tmp_path, index=None))
    (again,) = loaded(written(tmp_path, index=None, answer=5))
    (other,) = loaded(written(tmp_path, index=None, question="Why?"))
    assert name == again != other


@pytest.mark.parametrize(
    ("mode", "changes", "reason"),
    [
        ("long", {"answer": "many"}, "answer must be a number"),
        ("long", {"answer": 2.5}, "answer 2.5 is no count"),
        ("long", {"answer": -1}, "is no count"),
        ("long", {"answer": None}, "answer is missing"),
        ("long", {"category": "action"}, "category 'action' is unknown"),
        ("long", {"video": "../x.mp4"}, "not a path below"),
        ("ref", {"query_interval": [1]}, "query_interval must be"),
        ("ref", {"query_interval": [1, "x"]}, "query_interval must be a number"),
        ("clue", {"clue": None}, "clue must be a list"),
    ],
)
def test_bad_rows_are_named(
    mode: str, changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        loaded(written(tmp_path, **changes), mode)
    assert "row 1" in str(caught.value) or "path below" in str(caught.value)


def test_what_a_mode_does_not_need_is_not_read(tmp_path: Path) -> None:
    assert loaded(written(tmp_path, clue="broken", query_interval=None))["41"].gold == "2"


def text_of(content: Content) -> str:
    return "\n".join(part for part in content if isinstance(part, str))


def test_counting_prompts(hub: Path) -> None:
    item = loaded(hub)["41"]
    official, authors, think = (
        CG_AV_COUNTING.ask(item, style) for style in ("official", "authors", "think")
    )
    assert official[0] == authors[0] == think[0] == item.media[0]
    assert all(len(content) == 2 for content in (official, authors, think))
    assert item.question in text_of(official)
    assert "number" in text_of(official)
    assert "Watch the video" not in text_of(official)
    assert text_of(authors).startswith("Watch the video and answer")
    assert "<think>" in text_of(think)


def test_frames_are_numbered_but_not_by_the_authors(hub: Path) -> None:
    item = loaded(hub, "clue")["7"]
    first, second = item.media
    official = CG_AV_COUNTING.ask(item, "official")
    assert official[:4] == ("There are 2 frames.\nFrame1:", first, "Frame2:", second)
    assert CG_AV_COUNTING.ask(item, "think")[:4] == official[:4]
    assert CG_AV_COUNTING.ask(item, "authors")[:2] == (first, second)
    # Without media no frame is promised.
    blind = CG_AV_COUNTING.ask(replace(item, media=()), "official")
    assert len(blind) == 1
    assert "There are" not in text_of(blind)


def test_each_category_asks_for_its_own_json(hub: Path) -> None:
    items = loaded(hub, "clue")
    styles: tuple[PromptStyle, ...] = ("official", "authors", "think")
    forms = {"41": "[[12.34, 15.6]]", "7": '"Frame1": [[x_min', "8": '"label": "Label 1"'}
    cases = 0
    for name, form in forms.items():
        for style in styles:
            asked = text_of(CG_AV_COUNTING.ask(items[name], style))
            assert form in asked
            assert asked.count("<answer>") == 1
            assert [other for other in forms.values() if other in asked] == [form]
            cases += 1
    assert cases == 9


def test_figures_follow_what_was_asked() -> None:
    counts = [
        eval_row("a", True, gold="2", prediction="2"),
        eval_row("b", False, gold="2", prediction=None),
    ]
    assert figures(counts) == {"oboa": 0.5, "mae": 1.0, "rmse": 2**0.5, "counted": 1}
    gold = '{"category": "event", "clue": [], "times": []}'
    clues = [
        eval_row("a", False, gold=gold, prediction="[[1, 2]]", score=0.25),
        eval_row("b", None, gold=gold, prediction=None, score=None),
    ]
    assert figures(clues) == {"wcs": 0.125, "ifa": 0.5}
    assert figures([]) == {}
