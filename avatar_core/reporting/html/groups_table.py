"""The groups of a run as a table that can be filtered and sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from avatar_core.records import CompletionRow, GroupRow
from avatar_core.reporting.html.markup import Markup, clean, joined, tag
from avatar_core.reporting.html.numbers import MISSING, count, decimal, signed
from avatar_core.reporting.html.sampling import MOST_TEXT, sampled_groups
from avatar_core.reporting.html.views import STRIP

PRINTED = 20
"""Rows that are printed; the style sheet holds the same number."""
COLUMNS = (
    ("step", "step"),
    ("tier", "tier"),
    ("source", "source"),
    ("prompt", None),
    ("rewards", "mean reward"),
    ("spread", "reward spread"),
    ("|A|", "largest |A|"),
)
"""Heading of each column, and what it sorts by."""


def groups_table(
    groups: Sequence[GroupRow], limit: int, strips: Mapping[str, str], prefix: str
) -> Markup | None:
    """A sample of the groups with their completions; `None` without groups.

    Args:
        groups: all rows of the run.
        limit: about how many are shown.
        strips: id of the picture of each prompt that has one.
        prefix: of the ids of this run's elements.
    """
    if not groups:
        return None
    shown = sampled_groups(groups, limit)
    rewards = [c.reward for row in shown for c in row.completions if c.reward is not None]
    scale = (min(rewards, default=0.0), max(rewards, default=1.0))
    body = [_row(row, strips.get(row.prompt_id), scale) for row in shown]
    note = f"{count(len(shown))} of {count(len(groups))} groups" + (
        ", evenly spaced over the run within each tier and source."
        if len(shown) < len(groups)
        else "."
    )
    return tag(
        "div",
        tag("p", note, tag("span", f" Printed: the first {PRINTED}.", class_="print-only")),
        _controls(shown, prefix),
        tag(
            "div",
            tag(
                "table",
                tag("caption", "Groups of completions", class_="unseen"),
                tag("thead", tag("tr", *map(_heading, range(len(COLUMNS))))),
                tag("tbody", *body),
            ),
            class_="browse",
            tabindex="0",
            role="region",
            aria_label="Groups of completions",
        ),
        class_="groups",
        id=f"{prefix}-table",
    )


def _controls(shown: Sequence[GroupRow], prefix: str) -> Markup:
    tiers = [tier for tier in ("easy", "medium", "hard") if any(r.tier == tier for r in shown)]
    sources = [name for name in ("fresh", "replayed") if any(r.source == name for r in shown)]
    return tag(
        "div",
        _choice(f"{prefix}-tier", "Tier", "tier", tiers),
        _choice(f"{prefix}-source", "Source", "source", sources),
        tag("label", "Text", for_=f"{prefix}-text"),
        tag(
            "input",
            type="search",
            id=f"{prefix}-text",
            data_filter="text",
            autocomplete="off",
            placeholder="in questions and completions",
        ),
        tag("output", f"{len(shown)} shown", role="status", class_="shown"),
        class_="controls",
        role="search",
        aria_label="Filter the groups",
    )


def _choice(identity: str, label: str, name: str, values: Sequence[str]) -> Markup:
    options = [tag("option", "all", value="")]
    options += [tag("option", value, value=value) for value in values]
    return joined(
        (
            tag("label", label, for_=identity),
            tag("select", *options, id=identity, data_filter=name),
        )
    )


def _heading(place: int) -> Markup:
    name, key = COLUMNS[place]
    if key is None:
        return tag("th", name, scope="col")
    button = tag("button", name, type="button", title=f"Sort by {key}", data_column=str(place))
    return tag("th", button, scope="col", aria_sort="none", class_=_class(place))


def _class(place: int) -> str | None:
    return "number" if COLUMNS[place][0] in ("step", "spread", "|A|") else None


def _row(row: GroupRow, strip: str | None, scale: tuple[float, float]) -> Markup:
    rewards = [item.reward for item in row.completions if item.reward is not None]
    spread = max(rewards) - min(rewards) if rewards else None
    advantages = [abs(item.advantage) for item in row.completions if item.advantage is not None]
    largest = max(advantages, default=None)
    mean = sum(rewards) / len(rewards) if rewards else None
    return tag(
        "tr",
        _cell(str(row.step), row.step, "number"),
        _cell(row.tier or MISSING, {"easy": 1, "medium": 2, "hard": 3}.get(row.tier or "", 0)),
        _cell(row.source, row.source),
        tag("td", _prompt(row, strip), class_="prompt"),
        _cell(reward_marks(rewards, scale), mean),
        _cell(decimal(spread, 2), spread, "number"),
        _cell(decimal(largest, 2), largest, "number"),
        data_tier=row.tier or "",
        data_source=row.source,
    )


def _cell(content: str, key: float | str | None, class_: str | None = None) -> Markup:
    value = "" if key is None else key
    return tag("td", content, class_=class_, data_key=value)


def _prompt(row: GroupRow, strip: str | None) -> Markup:
    width, height = STRIP
    picture = strip and tag(
        "svg",
        tag("use", href=f"#{strip}"),
        viewBox=f"0 0 {width} {height}",
        class_="strip",
        role="img",
        aria_label=f"Frames of {row.prompt_id}",
    )
    flags = [name for name, given in (("hinted", row.hinted), ("leaked hint", row.leaked)) if given]
    details = [row.prompt_id, *([row.family] if row.family else []), *flags]
    age = f", of step {row.policy_step}" if row.policy_step != row.step else ""
    return joined(
        (
            picture or None,
            tag("p", cut(row.question or row.prompt_id), class_="question", dir="auto"),
            tag("p", " · ".join(details) + age, class_="note"),
            tag(
                "details",
                tag("summary", f"{len(row.completions)} completions"),
                tag("p", f"Reference answer: {cut(answer)}", dir="auto", class_="note")
                if (answer := row.answer()) is not None
                else None,
                tag("ol", *map(_completion, row.completions)),
            ),
        )
    )


def _completion(item: CompletionRow) -> Markup:
    parts = ", ".join(f"{name} {decimal(value, 2)}" for name, value in item.parts.items())
    sign = "none" if not item.advantage else ("up" if item.advantage > 0 else "down")
    return tag(
        "li",
        tag(
            "p",
            tag("span", f"A {signed(item.advantage, 2)}", class_=f"chip {sign}"),
            f" reward {decimal(item.reward, 2)}" + (f" ({parts})" if parts else ""),
            f" · {item.tokens} tokens" + (" · cut at the length limit" if item.truncated else ""),
            class_="note",
        ),
        tag("p", cut(item.text), class_="text", dir="auto"),
    )


def cut(text: str) -> str:
    """A text as far as it is shown, with a word on what was left out."""
    whole = clean(text)
    if len(whole) <= MOST_TEXT:
        return whole
    return f"{whole[:MOST_TEXT]} … ({count(len(whole) - MOST_TEXT)} more characters)"


def reward_marks(rewards: Sequence[float], scale: tuple[float, float]) -> Markup:
    """Rewards of a group as marks on a common scale, with their mean in words.

    Args:
        rewards: scored ones; may be empty.
        scale: least and greatest reward of the table.
    """
    low, high = scale
    width = 70
    room = (high - low) or 1.0
    marks = "".join(f"M{4 + (value - low) / room * width:.0f} 3v12" for value in sorted(rewards))
    mean = decimal(sum(rewards) / len(rewards) if rewards else None, 2)
    label = ", ".join(decimal(value, 2) for value in rewards)
    return joined(
        (
            tag(
                "svg",
                tag("path", d=f"M4 9h{width}", class_="axis"),
                tag("path", d=marks, class_="mark") if marks else None,
                viewBox="0 0 78 18",
                class_="marks",
                role="img",
                aria_label=f"Rewards {label}" if rewards else "No reward",
            ),
            tag("span", mean, class_="mean"),
        )
    )
