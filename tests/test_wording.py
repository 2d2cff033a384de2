from __future__ import annotations

import pytest

from avatar_core.data.scenes import make_scene
from avatar_core.types import MediaRef, Sample
from avatar_core.wording import question_text, sample_content, states_all

FILM = MediaRef("video", "v.mp4")


def make_sample(question: str, options: tuple[str, ...] = ()) -> Sample:
    return Sample("id", question, (FILM,), "A", "multiple choice", options)


def test_options_are_lettered() -> None:
    text = question_text(make_sample("Which animal?", ("a cat", "a dog")))
    assert text == "Which animal?\nA. a cat\nB. a dog"


def test_options_that_the_question_states_are_not_repeated() -> None:
    sample = make_sample("Which colour is it: Red, blue or green?", ("red", "blue", "green"))
    assert question_text(sample) == sample.question


def test_a_question_without_options_stands_alone() -> None:
    assert question_text(make_sample("How many?")) == "How many?"


@pytest.mark.parametrize(
    ("question", "options", "stated"),
    [
        ("Is it red or blue?", ("red", "blue"), True),
        ("Is it red or blue?", ("Red", "BLUE"), True),
        # The letters follow the order of the options, so the question has to, too.
        ("Is it blue or red?", ("red", "blue"), False),
        ("Is it red or blue?", ("red", "blue", "green"), False),
        # "no" is in "know", "yes" in "eyes": not as words.
        ("Do the eyes know?", ("yes", "no"), False),
        ("How many of the 12 are 3?", ("1", "2", "3"), False),
        ("Is it 1, 2 or 3?", ("1", "2", "3"), True),
        ("Is it red?", ("red", "red"), False),
        ("Is it a (b) or c.d?", ("(b)", "c.d"), False),
        ("Which?", (), True),
    ],
)
def test_stating_options(question: str, options: tuple[str, ...], stated: bool) -> None:
    assert states_all(question, options) is stated


def test_questions_of_the_scenes_state_their_options() -> None:
    cases = 0
    for index in range(320):
        question = make_scene(4, "validation", index, 0).question
        if question.options:
            assert states_all(question.text, question.options), question.text
            cases += 1
    assert cases > 200


def test_media_come_before_the_text() -> None:
    assert sample_content(make_sample("How many?")) == (FILM, "How many?")
