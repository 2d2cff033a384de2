"""What `avatar replay` prints: completions coloured by token weight, what-if figures, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from avatar_cli.render import count, decimal, percent, safe, table_of
from avatar_cli.text import plain
from avatar_core.plural import counted
from avatar_core.records import SCHEMA, CompletionRow, GroupRow
from avatar_core.reporting.hints import HintFigures
from avatar_core.reporting.summary import SELECTIONS
from avatar_core.reporting.verify import Verdict
from avatar_core.reporting.what_if import Scenario, Signal, WhatIf

WeightsOf = Callable[[int], Sequence[float]]
"""Weights of the tokens of a completion by its length."""

SHADES = ("blue", "cyan", "yellow", "bold red")
"""Styles of the token weights, least first."""


def group_document(group: GroupRow, weights_of: WeightsOf | None) -> dict[str, Any]:
    """A group as JSON values, each completion with its `token_weights` (null when not known)."""
    document = group.to_row()
    for completion in document["completions"]:
        weights = None if weights_of is None else weights_of(completion["tokens"])
        completion["token_weights"] = weights
    return document


def print_groups(screen: Console, groups: Sequence[GroupRow], weights_of: WeightsOf | None) -> None:
    """Print groups with their completions; with weights, texts are coloured by them."""
    if not groups:
        screen.print("no groups to show")
    for group in groups:
        screen.print(_heading(group), soft_wrap=True)
        if group.question is not None:
            asked = f"{plain(group.question)} (answer: {plain(group.answer() or '')})"
            screen.print(Text(asked, "italic"), soft_wrap=True)
        for completion in group.completions:
            screen.print(_figures(completion), soft_wrap=True)
            weights = weights_of(completion.tokens) if weights_of else ()
            screen.print(shaded(completion.text, weights), soft_wrap=True)
        screen.print()
    if groups and weights_of:
        legend = Text("token weight, least to greatest:")
        for place, style in enumerate(SHADES, start=1):
            legend.append(f" {place}/{len(SHADES)} ", style)
        screen.print(legend)


def shaded(text: str, weights: Sequence[float]) -> Text:
    """A text coloured by token weight.

    Where a token begins is not on record, so a character gets the weight of the token at the same
    share of the length. Weights that do not differ give no colour.

    Args:
        text: foreign text; control characters are dropped.
        weights: of its tokens in order; empty when they are not known.
    """
    shown = plain(text)
    least, greatest = min(weights, default=0.0), max(weights, default=0.0)
    if greatest - least < 1e-6:
        return Text(shown)
    span, last = greatest - least, max(1, len(shown) - 1)
    levels = [
        (weights[round(place / last * (len(weights) - 1))] - least) / span
        for place in range(len(shown))
    ]
    styles = [SHADES[min(len(SHADES) - 1, int(level * len(SHADES)))] for level in levels]
    shade = Text()
    start = 0
    for style, run in groupby(styles):
        end = start + sum(1 for _ in run)
        shade.append(shown[start:end], style)
        start = end
    return shade


def hint_table(hints: HintFigures) -> Table:
    """How often hints were used, with what success, and refused."""
    headings = ("prompts", "answered right", "answer in hint", "refused for it")
    table = table_of("Hints", "used", *headings)
    table.columns[0].justify = "right"
    figures = (hints.used, hints.prompts, hints.answered, hints.leaked, hints.refused)
    table.add_row(*map(count, figures))
    table.caption = "used and answered right: groups; in hint, refused: visits of a prompt"
    return table


def scenario_line(name: str, scenario: Scenario) -> Text:
    """The settings of one side of a comparison."""
    against = {"group": "the group", "vcrs": "the prompt's running mean"}
    sides = [f"{source} against {against[kind]}" for source, kind in scenario.baselines.items()]
    weights = f"λ {scenario.tas_lambda:g} {scenario.tas_shape}"
    return Text(f"{name}: {', '.join(sides)}, {weights}")


def what_if_table(result: WhatIf) -> Table:
    """Set the advantages of a run beside those under other settings, by source."""
    headings = (heading for name in SELECTIONS for heading in (name, "what if"))
    table = table_of("Advantages", "", *headings)
    for label, show in _MEASURES:
        table.add_row(
            label,
            *(
                show(scenario.signals[name])
                for name in SELECTIONS
                for scenario in (result.recorded, result.changed)
            ),
        )
    table.caption = "no signal: of groups; A: of completions; w and wA: of their tokens"
    return table


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON values."""
    return {
        "schema": SCHEMA,
        "path": str(verdict.path),
        "sound": verdict.sound,
        "steps": verdict.steps,
        "groups": verdict.groups,
        "completions": verdict.completions,
        "checkpoints": verdict.checkpoints,
        "stores": verdict.stores,
        "problems": [problem._asdict() for problem in verdict.problems],
        "notes": list(verdict.notes),
    }


