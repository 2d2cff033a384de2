"""Faults of the scripts that AVATAR's authors published, numbered as the project numbers them.

Each test shows that the fault cannot occur here. Those of decoding, media, resuming and loading the
model are tested with the parts that do these things.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from avatar_core.benchmarks.av_odyssey import AV_ODYSSEY
from avatar_core.benchmarks.cg_av_counting import CG_AV_COUNTING
from avatar_core.benchmarks.daily_omni import DAILY_OMNI
from avatar_core.benchmarks.intentbench import INTENTBENCH
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lvbench import LVBENCH
from avatar_core.benchmarks.mmvu import MMVU
from avatar_core.benchmarks.omnibench import OMNIBENCH
from avatar_core.benchmarks.registry import Benchmark, Selection, select
from avatar_core.benchmarks.tomato import TOMATO
from avatar_core.benchmarks.video_holmes import VIDEO_HOLMES
from avatar_core.benchmarks.video_mme import VIDEO_MME
from avatar_core.benchmarks.worldsense import WORLDSENSE
from avatar_core.choices import LETTERS
from avatar_core.errors import DataError
from avatar_core.evaluation.scoring import gold_of, score_item
from tests.benchmarks.kit import (
    av_odyssey,
    cg_av_counting,
    daily_omni,
    intentbench,
    lvbench,
    mmvu,
    omnibench,
    tomato,
    video_holmes,
    video_mme,
    worldsense,
)

# The words of the system and user turns that the authors' searches fell upon.
PROMPT = "system You are a helpful assistant. user A man asks: <answer>A</answer> or E? assistant"
NUMBERED = [
    (LVBENCH, lvbench),
    (MMVU, mmvu),
    (TOMATO, tomato),
    (VIDEO_MME, video_mme),
    (AV_ODYSSEY, av_odyssey),
]
"""Those whose scripts number items without an id by their place in a list."""


def choice(options: int = 4, gold: str = "B") -> Item:
    texts = tuple(f"thing {number}" for number in range(options))
    return Item("1", "b", "", (), PROMPT, texts, gold, "mc")


def letter(text: str, options: int = 4) -> str | None:
    """The letter of the option that a reply is taken to state."""
    stated = score_item(choice(options), text, truncated=False).prediction
    return None if stated is None else LETTERS[int(stated.removeprefix("thing "))]


def loaded(
    benchmark: Benchmark, kit: ModuleType, root: Path, layout: str, *, reverse: bool = False
) -> list[Item]:
    root.mkdir()
    kit.write(root, layout, reverse=reverse)
    return select(benchmark, root, Selection())


def test_b02_the_last_answer_tag_of_the_reply_counts_and_the_prompt_is_not_searched() -> None:
    assert letter("<answer>A</answer> no, <answer>C</answer>") == "C"
    assert letter("Answer in <answer>A</answer> tags: <answer>D</answer>") == "D"
    # The question holds a pair of tags, the reply holds none.
    assert letter("I cannot say.") is None


def test_b03_a_reply_without_a_letter_is_no_answer() -> None:
    replies = ["i cannot tell", "it is a dog", "the end", "", "...", "answer", "a man", "我不知道"]
    found = {
        (text, count): letter(text, count) for text in replies for count in (2, 3, 4, 5, 6, 7, 14)
    }
    assert len(found) == 56
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("B. A man", "B"),
        ("The answer is B because I saw it", "B"),
        ("(B) The X-ray", "B"),
        ("C: I think A man is there", "C"),
        ("The answer is D. A is wrong.", "D"),
    ],
)
def test_b04_articles_pronouns_and_later_words_do_not_win(text: str, stated: str) -> None:
    assert letter(text, options=14) == stated


def test_b05_only_letters_of_the_options_are_answers() -> None:
    for count in range(2, 15):
        stated = {name: letter(name, count) for name in LETTERS}
        assert stated == {name: name if name in LETTERS[:count] else None for name in LETTERS}
    assert letter("<answer>E</answer>") is None
    assert letter("The answer is Z") is None


def test_b06_the_content_of_the_answer_tags_is_read_not_compared() -> None:
    forms = ["b", "B", " B\n", "B.", "(B)", "B. text", "**B**", "option B", "The answer is B"]
    assert [letter(f"<answer>{form}</answer>") for form in forms] == ["B"] * 9


def test_b07_letters_of_the_reasoning_do_not_win() -> None:
    assert letter("<think>A, or C. It is D.</think><answer>B</answer>") == "B"
    assert letter("<think>A, or C. It is D.</think>\nB") == "B"
    assert letter("<think>A, or C. It is D.</think>") is None
    assert letter("<answer>B</answer> although C and D come close") == "B"
    verdict = Item("1", "b", "", (), PROMPT, (), "yes", "yesno")
    assert score_item(verdict, "<think>no</think><answer>Yes</answer>", truncated=False).score == 1


@pytest.mark.parametrize(
    ("benchmark", "kit", "layout", "count", "missing"),
    [
        (VIDEO_HOLMES, video_holmes, "hub", len(video_holmes.ROWS), 1),
        (CG_AV_COUNTING, cg_av_counting, "hub", len(cg_av_counting.ROWS), 1),
        (INTENTBENCH, intentbench, "hub", len(intentbench.ROWS), 1),
        (DAILY_OMNI, daily_omni, "hub", len(daily_omni.ROWS), 1),
        (OMNIBENCH, omnibench, "authors", len(omnibench.ROWS), 1),
    ],
)
def test_b12_b13_an_item_without_its_media_stays_in_the_list(
    tmp_path: Path, benchmark: Benchmark, kit: ModuleType, layout: str, count: int, missing: int
) -> None:
    found = loaded(benchmark, kit, tmp_path / "data", layout)
    assert len(found) == count
    assert sum(bool(item.missing) for item in found) == missing


def test_b12_worldsense_keeps_the_questions_of_missing_videos(tmp_path: Path) -> None:
    whole = loaded(WORLDSENSE, worldsense, tmp_path / "data", "hub")
    for video in (tmp_path / "data").rglob("*.*"):
        if video.suffix != ".json":
            video.unlink()
    left = select(WORLDSENSE, tmp_path / "data", Selection())
    assert [item.id for item in left] == [item.id for item in whole]
    assert all(item.missing for item in left)


def test_b13_an_answer_that_is_no_option_is_an_error_not_a_skipped_item(tmp_path: Path) -> None:
    omnibench.write(tmp_path, "authors")
    (path,) = tmp_path.rglob("*.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[2]["answer"] = "Something else"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(DataError, match="Something else"):
        select(OMNIBENCH, tmp_path, Selection())


def test_b14_an_item_that_fails_keeps_its_question_type(tmp_path: Path) -> None:
    found = loaded(VIDEO_HOLMES, video_holmes, tmp_path / "data", "hub")
    assert found[-1].missing
    assert found[-1].groups == {"question_type": ("SR",)}
    assert all(item.groups["question_type"] for item in found)


def test_b15_every_count_of_the_annotation_is_an_item(tmp_path: Path) -> None:
    cg_av_counting.write(tmp_path, "hub")
    for mode in ("long", "ref", "clue"):
        found = select(CG_AV_COUNTING, tmp_path, Selection(mode=mode))
        assert {item.id for item in found} == {str(row["index"]) for row in cg_av_counting.ROWS}
        # A failed item has no file to be forgotten: its score is that of a wrong one.
        assert {score_item(item, "", truncated=False).score for item in found} == {0.0}


@pytest.mark.parametrize(("benchmark", "kit"), NUMBERED)
def test_b17_ids_do_not_depend_on_places_in_a_list(
    tmp_path: Path, benchmark: Benchmark, kit: ModuleType
) -> None:
    tried = 0
    for layout in kit.LAYOUTS:
        forward = loaded(benchmark, kit, tmp_path / f"{layout}-1", layout)
        backward = loaded(benchmark, kit, tmp_path / f"{layout}-2", layout, reverse=True)
        asked = {item.id: (item.question, item.options, item.gold) for item in forward}
        assert asked == {item.id: (item.question, item.options, item.gold) for item in backward}
        assert len(asked) == len(forward) > 5
        assert not any(re.fullmatch(r"sample_\d+", name) for name in asked)
        tried += 1
    assert tried >= 3


def test_b19_question_numbers_that_restart_with_each_video_are_no_ids(tmp_path: Path) -> None:
    found = loaded(VIDEO_HOLMES, video_holmes, tmp_path / "data", "hub")
    numbers = {row["Question ID"] for row in video_holmes.ROWS}
    assert len(numbers) == 2
    assert len({item.id for item in found}) == len(found) == 8


def test_b20_records_without_a_question_id_have_ids_of_their_own(tmp_path: Path) -> None:
    nameless = [row for row in intentbench.ROWS if "qid" not in row]
    assert len(nameless) == 6
    found = loaded(INTENTBENCH, intentbench, tmp_path / "data", "hub")
    assert len({item.id for item in found}) == len(intentbench.ROWS)
    assert not {"None", "", "nan"} & {item.id for item in found}


def test_b21_an_answer_given_as_an_index_is_scored(tmp_path: Path) -> None:
    found = loaded(TOMATO, tomato, tmp_path / "data", "hub")
    rows = [row for rows in tomato.ROWS.values() for row in rows.values()]
    assert all(isinstance(row["answer"], int) for row in rows)
    for item in found:
        (row,) = [
            row
            for row in rows
            if (row["question"], tuple(row["options"])) == (item.question, item.options)
        ]
        right = LETTERS[row["answer"]]
        assert item.gold == right
        assert score_item(item, right, truncated=False) == (gold_of(item), 1.0, False)
    assert len(found) == len(rows)


def test_every_fault_of_reading_and_loading_has_its_test() -> None:
    named = {int(number) for name in globals() for number in re.findall(r"b(\d\d)_", name)}
    # 1, 8 to 11, 16, 18 and 22 to 24 are of generating, media and resuming.
    assert named == {2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 17, 19, 20, 21}
