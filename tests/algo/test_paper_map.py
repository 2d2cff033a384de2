"""docs/paper_map.md names functions and tests of avatar_core/algo that exist."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "docs" / "paper_map.md").read_text(encoding="utf-8")
EQUATIONS = [line for line in MAP.splitlines() if re.match(r"\| E\d+ \|", line)]


def test_every_equation_has_functions_and_tests_that_exist() -> None:
    functions, tests = 0, 0
    for line in EQUATIONS:
        named = re.findall(r"`(avatar_core\.algo\.\w+)\.(\w+)`", line)
        assert named, line
        for module, name in named:
            assert callable(getattr(importlib.import_module(module), name)), line
            functions += 1
        cited = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", line)
        assert cited, line
        for file, name in cited:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            tests += 1
    assert len(EQUATIONS) == 7
    assert functions >= 7
    assert tests >= 7


def test_every_equation_number_in_a_docstring_is_in_the_map() -> None:
    numbers = {line.split("|")[1].strip() for line in EQUATIONS}
    cited: set[str] = set()
    files = sorted((ROOT / "avatar_core" / "algo").glob("*.py"))
    for file in files:
        cited |= set(re.findall(r"\bE\d\b", file.read_text(encoding="utf-8")))
    assert len(files) >= 5
    assert cited == numbers
