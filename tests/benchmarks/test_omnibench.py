from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.omnibench import OMNIBENCH
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.errors import DataError
from tests.benchmarks.kit import media
from tests.benchmarks.kit import omnibench as kit


def items(root: Path, layout: str, *, reverse: bool = False) -> dict[str, Item]:
    kit.write(root, layout, reverse=reverse)
    return {item.id: item for item in select(OMNIBENCH, root, Selection())}


def test_the_authors_layout(tmp_path: Path) -> None:
    found = items(tmp_path / "data", "authors")
    assert list(found) == ["12", "13", "14", "20", "21", "41", "42"]
    first = found["12"]
    assert first.options == ("He sits down.", "He leaves the room.", "He sings.", "He waits.")
    assert first.answer_kind == "mc"
    folder = tmp_path / "data" / "mm_data"
    assert [(ref.kind, ref.path) for ref in first.media] == [
        ("image", str(folder / "image/1_007.png")),
        ("audio", str(folder / "audio/1_07.mp3")),
    ]
    assert found["13"].media[1].path == str(folder / "audio/6-0044.mp4.mp3.mp3")
    assert found["13"].groups == {
        "audio_type": ("sound event",),
        "task_type": ("Plot Inference",),
    }
    assert first.raw["audio content"] == "A: invented words"


def test_golds_are_texts(tmp_path: Path) -> None:
    golds = {name: item.gold for name, item in items(tmp_path, "authors").items()}
    # 14: the text "B" is the third option. 20: other case and spaces. 21: spaces around it.
    expected = {"12": "B", "13": "A", "14": "C", "20": "D", "21": "C", "41": "A", "42": "B"}
    assert golds == expected


def test_a_missing_sound_is_no_picture_of_that_name(tmp_path: Path) -> None:
    found = items(tmp_path, "authors")
    assert (tmp_path / "mm_data/image/9_041.mp4.png").is_file()
    assert found["41"].missing == (str(tmp_path / "mm_data/audio" / kit.MISSING),)
    assert [name for name, item in found.items() if item.missing] == ["41"]


@pytest.mark.parametrize("layout", ["hub", "lmms"])
def test_tables_carry_their_media(tmp_path: Path, cache: Path, layout: str) -> None:
    found = items(tmp_path / "data", layout)
    assert sorted(found) == ["12", "13", "14", "20", "21", "41", "42"]
    assert not any(item.missing for item in found.values())
    picture, sound = found["13"].media
    assert (picture.kind, sound.kind) == ("image", "audio")
    assert Path(picture.path).read_bytes() == media.image_bytes()
    assert Path(sound.path).read_bytes() == media.sound_bytes()
    # Their suffix is that of the stored name; equal files are stored once.
    assert {Path(item.media[0].path).suffix for item in found.values()} == {".png", ".jpg"}
    assert {Path(item.media[1].path).suffix for item in found.values()} == {".mp3"}
    assert len([path for path in cache.rglob("*") if path.is_file()]) == 3
    assert all(not {"image", "audio"} & set(item.raw) for item in found.values())


def test_layouts_and_orders_agree(tmp_path: Path) -> None:
    facts = [
        {
            name: (item.question, item.options, item.gold, item.groups)
            for name, item in items(
                tmp_path / f"{layout}{reverse}", layout, reverse=reverse
            ).items()
        }
        for layout in kit.LAYOUTS
        for reverse in (False, True)
    ]
    assert len(facts) == 6
    assert all(other == facts[0] for other in facts[1:])


def table(root: Path, **changes: Any) -> list[Item]:
    """Items of a table that holds the first row alone, with changes."""
    kit.write(root, "hub")
    path = root / "data" / "train-00000-of-00001.parquet"
    (row, *_) = parquet.read_table(path).to_pylist()
    parquet.write_table(pyarrow.Table.from_pylist([{**row, **changes}]), path)
    return select(OMNIBENCH, root, Selection())


def test_a_table_without_names_or_with_bare_bytes(tmp_path: Path) -> None:
    (only,) = table(
        tmp_path / "one",
        image={"bytes": media.image_bytes(), "path": None},
        audio=media.sound_bytes(),
    )
    assert [Path(ref.path).suffix for ref in only.media] == [".png", ".wav"]


def test_a_table_that_only_names_its_media(tmp_path: Path) -> None:
    root = tmp_path / "one"
    media.image(root / "mm_data" / "image" / "1_007.png")
    (only,) = table(root, image={"bytes": None, "path": "1_007.png"})
    assert only.media[0].path == str(root / "mm_data/image/1_007.png")
    assert only.missing == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answer": "He flies."}, "answer 'He flies.' is none of the 4 options"),
        # A letter is no text of an option.
        ({"answer": "B"}, "answer 'B' is none of the 4 options"),
        ({"answer": None}, "answer is missing"),
        ({"options": None}, "no options were found"),
        ({"question": None}, "question is missing"),
        ({"image": None}, "has no image and no image_path"),
        ({"audio": {"bytes": b"", "path": None}}, "has no audio and no audio_path"),
        ({"image": {"bytes": None, "path": "../x.png"}}, "not a path below"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as caught:
        table(tmp_path / "one", **changes)
    assert words in str(caught.value)


def test_lettered_options_and_gold_lose_their_letters_together(tmp_path: Path) -> None:
    kit.write(tmp_path, "authors")
    (path,) = (tmp_path / "dataset").glob("*.jsonl")
    row = {**kit.ROWS[6], "options": ["A. 1", "B. 2", "C. 3", "D. 4"], "answer": "C. 3"}
    path.write_text(json.dumps(row), encoding="utf-8")
    (only,) = select(OMNIBENCH, tmp_path, Selection())
    assert (only.options, only.gold) == (("1", "2", "3", "4"), "C")


def test_how_questions_are_worded(tmp_path: Path) -> None:
    item = items(tmp_path, "authors")["12"]
    words = {}
    for style in OMNIBENCH.styles:
        picture, sound, text = OMNIBENCH.ask(item, style)
        assert (picture, sound) == item.media
        words[style] = str(text)
    block = "A. He sits down.\nB. He leaves the room.\nC. He sings.\nD. He waits.\n"
    assert len(words) == 3
    assert all(block in text for text in words.values())
    # The example in the prompt is why an answer is never searched in it.
    assert "<answer>A</answer>" in words["authors"]
    assert "A, B, C or D" in words["authors"]
    assert "<answer>" not in words["official"]
    assert OMNIBENCH.system is not None
    assert list(OMNIBENCH.system) == ["authors"]
