"""The golden replies: what a careful reader takes each of them to state, labelled by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("golden_replies.jsonl")


def rows(kind: str) -> list[dict[str, Any]]:
    """Replies of one kind; `label` is what they state, `None` where they state nothing."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["kind"] == kind]
