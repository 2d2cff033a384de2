"""VSI-Bench in miniature: all ten types, scenes whose names look like numbers, three subsets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "vsi_bench"
LAYOUTS = ("hub", "jsonl")
# The first and the last are numbers to a reader that looks for them: the last one 0.0.
ARKIT, SCANNET, SCANNETPP = "41069999", "scene0999_01", "00e7512340"
OPTIONS = ["A. lamp", "B. door", "C. table", "D. bed"]


def row(
    number: int, kind: str, scene: tuple[str, str], gold: str, options: list[str] | None = None
) -> dict[str, Any]:
    dataset, name = scene
    question = f"What of {kind} number {number}?"
    return {
        "id": number,
        "dataset": dataset,
        "scene_name": name,
        "question_type": kind,
        "question": question,
        "ground_truth": gold,
        "options": options,
        "pruned": number % 2 == 0,
    }


A, S, P = ("arkitscenes", ARKIT), ("scannet", SCANNET), ("scannetpp", SCANNETPP)
ROWS = [
    row(11, "object_counting", A, "10"),
    row(12, "object_counting", S, "4"),
    row(13, "object_abs_distance", A, "2.0"),
    row(14, "object_size_estimation", S, "100"),
    row(15, "room_size_estimation", P, "25.5"),
    row(16, "object_rel_distance", A, "C", OPTIONS),
    row(17, "route_planning", S, "B", OPTIONS[:3]),
    row(18, "obj_appearance_order", A, "D", OPTIONS),
    row(19, "object_rel_direction_easy", S, "A", OPTIONS[:2]),
    row(20, "object_rel_direction_medium", A, "B", OPTIONS[:3]),
    row(21, "object_rel_direction_hard", S, "D", OPTIONS),
    row(22, "object_rel_direction_hard", A, "A", OPTIONS),
]


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    rows = ROWS[::-1] if reverse else ROWS
    root.mkdir(parents=True, exist_ok=True)
    if layout == "hub":
        older = [{name: value for name, value in row.items() if name != "pruned"} for row in rows]
        pandas.DataFrame(older).to_parquet(root / "test-00000-of-00001.parquet")
    else:
        (root / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for name, pruned in (("debiased", False), ("pruned", True)):
            part = [row for row in rows if row["pruned"] is pruned]
            pandas.DataFrame(part).to_parquet(root / f"test_{name}.parquet")
    media.video(root / "arkitscenes" / f"{ARKIT}.mp4", sound=False)
    media.video(root / "scannet" / f"{SCANNET}.mp4", sound=False)
    if layout != "hub":  # the scene of number 15 is missing
        media.video(root / "scannetpp" / f"{SCANNETPP}.mp4", sound=False)


REPLIES = {
    "11": "9",  # |9 - 10| / 10 = 0.1: 0.9
    "12": "four",  # 1.0
    "13": "About 1.44 meters",  # error 0.28: right at 0.50 to 0.70, 5 of 10
    "14": "<think>A metre, 100?</think><answer>112 cm</answer>",  # error 0.12: 8 of 10
    "16": "(C)",
    "17": "A",  # wrong
    "18": "D. bed",
    "19": "A",
    "20": "C",  # wrong
    "21": "d",
    "22": "left",  # states nothing
}
SCORES = {
    "object_counting": 0.95,  # (0.9 + 1.0) / 2
    "object_abs_distance": 0.5,
    "object_size_estimation": 0.8,
    "room_size_estimation": 0.0,  # its video is missing
    "object_rel_distance": 1.0,
    "route_planning": 0.0,
    "obj_appearance_order": 1.0,
    "object_rel_direction": 0.5,  # easy 1, medium 0, hard (1 + 0) / 2: (1 + 0 + 0.5) / 3
}
CASES = (
    # (0.95 + 0.5 + 0.8 + 0 + 1 + 0 + 1 + 0.5) / 8 = 4.75 / 8. The mean of the twelve items is
    # another number: (0.9 + 1 + 0.5 + 0.8 + 0 + 1 + 0 + 1 + 1 + 0 + 1 + 0) / 12 = 0.6.
    Case(
        "hub",
        Selection(),
        REPLIES,
        headline=0.59375,
        figures=SCORES,
        groups={
            "question_type": {
                "object_counting": 0.95,
                "object_rel_direction_easy": 1.0,
                "object_rel_direction_medium": 0.0,
                "object_rel_direction_hard": 0.5,
            }
        },
    ),
    # The odd numbers: counting 0.9, distance in metres 0.5, room size 1.0 (25.5 is exact), route 0,
    # direction (easy 1 + hard 1) / 2. Three kinds have no item: 3.4 / 5.
    Case(
        "jsonl",
        Selection(subset="debiased"),
        {**{name: text for name, text in REPLIES.items() if int(name) % 2}, "15": "25.5"},
        headline=0.68,
        figures={
            "object_counting": 0.9,
            "object_abs_distance": 0.5,
            "object_size_estimation": None,
            "room_size_estimation": 1.0,
            "object_rel_distance": None,
            "route_planning": 0.0,
            "obj_appearance_order": None,
            "object_rel_direction": 1.0,
        },
    ),
    # As the first case, with 1 in the place of 0 for the room: 5.75 / 8.
    Case("jsonl", Selection(), {**REPLIES, "15": "25.5 square meters"}, headline=0.71875),
)
