from __future__ import annotations

import pytest

from avatar_core.rewards.enumerations import without_enumerations
from avatar_core.rewards.letter_rules import read_letter

ANIMALS = ("cat", "dog", "cow", "pig")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("A, B, C or D", ""),
        ("one of (A, B, C, D)?", "one of ( )?"),
        ("A|B|C|D", ""),
        ("A. cat\nB. dog\nC. cow\nD. pig", ""),
        ("Options: (A) cat (B) dog (C) cow (D) pig. So?", "Options: . So?"),
        ("A. no B. yes C. no D. no", "no yes no no"),
        # Not all of them, not in order, or the first one stated.
        ("A, B or C", "A, B or C"),
        ("D, C, B, A", "D, C, B, A"),
        ("It is A. B: no C: no D: no", "It is A. B: no C: no D: no"),
        ("A. Yes.\nSince: B. no C. no\nD. no", "A. Yes. Since: B. no C. no D. no"),
        ("", ""),
    ],
)
def test_only_enumerations_are_blanked(text, rest):
    found = without_enumerations(text, "ABCD", ANIMALS)
    assert found.split() == rest.split()


def test_two_options_are_an_enumeration_only_as_the_whole_text():
    for text in ("A B", "A, B.", "(A) or (B)"):
        assert without_enumerations(text, "AB", ()) == "", text
    for text in ("A, B is wrong", "A. B", "B, A", "A. Yes B. No"):
        assert without_enumerations(text, "AB", ()) == text
    assert without_enumerations("A", "A", ()) == "A"


def test_what_stands_beside_an_enumeration_is_still_read():
    echo = "A. cat\nB. dog\nC. cow\nD. pig\n"
    assert read_letter(echo, "ABCD", ANIMALS) is None
    assert read_letter(f"{echo}Answer: C", "ABCD", ANIMALS) == "C"
    assert read_letter(f"{echo}{echo}It is a dog.", "ABCD", ANIMALS) == "B"
    assert read_letter("Of A, B, C and D, it is C", "ABCD", ANIMALS) == "C"
    # The text of the fourth option is such a list.
    assert read_letter("A, B and C", "ABC", ("x", "y", "A, B and C")) == "C"
