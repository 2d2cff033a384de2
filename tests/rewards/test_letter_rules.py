"""Each rule by itself; the golden replies of test_answer.py show what they give together."""

from __future__ import annotations

import pytest

from avatar_core.rewards.letter_rules import (
    RULES,
    bare,
    concluding,
    leading,
    option_text,
    read_letter,
    standing,
)

OPTIONS = ("A red ball", "blue", "42", "Both A and B")

CASES = [
    # A letter of any case, or one option's whole text.
    (bare, "b", "B"),
    (bare, " (B). ", "B"),
    (bare, "Blue.", "B"),
    (bare, "E", None),
    (bare, "B because", None),
    # In front, marked as a label.
    (leading, "(C) blue", "C"),
    (leading, "B: because", "B"),
    (leading, "B\nbecause", "B"),
    (leading, "A red thing", None),
    (leading, "b) blue", None),
    (leading, "A, B and C are wrong", None),
    (leading, "B, or C", None),
    # The last conclusion counts, a letter that is ruled out does not.
    (concluding, "the answer is A, no, the answer is B", "B"),
    (concluding, r"so \boxed{C}", "C"),
    (concluding, r"so \boxed{\text{C}}", "C"),
    (concluding, r"so \boxed{\textC}", None),
    (concluding, "option: blue", "B"),
    (concluding, "**D**", "D"),
    (concluding, "answer is not B", None),
    (concluding, "answer is B? No", None),
    (concluding, "answer is B or C", None),
    (concluding, "option: blue or 42", None),
    (concluding, "**B** is incorrect, **C** is correct", "C"),
    # The last bracketed letter before the last one that stands alone.
    (standing, "I pick (B) over C", "B"),
    (standing, "rather B than C", "C"),
    (standing, "A man walks, I think", None),
    (standing, "not B", None),
    (standing, "Option D is incorrect.", None),
    (standing, "D, as (B) is wrong", "D"),
    (standing, "B or C", None),
    # Exactly one option's text, as whole words.
    (option_text, "it looks blue to me", "B"),
    (option_text, "bluebells", None),
    (option_text, "blue, or 42", None),
    (option_text, "420 of them", None),
    (option_text, "not blue, 42", "C"),
    (option_text, "blue is incorrect", None),
]


@pytest.mark.parametrize(("rule", "text", "letter"), CASES)
def test_a_rule_by_itself(rule, text, letter):
    assert rule(text, "ABCD", OPTIONS) == letter


def test_every_rule_has_been_tried():
    assert {rule for rule, _, _ in CASES} == set(RULES)


def test_the_first_rule_that_finds_a_letter_decides():
    # `leading` says B and `concluding` C; `concluding` says C and `standing` D.
    assert leading("B. The answer is C", "ABCD", ()) == "B"
    assert read_letter("B. The answer is C", "ABCD", ()) == "B"
    assert standing("The answer is C, like D", "ABCD", ()) == "D"
    assert read_letter("The answer is C, like D", "ABCD", ()) == "C"
    assert read_letter("no idea", "ABCD", OPTIONS) is None


def test_two_options_of_one_text_name_no_letter():
    assert bare("blue", "AB", ("blue", "Blue.")) is None
    assert option_text("it is blue", "AB", ("blue", "Blue.")) is None
