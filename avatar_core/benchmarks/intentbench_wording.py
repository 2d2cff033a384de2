"""What IntentBench and AVATAR's authors say around its questions, by kind of answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from avatar_core.benchmarks.item import AnswerKind

SYSTEM = """\
You help people understand what they see and hear, as closely and as humanly as you can.
First take in all that you are given: pictures, video, sound and text. Then think the question \
through; look and listen again where you are unsure, and check your conclusion.
Write what you have understood of the scene between <context> and </context>, your reasoning \
between <think> and </think>, and the answer alone between <answer> and </answer>."""
"""System text of the benchmark's own protocol."""


class Frame(NamedTuple):
    """What stands around a question and its options."""

    before: str
    """Text that the question follows at once."""
    behind: str
    """Last lines of the prompt."""


OFFICIAL: Mapping[AnswerKind, Frame] = {
    "mc": Frame(
        "", "Put the letter of the one option that is right between <answer> and </answer>."
    ),
    "multi": Frame(
        "",
        "Put the letter of each option that applies, one or several separated by commas, between "
        "<answer> and </answer>.",
    ),
    "yesno": Frame("", "Put Yes or No between <answer> and </answer>."),
}
"""The benchmark's protocol."""
AUTHORS: Mapping[AnswerKind, Frame] = {
    "mc": Frame(
        "Watch the video and answer the multiple-choice question about it. Read question and "
        "options with care and settle on the one option that fits best.\n\nQuestion: ",
        "\nReply with one capital letter, such as A, B, C or D.",
    ),
    "multi": Frame(
        "Going by the video, name ALL emotions or ideas of the list below that apply; several may "
        "be right.\n\nQuestion: ",
        "\nReply with the letters of all that apply, separated by commas, such as A, C, F.",
    ),
    "yesno": Frame(
        "You are an expert in telling lies from truth. Study how the person in the video looks, "
        "sounds and acts, then answer the question.\n\n",
        "\nReply with Yes or No and with nothing else.",
    ),
}
"""The protocol of AVATAR's authors, with the problem as the file has it."""
