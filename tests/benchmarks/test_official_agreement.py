"""Our readings and scores beside those of lmms-eval, on the same scripted replies.

`tests/golden/official` holds what lmms-eval's own functions make of each reply, and the script that
asked them. Most replies are chosen because parsers fail at them. Every difference has a reason here
with a name; `docs/benchmarks.md` explains these to users.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from avatar_core.benchmarks import Benchmark, Item, Selection, available, select
from avatar_core.choices import LETTERS
from avatar_core.evaluation.answering import scored_row
from avatar_core.evaluation.scoring import score_item
from avatar_core.evaluation.tally import Measure, headline
from avatar_core.evaluation.tasks import task_of
from avatar_core.evaluation_records import EvalRow
from tests.benchmarks.kit.every import kit

GOLDEN = Path(__file__).parents[1] / "golden" / "official"
SCORER = "lmms-eval 0.7.3"
REPLIES = {"mvbench": 309, "video_mme": 249, "vsi_bench": 392, "tomato": 257, "omnibench": 245}
"""How many replies each benchmark is compared on."""
DIFFERENCES: dict[str, dict[str, int]] = {
    "mvbench": {
        "the article A": 9,
        "a list of all letters": 5,
        "one of several letters": 15,
        "the text of an option": 8,
        "a letter behind Chinese": 5,
    },
    "video_mme": {
        "a letter inside a word": 10,
        "the article A": 7,
        "a list of all letters": 5,
        "a lower-case letter": 15,
        "the text of an option": 9,
    },
    "vsi_bench": {
        "the article A": 5,
        "a list of all letters": 3,
        "the first word alone": 81,
        "a number in front of the tag": 5,
        "figures of a name": 9,
        "an ordinal": 5,
        "a clock time": 5,
        "one as a pronoun": 5,
        "a bare decimal point": 5,
        "commas between thousands": 5,
        "half of a ratio": 5,
        "thousands in words": 5,
    },
    "tomato": {
        "an A by default": 37,
        "a letter inside a word": 23,
        "the article A": 12,
        "a list of all letters": 5,
        "one of several letters": 5,
    },
    "omnibench": {
        "a letter inside a word": 5,
        "the article A": 17,
        "a list of all letters": 5,
        "one of several letters": 9,
        "a lower-case letter": 15,
        "the text of an option": 4,
        "a letter between other marks": 34,
    },
}
"""How many of them are read in another way, and why; see `REASONS`."""


class Line(NamedTuple):
    """What lmms-eval makes of a reply."""

    benchmark: str
    item: Item
    style: str
    reply: str
    score: float
    read: str | float | None
    """The letter or number that it reads."""
    ours: str | float | None
    """The one that we read."""

    @property
    def plain(self) -> bool:
        """The reply is what the benchmark asks for: a letter or a number alone."""
        return self.style.startswith("plain")

    @property
    def standing(self) -> list[str]:
        """Capitals that stand alone in the reply."""
        return re.findall(r"(?<![A-Za-z])[A-Z](?![A-Za-z])", self.reply)


def our_reading(item: Item, reply: str) -> str | float | None:
    """The number that we read; or the letter: the one that makes the reply right as the gold."""
    if not item.options:
        stated = score_item(item, reply, truncated=False).prediction
        return None if stated is None else float(stated)
    right = [
        letter
        for letter in LETTERS[: len(item.options)]
        if score_item(replace(item, gold=letter), reply, truncated=False).score
    ]
    assert len(right) <= 1
    return right[0] if right else None


class Official(NamedTuple):
    """A file of `tests/golden/official`, with our items in the place of its ids."""

    benchmark: Benchmark
    head: dict[str, Any]
    items: dict[str, Item]
    lines: list[Line]


@pytest.fixture(scope="module", params=REPLIES)
def official(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Official:
    name = request.param
    text = (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8")
    head, *rows = [json.loads(line) for line in text.splitlines()]
    root = tmp_path_factory.mktemp(name)
    kit(name).write(root / "data", head["layout"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATAR_CACHE", str(root / "cache"))
        items = {i.id: i for i in select(available()[name], root / "data", Selection())}
    lines = []
    for row in rows:
        item, reply = items[row["item"]], row["reply"]
        ours = our_reading(item, reply)
        lines.append(Line(name, item, row["style"], reply, row["score"], row["read"], ours))
    return Official(available()[name], head, items, lines)


def _names_article(line: Line) -> bool:
    texts = [text for text in ("A man", *line.item.options) if text.startswith("A ")]
    return line.read == "A" and any(text in line.reply for text in texts)


def _only_letters(line: Line) -> bool:
    return line.reply.split() == list(LETTERS[: len(line.item.options)])


def _says_text(line: Line) -> bool:
    text = line.item.options[LETTERS.index(str(line.ours))]
    return line.reply.endswith(text) and line.ours not in line.standing


REASONS: dict[str, Callable[[Line], bool]] = {
    "an A by default": lambda line: line.read == "A" and "A" not in line.reply,
    "a letter inside a word": lambda line: line.read is not None and line.read not in line.standing,
    "the article A": _names_article,
    "a list of all letters": _only_letters,
    "one of several letters": lambda line: {line.read, line.ours} <= set(line.standing),
    "the first word alone": lambda line: line.benchmark == "vsi_bench" and line.read is None,
    "a lower-case letter": lambda line: (
        line.read is None
        and re.search(rf"\b{str(line.ours).lower()}\b", line.reply) is not None
        and str(line.ours) not in line.standing
    ),
    "the text of an option": lambda line: line.read is None and _says_text(line),
    "a letter behind Chinese": lambda line: "答案是" in line.reply,
    "a letter between other marks": lambda line: line.read is None,
}
"""Why the letters differ; the first that holds, by what lmms-eval takes for an answer or misses."""
NUMBER_REASONS: dict[str, str] = {
    "a number in front of the tag": r"\d.*<answer>",
    "figures of a name": r"[A-Za-z_]\d",
    "an ordinal": r"\d(?:st|nd|rd|th)\b",
    "a clock time": r"\d:\d\d",
    "one as a pronoun": r"\b[Tt]he one\b",
    "a bare decimal point": r"(?<!\d)\.\d",
    "commas between thousands": r"\d,\d{3}",
    "half of a ratio": r"\d/\d",
    "thousands in words": r"\bthousand\b",
}
"""Why the numbers differ, by what the reply holds."""


def reason(line: Line) -> str:
    """Why lmms-eval and we read a reply in two ways."""
    if line.item.options:
        held = [name for name, holds in REASONS.items() if holds(line)]
    else:
        held = [name for name, form in NUMBER_REASONS.items() if re.search(form, line.reply)]
    assert held, f"nobody has said why {line.reply!r} is {line.read} there and {line.ours} here"
    return held[0]


def test_the_files_are_of_these_items_and_of_one_release(official: Official) -> None:
    name = official.benchmark.name
    assert official.head["scorer"] == SCORER
    stored = official.head["items"]
    for key, item in official.items.items():
        if key not in official.head["refused"]:
            assert stored.pop(key) == {"options": list(item.options), "gold": item.gold}
    assert stored == {}
    assert len(official.lines) == REPLIES[name] >= 200
    assert {line.item.id for line in official.lines} == official.items.keys() - set(
        official.head["refused"]
    )


def test_plain_replies_are_read_and_scored_alike(official: Official) -> None:
    plain = [line for line in official.lines if line.plain]
    assert [line for line in plain if line.ours != line.read] == []
    scores = [score_item(line.item, line.reply, truncated=False).score for line in plain]
    assert scores == pytest.approx([line.score for line in plain], abs=1e-12)
    assert len(plain) >= 40
    assert {0.0, 1.0} <= set(scores)


def test_every_difference_has_its_reason(official: Official) -> None:
    different = [line for line in official.lines if line.ours != line.read]
    assert Counter(map(reason, different)) == DIFFERENCES[official.benchmark.name]


def test_what_is_read_alike_is_scored_alike(official: Official) -> None:
    alike = [line for line in official.lines if line.ours == line.read]
    for line in alike:
        score = score_item(line.item, line.reply, truncated=False).score
        assert score == pytest.approx(line.score, abs=1e-12), line
    differ = sum(DIFFERENCES[official.benchmark.name].values())
    assert len(alike) == REPLIES[official.benchmark.name] - differ


def judged(official: Official, line: Line) -> EvalRow:
    """A row that has lmms-eval's score in the place of ours."""
    task = task_of(line.item, official.benchmark.ask, official.benchmark.styles[0])
    row = scored_row(task, line.reply, truncated=False)
    return row.model_copy(update={"score": line.score, "correct": line.score == 1})


