"""The score of a reply to a question about clues: read by the answer parser, scored by WCS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from avatar_core.benchmarks.clue_score import Placed, attribute_score, event_score, object_score
from avatar_core.errors import DataError
from avatar_core.rewards.clues import read_boxes, read_clusters, read_events


def score_clue(text: str, gold_json: str) -> float | None:
    """Weighted clue score of a reply.

    Args:
        text: generated text, without the prompt.
        gold_json: `Item.gold` of a question about clues: `category` is "event", "object" or
            "attribute"; `clue` holds {"start", "end"} for each event, {"timestamp", "bbox"} for
            each object, or a list of these for each attribute; `times` holds the timestamps of the
            frames in the order shown.

    Returns:
        A score in [0, 1]; `None` when the reply states no clues of that category.

    Raises:
        DataError: unknown category.
    """
    gold = json.loads(gold_json)
    frames = {time: number for number, time in enumerate(gold["times"], start=1)}
    match gold["category"]:
        case "event":
            events = read_events(text)
            spans = [(float(clue["start"]), float(clue["end"])) for clue in gold["clue"]]
            return None if events is None else event_score(spans, events)
        case "object":
            boxes = read_boxes(text)
            return None if boxes is None else object_score(_placed(gold["clue"], frames), boxes)
        case "attribute":
            clusters = read_clusters(text)
            golds = [_placed(cluster, frames) for cluster in gold["clue"]]
            return None if clusters is None else attribute_score(golds, list(clusters.values()))
    raise DataError(
        f"clue category {gold['category']!r} is not known; give event, object or attribute"
    )


def _placed(clues: list[Mapping[str, Any]], frames: Mapping[float, int]) -> list[Placed]:
    """Boxes of the gold with the numbers of their frames."""
    placed = []
    for clue in clues:
        x, y, x2, y2 = map(float, clue["bbox"])
        placed.append((frames[clue["timestamp"]], (x, y, x2, y2)))
    return placed
