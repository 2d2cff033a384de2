from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.mvbench import MVBENCH, SOURCES, SYSTEM, figures
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.errors import DataError
from avatar_core.evaluation_records import EvalRow
from avatar_core.types import MediaRef
from tests.benchmarks.kit import media
from tests.benchmarks.kit import mvbench as kit

BOUNDED = {
    "action_sequence",
    "action_prediction",
    "object_interaction",
    "action_localization",
    "episodic_reasoning",
}


def loaded(root: Path, subset: str | None = None) -> list[Item]:
    return select(MVBENCH, root, Selection(subset=subset))


def written(root: Path, task: str, *rows: dict[str, object]) -> None:
    (root / "json").mkdir(parents=True, exist_ok=True)
    (root / "json" / f"{task}.json").write_text(json.dumps(rows))


def relative(item: Item, root: Path) -> str:
    return str(Path(item.media[0].path).relative_to(root.resolve() / "video"))


def test_every_layout_holds_the_same_questions(tmp_path: Path) -> None:
    for layout in kit.LAYOUTS:
        kit.write(tmp_path / layout, layout)
        items = loaded(tmp_path / layout)
        assert {item.id for item in items} == {
            name for task in kit.TASKS for name in kit.item_ids(task, layout)
        }
        golds = {item.subset: item.gold for item in items}
        assert "".join(golds[task] for task in kit.TASKS) == "BABADBBCACABCBABBDEB"
        assert {item.groups["task"] for item in items} == {(task,) for task in kit.TASKS}
        missing = [item.subset for item in items if item.missing]
        assert missing == (["fine_grained_pose"] if layout == "hub" else [])
        assert len(items) == 22
    assert len(kit.LAYOUTS) == 3
    assert MVBENCH.subsets == ("all", *SOURCES)
    assert set(SOURCES) == set(kit.TASKS)
    assert len(SOURCES) == 20


def test_parts_are_bounded_where_videos_are_whole(tmp_path: Path) -> None:
    for layout in kit.LAYOUTS:
        kit.write(tmp_path / layout, layout)
        part = {
            item.subset: (item.media[0].start, item.media[0].end)
            for item in loaded(tmp_path / layout)
            if item.media[0].start is not None
        }
        assert part == ({} if layout == "video" else dict.fromkeys(BOUNDED, (0.2, 0.8)))
    assert {task for task, source in SOURCES.items() if source.bounded} == BOUNDED


def test_folders_of_frames_and_their_videos(tmp_path: Path) -> None:
    folder = {
        "hub": "tvqa/frames_fps3_hq/s9_clip_03",
        "authors": "tvqa/tvqa/frames_fps3_hq/s9_clip_03",
    }
    for layout, name in folder.items():
        kit.write(tmp_path / layout, layout)
        (item,) = loaded(tmp_path / layout, "episodic_reasoning")
        path = str(tmp_path.resolve() / layout / "video" / name)
        assert item.media == (MediaRef("video", path, start=0.2, end=0.8, fps=3.0),)
    kit.write(tmp_path / "video", "video")
    (item,) = loaded(tmp_path / "video", "episodic_reasoning")
    path = str(tmp_path.resolve() / "video/video/tvqa/video_fps3_hq_segment/s9_clip_03.mp4")
    assert item.media == (MediaRef("video", path),)


def test_videos_are_found_where_archives_put_them(tmp_path: Path) -> None:
    kit.write(tmp_path, "authors")
    places = {item.subset: relative(item, tmp_path) for item in loaded(tmp_path)}
    assert places["action_sequence"] == "data0613/star/Charades_v1_480/QWERT.mp4"
    assert places["action_antonym"] == "ssv2_video/ssv2_video/901.webm"
    assert places["action_localization"] == "sta/sta/sta_video/ASDFG.mp4"
    assert places["moving_count"] == "data0613/clevrer/video_validation/video_12001.mp4"
    (tmp_path / "video" / "nturgbd").rename(tmp_path / "video" / "poses")
    assert not any(item.missing for item in loaded(tmp_path, "fine_grained_pose"))


