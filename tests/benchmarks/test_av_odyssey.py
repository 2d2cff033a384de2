"""AV-Odyssey: media of three kinds of files, and where they stand in a question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.av_odyssey import AV_ODYSSEY, ask, interleaved
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.errors import DataError
from avatar_core.types import MediaRef
from tests.benchmarks.kit import av_odyssey as kit
from tests.benchmarks.kit import media


def items(root: Path, layout: str, *, reverse: bool = False) -> dict[str, Item]:
    home = root / f"{layout}{reverse}"
    home.mkdir()
    kit.write(home, layout, reverse=reverse)
    return {item.id: item for item in select(AV_ODYSSEY, home, Selection())}


def test_the_table_of_paths(tmp_path: Path) -> None:
    loaded = items(tmp_path, "hub")
    assert list(loaded) == [kit.PAIR, kit.FOUR, kit.CLIP, kit.PLAIN, kit.ORDER, kit.GONE]
    pair, home = loaded[kit.PAIR], tmp_path / "hubFalse"
    assert pair.media == (
        MediaRef("image", str(home / "task3/a.png")),
        MediaRef("image", str(home / "task3/b.png")),
        MediaRef("audio", str(home / "task3/a.wav")),
    )
    assert pair.options == ("The one in [img1]", "The one in [img2]", "Both", "Neither")
    assert (pair.gold, pair.answer_kind) == ("B", "mc")
    assert pair.groups == {
        "subfield": ("Timbre",),
        "question_type_id": ("3",),
        "data_type": ("image_audio",),
    }
    # An archive unpacked into a folder of its own name.
    assert loaded[kit.CLIP].media[0] == MediaRef("video", str(home / "task7/task7/clip.mp4"))


def test_every_missing_medium_is_named(tmp_path: Path) -> None:
    missing = {key: item.missing for key, item in items(tmp_path, "hub").items() if item.missing}
    assert missing == {kit.GONE: (str(tmp_path / "hubFalse/task26/f.wav"),)}


@pytest.mark.parametrize("layout", ["embedded", "authors"])
def test_other_files_say_the_same(tmp_path: Path, layout: str) -> None:
    hub, other = items(tmp_path, "hub"), items(tmp_path, layout)
    assert list(hub) == list(other)
    for key, item in hub.items():
        same = other[key]
        assert (same.question, same.options, same.gold) == (item.question, item.options, item.gold)
        assert same.groups == item.groups
        assert [ref.kind for ref in same.media] == [ref.kind for ref in item.media]
        assert same.missing == ()


def test_embedded_media_become_files_of_the_cache(tmp_path: Path, cache: Path) -> None:
    image, *sounds = items(tmp_path, "embedded")[kit.FOUR].media
    assert len(sounds) == 4
    assert Path(image.path).is_relative_to(cache) and Path(image.path).suffix == ".png"
    assert Path(image.path).read_bytes() == media.image_bytes()
    assert {Path(sound.path).read_bytes() for sound in sounds} == {media.sound_bytes()}
    item = items(tmp_path, "embedded", reverse=True)[kit.CLIP]
    assert item.media[0].path == str(tmp_path / "embeddedTrue/videos/clip.mp4")
    assert "audio_1" not in item.raw and item.raw["video_1"] == "videos/clip.mp4"


@pytest.mark.parametrize("layout", kit.LAYOUTS)
def test_the_order_of_the_file_changes_no_item(tmp_path: Path, layout: str) -> None:
    there, back = items(tmp_path, layout), items(tmp_path, layout, reverse=True)
    assert sorted(there) == sorted(back)
    assert {key: item.gold for key, item in there.items()} == {
        key: item.gold for key, item in back.items()
    }


@pytest.mark.parametrize("style", ["official", "think"])
def test_media_stand_where_the_text_names_them(tmp_path: Path, style: Any) -> None:
    loaded = items(tmp_path, "hub")
    pair = loaded[kit.PAIR]
    one, two, sound = pair.media
    assert ask(pair, style)[:10] == (
        "Of ",
        one,
        " and ",
        two,
        ", which one makes the sound ",
        sound,
        "?\nA. The one in ",
        one,
        "\nB. The one in ",
        two,
    )
    # Sounds that only options name stand behind their letters.
    image, *sounds = loaded[kit.FOUR].media
    content = ask(loaded[kit.FOUR], style)
    letters = ["?\nA. ", "\nB. ", "\nC. ", "\nD. "]
    assert content[:2] == ("Which sound fits ", image)
    assert content[2:10] == tuple(
        part for pair in zip(letters, sounds, strict=True) for part in pair
    )
    assert "[audio" not in str(content[10])


def test_media_that_the_text_does_not_name_come_first(tmp_path: Path) -> None:
    plain = items(tmp_path, "hub")[kit.PLAIN]
    image, sound = plain.media
    assert ask(plain, "official")[:3] == (image, "Which tune is ", sound)


def test_the_authors_put_all_media_first_and_keep_the_names(tmp_path: Path) -> None:
    pair = items(tmp_path, "hub")[kit.PAIR]
    content = ask(pair, "authors")
    assert content[:3] == pair.media and len(content) == 4
    assert "[img1] and [img2]" in str(content[3]) and "B. The one in [img2]" in str(content[3])
    assert "multimodal content" in str(content[3]) and "one capital letter" in str(content[3])


def test_without_media_the_names_stay(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    blind = select(AV_ODYSSEY, tmp_path, Selection(question_only=True))[0]
    (text,) = ask(blind, "official")
    assert "Of [img1] and [img2]" in str(text)


def test_names_are_read_in_any_case_and_spacing(tmp_path: Path) -> None:
    item = items(tmp_path, "hub")[kit.PAIR]
    text = "[ Img2 ] [AUDIO1] [image1] [img0] [img3] [video1]"
    one, two, sound = item.media
    assert interleaved(item, text) == (two, " ", sound, " ", one, " [img0] [img3] [video1]")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": "What is [img2]?"}, r"row 1: the text names \[img2\]"),
        ({"options": ["A. [audio3]", "B. x", "C. y", "D. z"]}, r"names \[audio3\]"),
        ({"answer": "E"}, "row 1: answer 'E' is none of the 4 options"),
        ({"question_id": None}, "row 1: question_id is missing"),
        ({"image_path": ["../a.png"]}, "row 1: .*not a path below"),
        ({"image_path": ["/a.png"]}, "not a path below"),
        ({"image_path": ["."]}, "not a path below"),
        ({"image_1": {"path": None}}, "image_1: holds no bytes"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    good = kit.row("1_1", "Tone", "[img1]?", ["a", "b", "c", "d"], "A", "a.png", "a.wav")
    document = json.dumps([{**good, **change}])
    (tmp_path / "av_odyssey.json").write_text(document, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        select(AV_ODYSSEY, tmp_path, Selection())
