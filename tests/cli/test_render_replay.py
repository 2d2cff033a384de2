from __future__ import annotations

import io

from rich.console import Console

from avatar_cli.render_replay import SHADES, group_document, print_groups, shaded, what_if_table
from avatar_core.algo import plain
from avatar_core.config.train import AdvantageConfig
from avatar_core.reporting.what_if import what_if
from tests.run_records import group_row


def styles(text: str, weights: list[float]) -> list[str]:
    """Style of each character."""
    found = shaded(text, weights)
    names = [""] * len(found.plain)
    for span in found.spans:
        names[span.start : span.end] = [str(span.style)] * (span.end - span.start)
    return names


def test_characters_are_shaded_by_the_token_at_their_place() -> None:
    weights = plain.token_weights(5, 0.3, shape="parabola")
    # 1.3, 1.075, 1, 1.075, 1.3: of the way up all, a quarter, none, a quarter, all.
    least, low, _, most = SHADES
    assert styles("abcde", weights) == [most, low, least, low, most]
    assert styles("aabbccddee", weights)[:2] == [most, most]
    assert styles("ab", weights) == [most, most]
    assert styles("a", weights) == [most]
    assert styles("", weights) == []


def test_equal_or_unknown_weights_give_no_colour() -> None:
    assert styles("abc", [1.0, 1.0, 1.0]) == ["", "", ""]
    assert styles("abc", []) == ["", "", ""]


def test_foreign_text_is_shown_as_it_is() -> None:
    shown = shaded("[bold]\x1b[2Jx[/bold]\u202e", [1.0, 2.0])
    assert shown.plain == "[bold][2Jx[/bold]"
    # Not a span that the text asked for.
    assert {str(span.style) for span in shown.spans} <= set(SHADES)


def test_groups_are_printed_with_their_figures() -> None:
    rows = [
        group_row(
            [1.0, None],
            [0.5, None],
            step=9,
            policy_step=2,
            source="replayed",
            tier="hard",
            baseline=0.25,
            hinted=True,
            question="Where is it: left, right?",
            solution="B",
            options=("left", "right"),
        )
    ]
    screen = Console(file=io.StringIO(), width=80, highlight=False, force_terminal=True)
    print_groups(screen, rows, lambda tokens: [1.0 + place for place in range(tokens)])
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    facts = "step 9, replayed, age 7, tier hard, colour, baseline 0.250, hinted, equal rewards"
    assert facts in shown
    assert "Where is it: left, right? (answer: B = right)" in shown
    assert "reward 1.000 (accuracy 1.000), advantage 0.500, 5 tokens" in shown
    assert "reward - (accuracy -), advantage -, 5 tokens" in shown
    assert "token weight, least to greatest:" in shown
    assert "\x1b[34m" in shown and "\x1b[1;31m" in shown  # blue, bold red


def test_a_document_has_the_weights_of_each_completion() -> None:
    row = group_row([1.0, 0.0])
    known = group_document(row, lambda tokens: [1.0] * tokens)
    assert [item["token_weights"] for item in known["completions"]] == [[1.0] * 5] * 2
    unknown = group_document(row, None)
    assert [item["token_weights"] for item in unknown["completions"]] == [None, None]
    assert unknown["prompt_id"] == "p"


def test_the_comparison_fits_80_columns() -> None:
    rows = [group_row([1.0, 0.0], [1e3, -1e3]) for _ in range(3)]
    config = AdvantageConfig()
    table = what_if_table(what_if(rows, config, config, plain, baseline="vcrs", window=20))
    screen = Console(file=io.StringIO(), width=80)
    screen.print(table)
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    # A title, a blank line, headings, a rule, 12 measures, an end, units: nothing is folded.
    assert len(lines) == 18