def verdict_lines(verdict: Verdict) -> Iterator[Text]:
    """A line per problem and note, then what was looked at."""
    for file, line, problem in verdict.problems:
        place = file if line is None else f"{file}:{line}"
        yield safe(f"{place}: {problem}")
    for note in verdict.notes:
        yield safe(f"note: {note}")
    looked_at = (
        f"{counted(verdict.steps, 'step')}, {counted(verdict.groups, 'group')}, "
        f"{counted(verdict.completions, 'completion')}, "
        f"{counted(verdict.checkpoints, 'checkpoint')}, "
        f"{counted(verdict.stores, 'replay store')}"
    )
    yield safe(f"{verdict.path}: {'sound' if verdict.sound else 'not sound'}, {looked_at}")


def _heading(group: GroupRow) -> Text:
    facts = [
        f"step {group.step}",
        group.source,
        *([f"age {group.step - group.policy_step}"] if group.source == "replayed" else []),
        *([f"tier {group.tier}"] if group.tier else []),
        *([group.family] if group.family else []),
        *([f"baseline {decimal(group.baseline)}"] if group.baseline is not None else []),
        *(["hinted"] if group.hinted else []),
        *(["equal rewards"] if group.no_signal else []),
    ]
    heading = safe(group.prompt_id)
    heading.stylize("bold")
    return heading.append_text(safe(f"  {', '.join(facts)}"))


def _figures(completion: CompletionRow) -> Text:
    parts = ", ".join(f"{name} {decimal(value)}" for name, value in completion.parts.items())
    facts = [
        f"reward {decimal(completion.reward)}{f' ({parts})' if parts else ''}",
        f"advantage {decimal(completion.advantage)}",
        f"{count(completion.tokens)} tokens",
        *(["truncated"] if completion.truncated else []),
    ]
    return safe(f"  {', '.join(facts)}")


_MEASURES: tuple[tuple[str, Callable[[Signal], str]], ...] = (
    ("no signal", lambda signal: percent(signal.silent_share)),
    ("completions", lambda signal: count(signal.completions.count)),
    ("mean of A", lambda signal: decimal(signal.completions.mean)),
    ("std of A", lambda signal: decimal(signal.completions.std)),
    ("|A| ≤ 0.1", lambda signal: percent(signal.completions.within_0_1)),
    ("|A| ≤ 0.25", lambda signal: percent(signal.completions.within_0_25)),
    ("|A| > 1", lambda signal: percent(signal.completions.beyond_1)),
    ("mean weight w", lambda signal: decimal(signal.tokens.weight_mean)),
    ("std of wA", lambda signal: decimal(signal.tokens.std)),
    ("|wA| ≤ 0.1", lambda signal: percent(signal.tokens.within_0_1)),
    ("|wA| ≤ 0.25", lambda signal: percent(signal.tokens.within_0_25)),
    ("|wA| > 1", lambda signal: percent(signal.tokens.beyond_1)),
)
