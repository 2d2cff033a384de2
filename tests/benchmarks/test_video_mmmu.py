from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.benchmarks.video_mmmu import DISCIPLINE_OF, VIDEO_MMMU, figures
from avatar_core.errors import DataError, UsageError
from avatar_core.types import Content, MediaRef
from tests.benchmarks.kit import video_mmmu as kit
from tests.benchmarks.kit.media import image_bytes
from tests.eval_rows import eval_row


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    kit.write(root, "hub")
    return root


def loaded(
    root: Path, subset: str | None = None, *, question_only: bool = False
) -> dict[str, Item]:
    selection = Selection(subset=subset, question_only=question_only)
    return {item.id: item for item in select(VIDEO_MMMU, root, selection)}


def written(root: Path, **changes: Any) -> Path:
    """The perception track with one question, changed."""
    document = {"Perception": {"0": {**kit.ROWS["Perception"][0], **changes}}}
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "perception_video.json").write_text(json.dumps(document), encoding="utf-8")
    return root


def test_three_tracks_and_their_questions(hub: Path) -> None:
    items = loaded(hub)
    assert list(items) == [
        f"{track.lower()}/{row['id']}" for track, rows in kit.ROWS.items() for row in rows
    ]
    first = items["perception/dev_Art_Theory_2"]
    assert first.options == ("Ochre", "Umber", "Sienna")
    assert (first.gold, first.answer_kind, first.subset) == ("C", "mc", "perception")
    assert first.media == (MediaRef("video", str(hub / "Art" / "dev_Art_Theory_2.mp4")),)
    assert first.groups == {
        "track": ("Perception",),
        "discipline": ("Art",),
        "subject": ("Art Theory",),
        "question_type": ("multiple-choice",),
    }
    assert len(items["perception/test_Math_31"].options) == 14
    assert items["perception/test_Math_31"].gold == "N"
    assert items["comprehension/dev_Art_Theory_2"].options == ("Age", "Price")
    # The letter in front, though another option is that letter.
    assert items["adaptation/dev_Art_Theory_2"].gold == "A"
    gone = (str(hub / "Art" / "test_Music_5.mp4"),)
    missing = {name: item.missing for name, item in items.items() if item.missing}
    assert missing == {"adaptation/test_Music_5": gone}


def test_tracks_alone(hub: Path) -> None:
    counts = {track: len(loaded(hub, track)) for track in VIDEO_MMMU.subsets}
    assert counts == {"all": 9, "perception": 2, "comprehension": 2, "adaptation": 5}


def test_broken_lists_of_answers_become_alternatives(hub: Path) -> None:
    items = loaded(hub, "adaptation")
    mean, rate = items["adaptation/test_Math_31"], items["adaptation/new_Finance_4"]
    assert (mean.answer_kind, mean.gold, mean.alternatives) == ("open", "24/8", ("3.0", "3"))
    assert (rate.answer_kind, rate.gold, rate.alternatives) == ("open", "7 percent", ())


@pytest.mark.parametrize(
    ("answer", "golds"),
    [
        ("['24/7', '3.429', '3.43]", ("24/7", "3.429", "3.43")),
        ('["it\'s", "its"]', ("it's", "its")),
        ("['1,000', '1000']", ("1,000", "1000")),
        ("['one']", ("one",)),
        ("['a', 'a', ' b ']", ("a", "b")),
        (["x", "y"], ("x", "y")),
        (3.5, ("3.5",)),
        ("[0, 1]", ("[0, 1]",)),  # an interval, not a list of texts
        ("a, 'b', c", ("a, 'b', c",)),
    ],
)
def test_open_golds(answer: object, golds: tuple[str, ...], tmp_path: Path) -> None:
    (item,) = loaded(written(tmp_path, options=[], answer=answer), "perception").values()
    assert (item.gold, *item.alternatives) == golds


def test_the_picture_stands_behind_the_lecture(hub: Path, cache: Path) -> None:
    item = loaded(hub, "adaptation")["adaptation/validation_Basic_Medical_Science_9"]
    video, picture = item.media
    assert video == MediaRef("video", str(hub / "Medicine" / f"{item.id.split('/')[1]}.mp4"))
    assert picture.kind == "image"
    assert Path(picture.path).is_relative_to(cache)
    assert Path(picture.path).read_bytes() == image_bytes()
    assert "image" not in item.raw


