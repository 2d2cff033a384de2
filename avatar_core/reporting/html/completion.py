"""One real completion, each word coloured by the weight of its place."""

from __future__ import annotations

import re
from collections.abc import Sequence

from avatar_core.records import CompletionRow, GroupRow
from avatar_core.reporting.html.markup import Markup, joined, tag
from avatar_core.reporting.html.numbers import signed
from avatar_core.reporting.html.weights import Shaping, weights_at

SHADES = 7
MOST_WORDS = 160


def example_of(groups: Sequence[GroupRow]) -> CompletionRow | None:
    """The completion to show: a late fresh one whose advantage is large and whose text has words.

    `None` when no completion of the last 200 fresh groups has an advantage other than 0.
    """
    late = [row for row in groups if row.source == "fresh"][-200:]
    fitting = [
        item
        for row in late
        for item in row.completions
        if item.advantage and 12 <= len(item.text.split()) <= MOST_WORDS
    ]
    others = [item for row in late for item in row.completions if item.advantage and item.text]
    return max(fitting or others, key=lambda item: abs(item.advantage or 0.0), default=None)


def shaded_completion(item: CompletionRow, shaping: Shaping) -> Markup:
    """The words of a completion on a ground that is darker where the weight is larger."""
    pieces = re.findall(r"\S+\s*", item.text)[:MOST_WORDS]
    weights = weights_at(len(pieces), shaping)
    low, high = (float(weights.min()), float(weights.max())) if len(pieces) else (1.0, 1.0)
    words = [
        tag("span", piece, class_=f"w{_shade(float(weight), low, high)}")
        for piece, weight in zip(pieces, weights, strict=True)
    ]
    scale = joined(
        tag("span", " ", class_=f"w{shade} key", aria_hidden="true") for shade in range(SHADES)
    )
    note = (
        "Token pieces are not recorded, so words stand for them: each is shaded by the weight of "
        "its place among the words."
    )
    return tag(
        "figure",
        tag("figcaption", tag("h4", "A completion under these weights"), tag("p", note)),
        tag("p", *words, class_="completion", dir="auto"),
        tag(
            "p",
            f"wₜ {low:.2f} ",
            scale,
            f" {high:.2f} · A = {signed(item.advantage, 2)}, {item.tokens} tokens",
            class_="scale below",
        ),
    )


def _shade(weight: float, low: float, high: float) -> int:
    if high - low < 1e-9:
        return 0
    return round((weight - low) / (high - low) * (SHADES - 1))