@pytest.mark.parametrize("part", ["plain", "all"])
def test_the_same_verdicts_come_to_the_same_figure(official: Official, part: str) -> None:
    one = official.benchmark
    lines = [line for line in official.lines if part == "all" or line.plain]
    if one.name == "mvbench":
        # lmms-eval leaves empty replies out of the count; five items have one.
        empty = [line for line in lines if not line.reply]
        assert len(empty) == (5 if part == "all" else 0)
        lines = [line for line in lines if line.reply]
    rows = [judged(official, line) for line in lines]
    figure = headline(rows, Measure(one.headline, one.graded, one.strata))
    # It rounds to five or six decimals.
    assert figure == pytest.approx(official.head["overall"][part], abs=1e-6)


def test_a_gold_that_differs_from_its_option_by_spaces_is_scored_here_alone(
    official: Official,
) -> None:
    refused = official.head["refused"]
    assert refused.keys() == ({"20", "21"} if official.benchmark.name == "omnibench" else set())
    for key, fault in refused.items():
        assert "is not in list" in fault
        item = official.items[key]
        assert score_item(item, item.gold, truncated=False).score == 1


def test_every_reason_is_met() -> None:
    met = {name for differences in DIFFERENCES.values() for name in differences}
    assert met == REASONS.keys() | NUMBER_REASONS.keys()
