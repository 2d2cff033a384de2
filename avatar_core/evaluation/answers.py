"""What a reply and a reference answer say, in words a person can compare."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.choices import LETTERS
from avatar_core.rewards.answer import extract_number, extract_pairs, split_completion
from avatar_core.rewards.letters import stated_letter, valid_letters
from avatar_core.types import Sample


def stated_answer(text: str, sample: Sample) -> str | None:
    """The answer that a reply states, read as the accuracy reward reads it; `None` without one."""
    parts = split_completion(text)
    if not parts.closed and not parts.answer:
        return None
    match sample.problem_type:
        case "multiple choice":
            letter = stated_letter(text, valid_letters(sample), sample.options)
            return None if letter is None else option_text(letter, sample.options)
        case "numerical" | "regression":
            number = extract_number(text)
            return None if number is None else f"{number:.12g}"
        case "localisation":
            pairs = extract_pairs(text)
            return None if pairs is None else "; ".join(f"{p}: {o}" for p, o in sorted(pairs))
        case "ocr" | "free-form":
            return parts.answer or None


def gold_text(sample: Sample) -> str:
    """The reference answer as a person would say it: an option's text, not its letter."""
    if sample.problem_type == "multiple choice":
        return option_text(sample.solution, sample.options)
    return sample.solution


def option_text(letter: str, options: Sequence[str]) -> str:
    """The text of an option, or the letter itself where the options are not listed."""
    return dict(zip(LETTERS, options, strict=False)).get(letter, letter)
