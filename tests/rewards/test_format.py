from __future__ import annotations

import pytest

from avatar_core.errors import UsageError
from avatar_core.rewards.format import format_reward, is_well_formed
from avatar_core.types import Sample

SAMPLE = Sample("s", "How many?", (), "3", "numerical")


@pytest.mark.parametrize(
    "text",
    [
        "<think>a</think><answer>b</answer>",
        " \n<think>\na\n</think>\n\n<answer>\nb\n</answer>\n",
        "<think>x < 3 and y > 2</think><answer>1</answer>",
        "<think>an <i>em</i> tag</think><answer>1</answer>",
    ],
)
def test_one_think_block_then_one_answer_block_is_well_formed(text):
    assert is_well_formed(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        "<answer>b</answer>",
        "<think>a</think>",
        "<think>a</think>b",
        "<answer>b</answer><think>a</think>",
        "Sure. <think>a</think><answer>b</answer>",
        "<think>a</think> so <answer>b</answer>",
        "<think>a</think><answer>b</answer>.",
        "<think>a</think><answer>b</answer><answer>c</answer>",
        "<think>a</think><think>c</think><answer>b</answer>",
        "<think>a<think>c</think></think><answer>b</answer>",
        "<think>a<answer>c</answer></think><answer>b</answer>",
        "<think>a</think><answer><think>c</think>b</answer>",
        "<think>a</think><answer>b",
        "<think>a<answer>b</answer>",
        "<think></think><answer>b</answer>",
        "<think>a</think><answer> </answer>",
        "<THINK>a</THINK><ANSWER>b</ANSWER>",
        "<think>a</think><answer>b</answer></answer>",
    ],
)
def test_anything_else_is_malformed(text):
    assert not is_well_formed(text)


def test_values_are_signed_as_in_the_paper_or_binary_as_in_the_release():
    texts = ["<think>a</think><answer>b</answer>", "b"]
    assert format_reward(texts, SAMPLE) == [1.0, -1.0]
    assert format_reward(texts, SAMPLE, values="binary") == [1.0, 0.0]
    with pytest.raises(UsageError, match="'signed' or 'binary'"):
        format_reward(texts, SAMPLE, values="other")


def test_a_long_malformed_text_is_refused_quickly():
    assert not is_well_formed("<think>" + "<" * 200_000)
    assert not is_well_formed("<think>a</think>" + " " * 200_000 + "x")
