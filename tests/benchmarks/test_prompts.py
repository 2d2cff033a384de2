"""Tests of benchmarks/prompts.py: what the shared wordings hold, and what they never hold."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from avatar_core.benchmarks.item import AnswerKind, Item, PromptStyle
from avatar_core.benchmarks.prompts import (
    letter_only,
    lettered,
    media_first,
    one_letter,
    question_block,
    reasoned,
    single_choice,
    worded_by_style,
)
from avatar_core.types import MediaRef


def item(
    question: str = "Who wins?",
    options: tuple[str, ...] = ("Red", "Blue"),
    kind: AnswerKind = "mc",
    media: tuple[MediaRef, ...] = (),
) -> Item:
    return Item("a", "b", "", media, question, options, "B", kind)


BLOCK = "Who wins?\nA. Red\nB. Blue"


def test_letters_in_any_form() -> None:
    assert lettered(("Red", "Blue")) == "A. Red\nB. Blue"
    assert lettered(("Red", "Blue"), "{letter}: {text}", ", ") == "A: Red, B: Blue"
    # Braces of a text are no places to fill.
    assert lettered(("{letter}", "{0}"), "({letter}) {text}") == "(A) {letter}\n(B) {0}"
    assert lettered(()) == ""


def test_one_letter_of_as_many_as_there_are() -> None:
    assert one_letter(item()) == "A or B"
    assert one_letter(item(options=("1", "2", "3", "4"))) == "A, B, C or D"


def test_options_are_stated_once() -> None:
    assert question_block(item()) == BLOCK
    assert question_block(item("Who wins?\n(A) Red\n(B) Blue")) == "Who wins?\n(A) Red\n(B) Blue"
    assert question_block(item(options=(), kind="open")) == "Who wins?"


def test_a_question_that_ends_in_a_list_of_its_own_keeps_its_options() -> None:
    question = "Which of these hold?\nA. Cats bark.\nB. Dogs bark."
    asked = question_block(item(question, ("Only A", "Only B", "Both", "None")))
    assert asked == f"{question}\nA. Only A\nB. Only B\nC. Both\nD. None"


def test_a_text_that_the_file_has_ready_takes_the_place_of_question_and_options() -> None:
    worded = "Who wins this time?\n(A) Red\n(B) Blue"
    ready = replace(item(), worded=worded)
    assert single_choice(ready) == single_choice(item()).replace(BLOCK, worded)


def test_each_style_has_its_wording_behind_all_media() -> None:
    shown = item(media=(MediaRef("image", "a.png"), MediaRef("audio", "a.wav")))
    ask = worded_by_style(letter_only, single_choice)
    wordings = {"official": letter_only, "authors": single_choice, "think": reasoned}
    assert list(wordings) == list(get_args(PromptStyle))
    for style in get_args(PromptStyle):
        assert ask(shown, style) == (*shown.media, wordings[style](shown))


def test_single_choice_asks_for_one_capital_letter() -> None:
    text = single_choice(item())
    assert f"Question: {BLOCK}\n" in text
    assert "multiple-choice" in text and "given video" in text and "one capital letter" in text
    assert "given multimodal content" in single_choice(item(), subject="multimodal content")


def test_letter_only_asks_behind_the_options() -> None:
    head, _, request = letter_only(item()).rpartition("\n")
    assert head == BLOCK
    assert "letter" in request


@pytest.mark.parametrize("kind", get_args(AnswerKind))
def test_reasoning_gets_tags_and_an_answer_of_its_kind(kind: AnswerKind) -> None:
    text = reasoned(item(kind=kind))
    assert text.startswith(BLOCK)
    assert [text.count(tag) for tag in ("<think>", "</think>", "<answer>", "</answer>")] == [1] * 4
    others = [reasoned(item(kind=other)) for other in get_args(AnswerKind) if other != kind]
    assert text not in others


def test_no_wording_names_an_answer() -> None:
    # A letter in the instruction would be an example that a weak model repeats.
    for word in (single_choice, letter_only, reasoned):
        instruction = word(item()).replace(BLOCK, "")
        assert not {"A", "B", "C", "D"} & set(instruction.replace(".", " ").split())


def test_media_come_first() -> None:
    media = (MediaRef("image", "a.png"), MediaRef("audio", "a.wav"))
    assert media_first(item(media=media), "text") == (*media, "text")
    assert media_first(item(), "text") == ("text",)
