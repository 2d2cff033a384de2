from __future__ import annotations

import re

from avatar_core.records import CompletionRow
from avatar_core.reporting.html.completion import MOST_WORDS, example_of, shaded_completion
from avatar_core.reporting.html.weights import Shaping
from tests.run_records import group_row


def completion(text: str, advantage: float | None = 1.0) -> CompletionRow:
    return CompletionRow(text=text, tokens=9, reward=1.0, advantage=advantage, truncated=False)


def test_words_are_shaded_by_their_weight() -> None:
    made = shaded_completion(completion("a <b> c d e f g"), Shaping(0.3, "parabola", False))
    words = re.findall(r'class="w(\d)">([^<]*)<', made)
    # (2t̃ − 1)² at sevenths: 1, 4/9, 1/9, 0 and back; of six shades 6, 2.67, 0.67, 0.
    expected = ["6", "3", "1", "0", "1", "3", "6"]
    assert [shade for shade, _ in words] == expected
    assert "".join(word for _, word in words) == "a &lt;b&gt; c d e f g"
    assert "wₜ 1.00" in made and "1.30 · A = +1.00, 9 tokens" in made


def test_equal_weights_and_empty_texts_have_one_shade() -> None:
    made = shaded_completion(completion("a b"), Shaping(0.3, "uniform", False))
    assert re.findall(r'class="(w\d)">', made) == ["w0", "w0"]
    assert "wₜ 1.00" in shaded_completion(completion("  "), Shaping(0.3, "parabola", False))


def test_a_very_long_completion_is_cut() -> None:
    made = shaded_completion(completion("word " * 5000), Shaping(0.3, "parabola", False))
    assert len(re.findall(r">word ", made)) == MOST_WORDS


def test_the_example_is_a_fresh_completion_that_was_learnt_from() -> None:
    long = "word " * 20
    silent = group_row([1.0, 1.0], [0.0, 0.0])
    told = group_row([1.0], [0.5])
    told = told.model_copy(update={"completions": (completion(long, 0.5), completion("x", 2.0))})
    replayed = group_row([1.0], [3.0], source="replayed", policy_step=0)
    assert example_of([silent, replayed]) is None
    # Enough words come before a larger advantage.
    assert example_of([silent, told, replayed]) == completion(long, 0.5)
    assert example_of([group_row([1.0], [2.0])]) == group_row([1.0], [2.0]).completions[0]
