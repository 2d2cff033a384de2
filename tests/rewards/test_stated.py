"""What comes out of a reply was stated in it, on 100,000 strings and by a definition of its own.

Stated, of the text behind the last `</think>` (all of it without one):

- a letter: it stands there as a token, which is a longest run of ASCII letters and digits, or all
  words of its option's text stand there in a row, in any case;
- a set of letters: each of them is;
- yes or no: the word is a token;
- a number: its figures stand there once commas are taken out, or a number word does.
"""

from __future__ import annotations

import random
import re
from functools import partial

import pytest

from avatar_core.rewards.answer import extract_letter, read_answer
from avatar_core.rewards.letter_sets import read_letter_set
from avatar_core.rewards.letters import stated_letter
from tests.rewards.golden import said

LETTERS = "ABCDEFGHIJKLMN"
TEXTS = (
    *("A red ball", "blue", "42", "Both A and B", "2.5 V", "5 V", "Hepatitis E virus"),
    *("left to right", "None of the above", "I", "C", "joy", "joy and relief", "no"),
)
NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred"
).split()
PIECES = [
    *"ABCDEFGHIJKLMNXYZabcdin",
    *" \t\n.,:;()[]{}*\"'`$\\-/&_<>|?!",
    *"0123456789",
    *TEXTS,
    *(text.lower() for text in TEXTS),
    *("twenty-one", "one", "two hundred", "3rd", "0:35", "GPT-4.5"),
    *("<think>", "</think>", "<answer>", "</answer>", "</ans"),
    *("\\boxed{", "**", "\n- ", '{"answer": '),
    *("the ", "answer ", "Option ", "options: ", "is ", "are ", "not ", "none of ", "either "),
    *(" and ", " or ", "man ", "because ", "I am ", "know", "yes", "No", "yes or no", "no sign "),
    *("答案", "不是", "と", "é", "ſ", "İ", "ß", "７", "Ｂ", "В"),
    *("\u200b", "\ufeff", "\x00", "\ud800"),
]
TOKEN = re.compile(r"[A-Za-z0-9]+")


def readable(text: str) -> str:
    return re.split(r"(?i)</think>", text)[-1]


def letter_is_stated(letter: str, text: str, texts: tuple[str, ...]) -> bool:
    tokens = TOKEN.findall(readable(text))
    option = texts[LETTERS.index(letter)].split() if texts else []
    # Tags cut a reply into pieces, which are read as if spaces stood there.
    words = re.sub(r"(?i)</?(?:think|answer)>", " ", readable(text)).casefold().split()
    return (
        letter in tokens
        or letter.lower() in tokens
        or (bool(option) and " ".join(option).casefold() in " ".join(words))
    )


def number_is_stated(number: float, text: str) -> bool:
    tokens = {token.lower() for token in TOKEN.findall(readable(text))}
    plain = readable(text).replace(",", "")
    figures = [
        *re.findall(r"[0-9]+(?:\.[0-9]+)?(?:[eE]-?[0-9]+)?", plain),
        *re.findall(r"\.[0-9]+(?:[eE]-?[0-9]+)?", plain),
    ]
    return abs(number) in map(float, figures) or not tokens.isdisjoint(NUMBER_WORDS)


def replies(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices(PIECES, k=rng.randrange(1, 22))) for _ in range(count)]


def check_letters(text: str, size: int, texts: tuple[str, ...]) -> str | None:
    letters = LETTERS[:size]
    found = extract_letter(text, letters, texts[:size])
    if found is not None:
        assert found in letters
        assert letter_is_stated(found, text, texts), (found, text)
    # What rewards read is what evaluation reads, or less.
    assert stated_letter(text, letters, texts[:size]) in (found, None) or "<think>" in text
    return found


@pytest.mark.timeout(60)
def test_a_letter_is_a_stated_option_or_none_in_100_000_strings():
    found = 0
    texts = replies(100_000, seed=1)
    for number, text in enumerate(texts):
        size = (2, 4, 5, 14)[number % 4]
        found += check_letters(text, size, TEXTS if number % 3 else ()) is not None
    # Neither vacuous nor total: most strings hold several letters, many of them within words.
    assert len(texts) == 100_000
    assert 20_000 < found < 90_000


def test_sets_words_and_numbers_are_stated_or_none():
    found = {"set": 0, "word": 0, "count": 0, "number": 0}
    for text in replies(15_000, seed=2):
        letters = read_answer(text, partial(read_letter_set, letters=LETTERS, options=TEXTS))
        if letters is not None:
            found["set"] += 1
            assert letters
            assert all(letter_is_stated(letter, text, TEXTS) for letter in letters), text
        word = said("yesno", text)
        if word is not None:
            found["word"] += 1
            assert word in {token.lower() for token in TOKEN.findall(readable(text))}, text
        for kind in ("count", "number"):
            number = said(kind, text)
            if number is not None:
                found[kind] += 1
                assert number_is_stated(float(number), text), (number, text)
    assert all(1_000 < times < 14_000 for times in found.values()), found
