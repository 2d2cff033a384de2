"""Evaluation sets by name, as items."""

from __future__ import annotations

from avatar_core.benchmarks.item import AnswerKind, Content, Item, PromptStyle
from avatar_core.benchmarks.registry import (
    Benchmark,
    Published,
    Selection,
    available,
    find,
    load,
    register,
    select,
)

__all__ = [
    "AnswerKind",
    "Benchmark",
    "Content",
    "Item",
    "PromptStyle",
    "Published",
    "Selection",
    "available",
    "find",
    "load",
    "register",
    "select",
]
