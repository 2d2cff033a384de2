from __future__ import annotations

from dataclasses import replace

import pytest

from avatar_core.teaching.suggestions import MAX_WORDS, fault_of, prompt_text, suggestion_of
from avatar_core.types import Sample

SAMPLE = Sample(
    "q",
    "Which circle is it?",
    (),
    "B",
    "multiple choice",
    options=("red", "blue"),
    extra={"audio_cues": ["a low tone", "a beep"]},
)


def test_the_teacher_reads_question_options_and_caption_but_not_the_answer() -> None:
    text = prompt_text(SAMPLE)
    assert "Which circle is it?\nA. red\nB. blue" in text
    assert "What is heard: a low tone; a beep" in text
    assert "refused" not in text
    unlike = replace(SAMPLE, solution="A")
    assert prompt_text(unlike) == text
    assert "heard" not in prompt_text(replace(SAMPLE, extra={})).partition("Question:")[2]
    assert prompt_text(SAMPLE, fault="was empty").endswith("it was empty. Write another one.")


@pytest.mark.parametrize(
    ("reply", "suggestion"),
    [
        ("Look first.\nThen count.", "Look first. Then count."),
        ("<think>is it B?</think> Look first.", "Look first."),
        ("**Hint:** Look first.", "Look first."),
        ("Suggestion: “Look first.”", "Look first."),
        ("First: look.", "First: look."),
        ("<think>for ever", ""),
        ("", ""),
    ],
)
def test_a_reply_is_reduced_to_its_suggestion(reply: str, suggestion: str) -> None:
    assert suggestion_of(reply) == suggestion


def test_what_cannot_be_shown_is_refused() -> None:
    assert fault_of("Look first.", SAMPLE) is None
    assert fault_of("word " * MAX_WORDS, SAMPLE) is None
    assert fault_of("word " * (MAX_WORDS + 1), SAMPLE) == "had more than 40 words"
    assert fault_of("", SAMPLE) == "was empty"
    assert fault_of("It is blue.", SAMPLE) == "gave the answer away"
    assert fault_of("Look.<|im_end|>", SAMPLE) == "held a control token"
