"""What lmms-eval reads in scripted replies to the miniature benchmarks, as files beside this one.

    python -m tests.golden.official.make

To run it, install lmms-eval and what the scorers of the five tasks import (loguru, pyyaml, numpy,
pandas, pillow, datasets, OpenCV) beside this project; no test needs them. Each file begins with the
scorer, the items and the scores of the whole set; then there is one line for each reply. Reasoning
is taken out of a reply first by lmms-eval's own function, as its command does by default.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from avatar_core.benchmarks import Item, Selection, available, select
from avatar_core.choices import LETTERS
from tests.benchmarks.kit.every import kit

HERE = Path(__file__).parent
TAGS = [["<think>", "</think>"], ["<analysis>", "</analysis>"]]
"""Tags of reasoning that the command takes out when nobody says otherwise."""
PLAIN = {"letter": "{X}", "letter and full stop": "{X}."}
STATED = {
    "brackets": "({X})",
    "lower case": "{x}",
    "letter and text": "{X}. {text}",
    "bracket and text": "{X}) {text}",
    "brackets and text": "({X}) {text}",
    "colon and text": "{X}: {text}",
    "text": "{text}",
    "sentence": "The answer is {X}.",
    "sentence, lower case": "the answer is {x}",
    "reason behind": "The answer is {X} because I saw it.",
    "reason in front": "Since it is seen twice, option {X}",
    "article behind": "{X}. A man is seen.",
    "article in front": "A man is seen, so {X}.",
    "pronoun": "I choose {X}",
    "pronoun behind": "{X}, I think",
    "colon": "Answer: {X}",
    "begun": "Best option:({X}",
    "tag": "<answer>{X}</answer>",
    "tag, lower case": "<answer>{x}</answer>",
    "tag with text": "<answer>{X}. {text}</answer>",
    "reasoning": "<think>{O} or {X}? It is {X}.</think>\n{X}",
    "reasoning and tag": "<think>Maybe {O}.</think><answer>{X}</answer>",
    "reasoning without a begin": "Maybe {O}.</think>{X}",
    "bold": "**{X}**",
    "boxed": "\\boxed{{{X}}}",
    "sentence of text": "I think it is this: {text}",
    "denied": "Not {O} but {X}.",
    "mended": "The answer is {O}. No, the answer is {X}.",
    "weighed": "Both {O} and {X} fit, {X} better.",
    "Chinese": "答案是{X}",
    "word in front": "DVD: {X}",
    "lines": "{X}\n\nThe clip ends there.",
}
UNSTATED = {
    "empty": "",
    "unsure": "I am not sure.",
    "refusal": "Sorry, as an AI I cannot see the video.",
    "undecided": "It cannot be determined from the video.",
    "article": "A man walks in.",
    "capitals": "USA",
    "not offered": "Z",
    "all letters": "{all}",
    "endless": "<think>It could be {O} or",
}
NEAR = (0.4, 0.5, 0.55, 0.75, 0.88, 0.9, 0.95, 1, 1.02, 1.1, 1.2, 1.25, 1.5, 2, 3)
"""What plain numbers are of the gold."""
NUMBERS = {
    "unit": "{n} meters",
    "full stop": "{n}.",
    "sentence": "There are {n}.",
    "about": "About {n}, I think",
    "tag": "<answer>{n}</answer>",
    "reasoning": "<think>7, or 8</think>{n}",
    "reasoning and tag": "<think>7, or 8</think><answer>{n}</answer>",
    "tag in front": "<answer>{n}</answer> and not 900",
    "tag behind": "Of 900 things: <answer>{n}</answer>",
    "bold": "**{n}**",
    "two": "{n} by 900",
    "exponent": "{n}e0",
    "zeros": "0{n}",
    "equals": "x={n}",
    "name": "In frame_1 {n}",
    "name with figures": "H2O: {n}",
    "ordinal": "The 1st has {n}",
    "clock": "At 0:30 {n}",
    "pronoun": "The one on the left: {n}",
    "minus": "-{n}",
    "word": "{word}",
    "words": "There are {word}.",
    "tens": "twenty-{word}",
    "hundred": "one hundred and {word}",
    "thousand": "two thousand",
    "thousands": "1,200",
    "ratio": "1/2",
    "range": "{n}-900",
    "point": ".5",
    "dozen": "a dozen",
    "no number": "It cannot be told.",
    "empty": "",
}
WORDS = {"10": "one", "4": "four", "2.0": "two", "100": "nine", "25.5": "five"}
"""A number word for the items of each gold."""


Read = str | float | None


class Reply(NamedTuple):
    item: Item
    style: str
    text: str


class Scorer(NamedTuple):
    """One task of lmms-eval."""

    layout: str
    """Of the kit, whose rows it gets as they are."""
    task: str
    score: Callable[[ModuleType, dict[str, Any], str], tuple[float, Any]]
    """Score of a reply, and what the task puts together for a set."""
    read: Callable[[ModuleType, Item, str], Read]
    """Letter or number that a reply is taken for; `None` for none, or no letter that is offered."""
    total: Callable[[ModuleType, list[Any]], float]
    """Score of a set in [0, 1]."""
    items: int
    """Items with options that get a reply of every style; the others get plain ones alone."""


def lmms(name: str) -> ModuleType:
    """A module of lmms-eval, without the start of its packages, which loads every model."""
    found = importlib.util.find_spec("lmms_eval")
    assert found is not None and found.submodule_search_locations is not None
    for package in ("tasks", "api"):
        stub = ModuleType(f"lmms_eval.{package}")
        stub.__path__ = [f"{found.submodule_search_locations[0]}/{package}"]
        sys.modules.setdefault(stub.__name__, stub)
    return import_module(f"lmms_eval.{name}")


def _mvbench(module: ModuleType, row: dict[str, Any], text: str) -> tuple[float, Any]:
    found = module.mvbench_process_results(row, [text])["mvbench_accuracy"]
    return float(found["score"]), found


def _video_mme(module: ModuleType, row: dict[str, Any], text: str) -> tuple[float, Any]:
    # The kit invents sub-categories; the task knows the real ones alone.
    row = {**row, "sub_category": "Geography"}
    found = module.videomme_process_results(row, [text])["videomme_perception_score"]
    return float(found["score"]), found


def _vsi_bench(module: ModuleType, row: dict[str, Any], text: str) -> tuple[float, Any]:
    found = module.vsibench_process_results(dict(row), [text])["vsibench_overall"]
    (score,) = (found[name] for name in ("accuracy", "MRA:.5:.95:.05") if name in found)
    return float(score), found


def _tomato(module: ModuleType, row: dict[str, Any], text: str) -> tuple[float, Any]:
    found = module.tomato_process_results(row, [text])["tomato_score"]
    return float(found["score"]), found


def _omnibench(module: ModuleType, row: dict[str, Any], text: str) -> tuple[float, Any]:
    found = module.omni_bench_process_results(row, [text])["accuracy"]
    return float(found["overall"]), found


def _offered(letter: str | None, item: Item) -> str | None:
    return letter if letter and letter in offered(item) else None


def _accepted(accepts: Callable[[str], float], item: Item) -> str | None:
    """The letter that a scorer takes a reply for, when it says of a gold letter yes or no alone."""
    accepted = [letter for letter in offered(item) if accepts(letter)]
    assert len(accepted) <= 1
    return accepted[0] if accepted else None


def _word_or_number(module: ModuleType, item: Item, text: str) -> Read:
    if not item.options:
        number: float | None = module.extract_number(text)
        return number
    return _accepted(lambda x: module.exact_match(module.fuzzy_matching(text), x), item)


SCORERS = {
    "mvbench": Scorer(
        "video",
        "mvbench",
        _mvbench,
        lambda module, item, text: _accepted(lambda x: module.mcq_acc(x, text), item),
        lambda module, results: module.mvbench_aggregate_results(results) / 100,
        5,
    ),
    "video_mme": Scorer(
        "jsonl",
        "videomme",
        _video_mme,
        lambda module, item, text: _offered(module.extract_characters_regex(text), item),
        lambda module, results: module.videomme_aggregate_results(results) / 100,
        5,
    ),
    "vsi_bench": Scorer(
        "jsonl",
        "vsibench",
        _vsi_bench,
        lambda module, item, text: _word_or_number(module, item, text),
        lambda module, results: module.vsibench_aggregate_overall(results),
        4,
    ),
    "tomato": Scorer(
        "lmms",
        "tomato",
        _tomato,
        lambda module, item, text: module.parse_multi_choice_response(
            text, list(offered(item)), dict(zip(offered(item), item.options, strict=True))
        ),
        lambda module, results: module.tomato_aggregate_results(results),
        5,
    ),
    "omnibench": Scorer(
        "hub",
        "omni_bench",
        _omnibench,
        lambda module, item, text: _offered(
            module.parse_multi_choice_response(text.strip(), list("ABCD")), item
        ),
        lambda module, results: module.omni_bench_aggregate_results(results) / 100,
        5,
    ),
}


def offered(item: Item) -> str:
    return LETTERS[: len(item.options)]


def replies(item: Item, turn: int, *, whole: bool) -> Iterator[Reply]:
    """Replies to an item: plain ones, and one of every other style when they are all wanted."""
    if item.answer_kind == "number":
        yield from _numbers(item)
        return
    letters = offered(item)
    for letter in letters if whole else letters[:2]:
        for style, form in PLAIN.items():
            yield Reply(item, f"plain: {style}", form.format(X=letter))
    for number, (style, form) in enumerate({**STATED, **UNSTATED}.items() if whole else ()):
        gold = letters.index(item.gold)
        chosen = (gold + (number + turn) % 2) % len(letters)
        other = letters[(chosen + 1) % len(letters)]
        text = form.format(
            X=letters[chosen],
            x=letters[chosen].lower(),
            O=other,
            text=item.options[chosen],
            all=" ".join(letters),
        )
        yield Reply(item, style, text)


def _numbers(item: Item) -> Iterator[Reply]:
    for share in NEAR:
        yield Reply(item, "plain: number", f"{share * float(item.gold):.12g}")
    for style, form in NUMBERS.items():
        yield Reply(item, style, form.format(n=item.gold, word=WORDS[item.gold]))


def make(name: str) -> list[dict[str, Any]]:
    """The head of a file and its lines."""
    scorer = SCORERS[name]
    module = lmms(f"tasks.{scorer.task}.utils")
    strip = lmms("api.reasoning").strip_reasoning_tags
    items, refused = usable(name, scorer, module)
    rows, results = [], []
    for turn, item in enumerate(items):
        for reply in replies(item, turn, whole=turn < scorer.items):
            text = strip(reply.text, TAGS)
            score, result = scorer.score(module, dict(item.raw), text)
            row = {"item": item.id, "style": reply.style, "reply": reply.text, "score": score}
            row["read"] = scorer.read(module, item, text)
            assert not item.options or score == (row["read"] == item.gold), (row, item)
            rows.append(row)
            results.append((reply.style.startswith("plain"), result))
    head = {
        "scorer": f"lmms-eval {importlib.metadata.version('lmms-eval')}",
        "layout": scorer.layout,
        "items": {item.id: {"options": item.options, "gold": item.gold} for item in items},
        "refused": refused,
        "overall": {
            "plain": scorer.total(module, [result for plain, result in results if plain]),
            "all": scorer.total(module, [result for _, result in results]),
        },
    }
    return [head, *rows]


def usable(name: str, scorer: Scorer, module: ModuleType) -> tuple[list[Item], Mapping[str, str]]:
    """The kit's items, and those that the scorer fails at, with its error."""
    with tempfile.TemporaryDirectory() as directory:
        kit(name).write(Path(directory) / name, scorer.layout)
        found = select(available()[name], Path(directory) / name, Selection())
    kept, refused = [], {}
    for item in found:
        try:
            scorer.score(module, dict(item.raw), "A")
        except ValueError as fault:
            refused[item.id] = f"ValueError: {fault}"
        else:
            kept.append(item)
    return _varied(kept), refused


def _varied(items: list[Item]) -> list[Item]:
    """One item of every number of options, most first; then a second of each, and so on."""
    seen: dict[int, int] = defaultdict(int)
    ranked = []
    for item in items:
        ranked.append((seen[len(item.options)], -len(item.options), item))
        seen[len(item.options)] += 1
    return [item for _, _, item in sorted(ranked, key=lambda place: place[:2])]


def main() -> None:
    for name in SCORERS:
        lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in make(name)]
        (HERE / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
