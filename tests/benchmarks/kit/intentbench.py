"""A miniature IntentBench: seven questions of three kinds about five videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from avatar_core.benchmarks.ids import content_id
from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "intentbench"
LAYOUTS = ("hub", "authors")
TALK, FACE, MOOD = "Talks/clip_a.mp4", "MER24/sample_00000003.mp4", "MER24/sample_00000004.mp4"
TRIAL, GONE = "Trials/trial_09.mp4", "Trials/trial_10.mp4"
EMOTIONS = ["Calm", "Worry", "Joy", "Doubt", "Pride", "Anger", "Envy", "Shame"]

ROWS: list[dict[str, Any]] = [
    {
        "problem": "Why does she look away?",
        "problem_type": "multiple choice",
        "options": ["A. She is bored.", "B. She is late.", "C. She is hurt.", "D. She laughs."],
        "solution": "<answer>C</answer>",
        "answer": "C",
        "data_type": "video",
        "video": TALK,
        "path": TALK,
        "Type": "why",
        "qid": "talk_17_q2",
    },
    # Neither `video` nor `qid` nor `answer`; five options.
    {
        "problem": "Who is meant by the last remark?",
        "problem_type": "multiple choice",
        "options": ["A. The host", "B. The guest", "C. The cook", "D. The dog", "E. Nobody"],
        "solution": "<think>The host is out.</think><answer> E </answer>",
        "data_type": "video",
        "path": TALK,
        "Type": "who/which",
    },
    # A space behind the comma, which belongs to no letter.
    {
        "problem": "Which emotions does he show?",
        "problem_type": "emer_ov_mc",
        "options": [f"{'ABCDEFGH'[n]}. {name}" for n, name in enumerate(EMOTIONS)],
        "solution": "<answer>B, D</answer>",
        "answer": "B, D",
        "data_type": "video",
        "video": FACE,
        "Type": "emotion",
    },
    {
        "problem": "Which emotions does the group show?",
        "problem_type": "emer_ov_mc",
        "options": [f"{'ABCDEFGH'[n]}. {name}" for n, name in enumerate(reversed(EMOTIONS))],
        "solution": "<answer>h,A,C</answer>",
        "answer": "A,C,H",
        "data_type": "video",
        "video": MOOD,
        "Type": "emotion",
    },
    {
        "problem": 'Asked "Where is the key?", he says it is lost. Is he lying?',
        "problem_type": "judge",
        "solution": "<answer>Yes</answer>",
        "answer": "Yes",
        "data_type": "video",
        "video": TRIAL,
        "Type": "deception",
    },
    {
        "problem": 'Asked "Who called?", she names a friend. Is she telling the truth?',
        "problem_type": "judge",
        "solution": "<answer>no</answer>",
        "answer": "No",
        "data_type": "video",
        "video": GONE,
        "Type": "deception",
    },
    # Without tags the gold is in `answer`.
    {
        "problem": 'Asked "Did you see it?", he nods. Is he lying?',
        "problem_type": "judge",
        "options": [],
        "solution": "",
        "answer": "No.",
        "data_type": "video",
        "video": TRIAL,
        "Type": "deception",
    },
]


def ident(number: int) -> str:
    """Id of a row by its place in `ROWS`."""
    content = ROWS[number]
    path = content.get("video") or content["path"]
    return content.get("qid") or content_id(path, content["problem"])


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the data set; of the hub's layout the video `GONE` is missing."""
    folder = root / "videos" if layout == "hub" else root
    for path in (TALK, FACE, MOOD, TRIAL):
        media.video(folder / path, sound=path != MOOD)
    if layout != "hub":
        media.video(folder / GONE)
    rows = ROWS[::-1] if reverse else ROWS
    (root / "qa.json").write_text(json.dumps(rows), encoding="utf-8")


# hub: scores 1, 1, 2/3, 1, 1, 0 (missing), 0; of the third, {D} against {B, D} has precision 1 and
# recall 1/2, F1 = 2 · 1 · 1/2 / (3/2) = 2/3. Mean (4 + 2/3) / 7 = 2/3.
HUB = Case(
    layout="hub",
    selection=Selection(),
    replies={
        ident(0): "<context>Two people.</context><think>A? No.</think><answer>C</answer>",
        ident(1): "E",
        ident(2): "<answer>D</answer>",
        ident(3): "<answer>A, C, H</answer>",
        ident(4): "<answer>I know that he lies: yes</answer>",
        ident(6): "Yes",
    },
    headline=2 / 3,
    figures={"exact_match": 4 / 7, "emotion_f1": 5 / 6, "emotion_exact_match": 1 / 2},
    groups={
        # (2/3 + 1) / 2; of three judgements one is right.
        "problem_type": {"multiple choice": 1.0, "emer_ov_mc": 5 / 6, "judge": 1 / 3},
        "type": {"why": 1.0, "who/which": 1.0, "emotion": 5 / 6, "deception": 1 / 3},
    },
)
# authors: scores 0, 1, 1, 2/5, 1, 1, 0 (no reply); of the fourth, {A, B} against {A, C, H} has
# precision 1/2 and recall 1/3, F1 = 2 · 1/2 · 1/3 / (5/6) = 2/5. Mean 4.4 / 7.
AUTHORS = Case(
    layout="authors",
    selection=Selection(),
    replies={
        ident(0): "The answer is A.",
        ident(1): "E. Nobody",
        ident(2): "B,D",
        ident(3): "A,B",
        ident(4): "Yes",
        ident(5): "No.",
    },
    headline=4.4 / 7,
    figures={"exact_match": 4 / 7, "emotion_f1": 0.7, "emotion_exact_match": 1 / 2},
    groups={"type": {"why": 0.0, "who/which": 1.0, "emotion": 0.7, "deception": 2 / 3}},
)
CASES = (HUB, AUTHORS)
