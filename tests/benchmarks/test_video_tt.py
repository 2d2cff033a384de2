from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.benchmarks.video_tt import CHOICE_SPLITS, OPEN_SPLITS, VIDEO_TT, ask
from avatar_core.errors import DataError
from tests.benchmarks.kit import media
from tests.benchmarks.kit import video_tt as kit


def loaded(root: Path, split: str | None = None) -> list[Item]:
    return select(VIDEO_TT, root, Selection(split=split))


def test_questions_with_options(tmp_path: Path) -> None:
    for layout in kit.LAYOUTS:
        kit.write(tmp_path / layout, layout)
        items = loaded(tmp_path / layout)
        assert [item.id for item in items] == ["0001-0", "0002-0", "0003-0", "0004-0"]
        assert "".join(item.gold for item in items) == "ABCD"
        assert items[2].question == "What is\nhidden?"
        assert items[2].options == ("Key", "Coin", "Note")
        assert {item.answer_kind for item in items} == {"mc"}
        missing = [item.id for item in items if item.missing]
        assert missing == (["0004-0"] if layout == "hub" else [])
    assert len(kit.LAYOUTS) == 2


def test_capabilities_are_compared_as_wholes(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    found = [item.groups["capability"] for item in loaded(tmp_path)]
    assert found == [(kit.MONTAGE,), (kit.PLOT,), (kit.PLOT,), (kit.COLOUR,)]
    assert kit.MONTAGE.startswith(kit.PLOT)


def test_every_split_is_read_from_its_own_files(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    for split in CHOICE_SPLITS + OPEN_SPLITS:
        items = loaded(tmp_path, split)
        assert [item.id for item in items] == [row["qid"] for row in kit.SPLITS[split]]
        assert {item.answer_kind for item in items} == {"open" if split in OPEN_SPLITS else "mc"}
    assert VIDEO_TT.splits == tuple(kit.SPLITS)
    assert len(VIDEO_TT.splits) == 7


def test_open_questions_keep_text_and_answer(tmp_path: Path) -> None:
    kit.write(tmp_path, "jsonl")
    item = loaded(tmp_path, "test_no_leading_oe")[1]
    assert (item.question, item.options) == ("Who wins in the end?\nA. is the cat.", ())
    assert item.gold == "the dog"
    assert item.groups == {"capability": (kit.PLOT,), "scored": ("no_judge",)}
    assert item.open_rule == "exact"


def test_videos_are_found_by_folder_suffix_and_name(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    media.video(tmp_path / "Benchmark-AllVideos-HQ" / "014.mp4")
    items = loaded(tmp_path)
    places = ["/".join(Path(item.media[0].path).parts[-2:]) for item in items]
    low = "Benchmark-AllVideos-LQ"
    assert places == [f"{low}/012.mp4", f"{low}/013.MP4", f"{low}/013.MP4"] + [
        "Benchmark-AllVideos-HQ/014.mp4"
    ]
    # However an archive called its folder: nothing else of the data set is numbered.
    (tmp_path / low).rename(tmp_path / "Videos-LQ-1")
    assert not any(item.missing for item in loaded(tmp_path))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"answer": "D"}, "answer 'D' is none of the 3 options"),
        (
            {"question": "What is hidden?"},
            r"line 2: question holds no options; write them into it as lines 'A\. \.\.\.'$",
        ),
        ({"qid": None}, "qid is missing"),
        ({"video_id": "/etc/passwd"}, "line 2: .*not a path below"),
        ({"question_prompt": "x" * 100_001}, "line 2: question_prompt has 100001 characters"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, fields: dict[str, object], complaint: str) -> None:
    rows = [kit.CHOICES[0], {**kit.CHOICES[2], **fields}]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=complaint):
        loaded(tmp_path)


def test_wording(tmp_path: Path) -> None:
    kit.write(tmp_path, "jsonl")
    items, (item, _) = loaded(tmp_path), loaded(tmp_path, "test_no_leading_oe")
    # The row's own request; ours for a letter where it has none.
    assert ask(items[0], "official") == (
        *items[0].media,
        "Why is it odd?\nA. Cut\nB. Gag\nC. Size\nD. Speed\nPlease select one of the options.",
    )
    assert "letter" in str(ask(items[3], "official")[-1])
    assert ask(item, "official")[-1] == "Why does it look odd?\nAnswer in a few words."
    assert "<answer>" in str(ask(item, "think")[-1])
    assert VIDEO_TT.styles == ("official", "think")