def test_without_lecture_the_picture_alone_is_shown_as_a_clip(hub: Path) -> None:
    items = loaded(hub, question_only=True)
    # The same ids as with the lecture, so that the two runs can be compared.
    assert items.keys() == loaded(hub, "adaptation").keys()
    assert not any(item.missing for item in items.values())
    for item in items.values():
        name = f"{item.id.split('/')[1]}_image.mp4"
        assert item.media == (MediaRef("video", str(hub / "question_only" / name)),)
        assert item.groups["track"] == ("Adaptation",)
    assert len(items) == 5
    with pytest.raises(UsageError, match="only the adaptation track"):
        loaded(hub, "perception", question_only=True)


def test_the_json_files_hold_the_same_questions(tmp_path: Path, hub: Path) -> None:
    kit.write(tmp_path, "github", reverse=True)
    items, expected = loaded(tmp_path), loaded(hub)
    assert items.keys() == expected.keys()
    for name, item in items.items():
        same = expected[name]
        assert (item.gold, item.alternatives, item.options, item.groups) == (
            same.gold,
            same.alternatives,
            same.options,
            same.groups,
        )
        assert [medium.kind for medium in item.media] == ["video"]
        assert not item.missing
    assert list(items)[0] == "perception/test_Math_31"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answer": "D"}, "none of the 3 options"),
        ({"answer": None}, "none of the 3 options"),
        ({"options": ["one"]}, "has 1 options"),
        ({"options": [], "answer": None}, "has no answer"),
        ({"options": [], "answer": "['']"}, "has no answer"),
        ({"id": None}, "id is missing"),
        ({"question": " "}, "question is blank"),
    ],
)
def test_bad_rows_are_named(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        loaded(written(tmp_path, **changes), "perception")
    assert str(caught.value).startswith("perception_video.json: row 1 ('Perception'): '0'")


def test_a_lecture_of_an_unknown_subject_is_looked_for_by_name(tmp_path: Path) -> None:
    written(tmp_path, id="dev_Cooking_1")
    (item,) = loaded(tmp_path, "perception").values()
    assert item.groups["discipline"] == ("other",)
    assert item.missing == (str(tmp_path / "dev_Cooking_1.mp4"),)


def test_thirty_subjects_have_a_discipline() -> None:
    assert len(DISCIPLINE_OF) == 30


def text_of(content: Content) -> str:
    assert isinstance(content[-1], str)
    return content[-1]


def test_wordings_follow_the_track(hub: Path) -> None:
    items = loaded(hub)
    seen = VIDEO_MMMU.ask(items["perception/dev_Art_Theory_2"], "official")
    assert text_of(seen).startswith("Which colour is named first?\nA. Ochre\nB. Umber\nC. Sienna\n")
    assert "last frame" in text_of(seen)
    applied = items["adaptation/test_Music_5"]
    asked = VIDEO_MMMU.ask(applied, "official")
    assert asked[:2] == applied.media
    assert "learnt to answer this multiple-choice question" in text_of(asked)
    assert "last frame" not in text_of(asked)
    open_text = text_of(VIDEO_MMMU.ask(items["adaptation/new_Finance_4"], "official"))
    assert "this open question" in open_text
    assert "A. " not in open_text
    assert "<think>" in text_of(VIDEO_MMMU.ask(applied, "think"))
    alone = loaded(hub, question_only=True)["adaptation/test_Music_5"]
    assert text_of(VIDEO_MMMU.ask(alone, "official")) == (
        "<image 1> Which key?\nA. D minor\nB. E flat"
    )
    assert "authors" not in VIDEO_MMMU.styles


def test_figures_by_hand() -> None:
    groups = {"track": ("Perception",), "discipline": ("Art",)}
    rows = [
        eval_row("a", True, groups=groups),
        eval_row("b", None, groups=groups),
        eval_row("c", True, groups={"track": ("Adaptation",), "discipline": ("Art",)}),
    ]
    assert figures(rows) == {
        "accuracy_adaptation": 1.0,
        "accuracy_art": pytest.approx(2 / 3),
        "accuracy_perception": 0.5,
    }
