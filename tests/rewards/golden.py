"""The golden replies: what a careful reader takes each of them to state, labelled by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from avatar_core.benchmarks.item import AnswerKind, Item
from avatar_core.evaluation.scoring import score_item

GOLDEN = Path(__file__).with_name("golden_replies.jsonl")


def rows(kind: str) -> list[dict[str, Any]]:
    """Replies of one kind; `label` is what they state, `None` where they state nothing."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["kind"] == kind]


def said(kind: AnswerKind, text: str) -> str | None:
    """What evaluation takes a reply to a question without options to state."""
    item = Item("1", "b", "", (), "?", (), "0", kind)
    return score_item(item, text, truncated=False).prediction