def test_a_missing_video_is_named_by_the_main_branch(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    (item,) = loaded(tmp_path, "fine_grained_pose")
    assert item.missing == (str(tmp_path.resolve() / "video/nturgbd/S9P1_rgb.avi"),)
    shutil.rmtree(tmp_path / "video" / "tvqa")
    (item,) = loaded(tmp_path, "episodic_reasoning")
    assert item.missing == (str(tmp_path.resolve() / "video/tvqa/frames_fps3_hq/s9_clip_03"),)
    assert (item.media[0].start, item.media[0].end) == (0.2, 0.8)


def test_a_video_of_other_tasks_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    # Two of the sources call videos the same, and so may two that cut the same video.
    row = {"question": "?", "candidates": ["a", "b"], "answer": "b", "start": 0, "end": 1}
    written(tmp_path, "object_shuffle", {**row, "video": "video_12001.mp4"})
    written(tmp_path, "action_sequence", {**row, "video": "QWERT.mp4"})
    media.video(tmp_path / "video/clevrer/video_validation/video_12001.mp4")
    media.video(tmp_path / "video/sta/sta_video_segment/QWERT.mp4")
    home = tmp_path.resolve() / "video"
    expected = {
        "object_shuffle": home / "perception/videos/video_12001.mp4",
        "action_sequence": home / "star/Charades_v1_480/QWERT.mp4",
    }
    for task, path in expected.items():
        (item,) = loaded(tmp_path, task)
        assert item.missing == (str(path),)
        assert item.media[0].path == str(path)
    assert len(expected) == 2


def test_a_repeated_row_is_an_item_of_its_own(tmp_path: Path) -> None:
    kit.write(tmp_path / "one", "hub")
    kit.write(tmp_path / "two", "hub", reverse=True)
    ids = [item.id for item in loaded(tmp_path / "one", "action_count")]
    assert ids[2] == f"{ids[0]}#2"
    assert {item.id for item in loaded(tmp_path / "two", "action_count")} == set(ids)


def test_all_tasks_are_wanted_unless_one_is(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    (tmp_path / "json" / "moving_count.json").unlink()
    assert len(loaded(tmp_path, "moving_direction")) == 1
    with pytest.raises(DataError, match="holds no json/moving_count.json"):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"answer": "Flew."}, "row 2: answer 'Flew.' is none of the 3 options"),
        ({"answer": "B"}, "row 2: answer 'B' is none of the 3 options"),
        ({"candidates": None}, "row 2: no options"),
        ({"video": None}, "row 2: video is missing"),
        ({"video": "../../x"}, "not a path below"),
        ({"start": None}, "row 2: start is missing"),
        ({"end": "late"}, "row 2: end must be a number, found 'late'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, fields: dict[str, object], complaint: str) -> None:
    kit.write(tmp_path, "hub")
    row = kit.TASKS["action_sequence"][0]
    written(tmp_path, "action_sequence", row, {**row, **fields})
    with pytest.raises(DataError, match=complaint):
        loaded(tmp_path)


def test_the_mean_of_the_tasks_stands_beside_the_accuracy() -> None:
    results = [("a", True), ("a", True), ("a", False), ("a", False), ("b", True), ("b", None)]
    rows = [
        EvalRow(
            id=str(number),
            status="ok",
            prediction=None,
            gold=None,
            correct=correct,
            score=None,
            text=None,
            truncated=False,
            modalities=(),
            frames=None,
            groups={"task": (task,)},
            seconds=None,
            error=None,
        )
        for number, (task, correct) in enumerate([*results, ("c", True)])
    ]
    # a 2 of 4, b 1 of 2, c 1 of 1: (0.5 + 0.5 + 1) / 3, while 4 of 7 items are right.
    assert figures(rows) == {"macro_mean": pytest.approx(2 / 3)}
    assert figures([]) == {"macro_mean": None}


def test_wording(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    (item,) = loaded(tmp_path, "scene_transition")
    texts = {style: str(MVBENCH.ask(item, style)[-1]) for style in MVBENCH.styles}
    assert all(MVBENCH.ask(item, style)[:-1] == item.media for style in MVBENCH.styles)
    options = "\n(A) In, out\n(B) Out, in\n"
    assert f"Question: From where to where?\nOptions:{options}" in texts["official"]
    assert texts["official"].endswith("Best option:(")
    assert texts["authors"].startswith(f"From where to where?{options}")
    assert "one capital letter" in texts["authors"]
    assert "<answer>" in texts["think"]
    assert MVBENCH.system == {"official": SYSTEM}
    assert MVBENCH.splits == ("train",)
