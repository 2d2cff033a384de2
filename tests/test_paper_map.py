"""docs/paper_map.md names code, tests and settings that exist, and a line for every rule."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
MAP = (ROOT / "docs" / "paper_map.md").read_text(encoding="utf-8")
CODE = r"`(avatar_core(?:\.\w+)+)`"
TEST = r"`(tests/[\w/]+\.py)(?:::(\w+))?`"
SETTING = r"`([a-z_]+(?:\.[a-z_0-9]+)+=[^`]+)`"
WITHOUT = ("not built yet", "no setting")
STAGES = (1, 2, 3)


def rows(letter: str) -> list[list[str]]:
    """Cells of the table rows whose first cell is this letter and a number."""
    found = re.findall(rf"^\| ({letter}\d+ \|.*) \|$", MAP, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in found]


@functools.cache
def names_in(file: Path) -> frozenset[str]:
    """Top-level names of a module, and those of its classes as `Class.name`; nothing is run."""
    return frozenset(_names(ast.parse(file.read_text(encoding="utf-8")).body))


def _names(body: Iterable[ast.stmt], prefix: str = "") -> Iterable[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from _names(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign):
            yield from (prefix + t.id for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield prefix + node.target.id


def code_exists(dotted: str) -> bool:
    """Whether a dotted name is a module of the package, or is defined in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        stem = ROOT.joinpath(*parts[:length])
        for file in (stem.with_suffix(".py"), stem / "__init__.py"):
            if file.is_file():
                return length == len(parts) or ".".join(parts[length:]) in names_in(file)
    return False


def is_test(file: str, name: str) -> bool:
    path = ROOT / file
    return path.is_file() and (not name or name in names_in(path))


def test_all_code_that_is_named_exists() -> None:
    named = re.findall(CODE, MAP)
    assert [name for name in named if not code_exists(name)] == []
    assert len(named) >= 20
    # A name in another form would escape the check above.
    assert re.findall(r"`((?:algo|replay|rewards|training)\.\w+\.\w+)`", MAP) == []


def test_all_tests_that_are_named_exist() -> None:
    named = re.findall(TEST, MAP)
    assert [place for place in named if not is_test(*place)] == []
    assert len(named) >= 100
    assert MAP.count("tests/") == len(named)


def test_what_does_not_exist_is_found() -> None:
    assert code_exists("avatar_core.algo.tas.tas_weights")
    assert code_exists("avatar_core.replay.buffer.ReplayBuffer.draw")
    for wrong in ("avatar_core.algo.tas.tas_weight", "avatar_core.algo.tsa", "avatar_core.x.y"):
        assert not code_exists(wrong)
    assert not is_test("tests/algo/test_tas.py", "test_nothing")
    assert not is_test("tests/algo/test_nothing.py", "")


@pytest.mark.parametrize(("letter", "count"), [("C", 9), ("F", 20)])
def test_every_check_and_every_flaw_of_the_release_names_its_tests(letter: str, count: int) -> None:
    found = rows(letter)
    assert [cells[0] for cells in found] == [f"{letter}{n + 1}" for n in range(count)]
    for number, *_, tests in found:
        cited = re.findall(TEST, tests)
        assert cited and all(name for _, name in cited), number


@pytest.mark.parametrize(("letter", "count"), [("E", 7), ("R", 4), ("W", 3)])
def test_every_rule_names_its_code_and_its_tests(letter: str, count: int) -> None:
    found = rows(letter)
    assert len(found) >= count
    for _, _, code, tests in found:
        assert re.search(CODE, code), code
        cited = re.findall(TEST, tests)
        assert cited and all(name for _, name in cited), tests


def test_every_equation_number_in_a_docstring_is_in_the_map() -> None:
    cited: set[str] = set()
    files = sorted((ROOT / "avatar_core" / "algo").glob("*.py"))
    for file in files:
        cited |= set(re.findall(r"\bE\d\b", file.read_text(encoding="utf-8")))
    assert len(files) >= 5
    assert cited == {cells[0] for cells in rows("E")}


def configurations(setting: str | None = None) -> list[TrainConfig]:
    """What preset `paper` gives the reinforced stages of a large model, changed by a setting."""
    return [
        resolve_train(
            stage=stage, flags={"model": "some/model"}, assignments=[setting] if setting else []
        )
        for stage in STAGES
    ]


def test_every_disagreement_has_its_line() -> None:
    found = rows("D")
    # Nineteen in which the readings of the paper differ, and one that we found ourselves.
    assert len(found) >= 20
    assert [cells[0] for cells in found] == [f"D{number + 1}" for number in range(len(found))]
    for number, _, _, default, other, tests in found:
        built = re.search(SETTING, default)
        assert built or any(word in default + other for word in WITHOUT), number
        cited = re.findall(TEST, tests)
        assert cited and all(name for _, name in cited), number
        # What can be set otherwise has a default to set it back to.
        assert built or not re.search(SETTING, other), number


def test_the_settings_of_disagreements_are_the_defaults_and_real_alternatives() -> None:
    plain, defaults, others = configurations(), 0, 0
    for number, _, _, default, other, _ in rows("D"):
        for setting in re.findall(SETTING, default):
            with_default = configurations(setting)
            assert any(a == b for a, b in zip(with_default, plain, strict=True)), (number, setting)
            defaults += 1
        for setting in re.findall(SETTING, other):
            changed = configurations(setting)
            assert all(a != b for a, b in zip(changed, plain, strict=True)), (number, setting)
            others += 1
    assert defaults >= 11
    assert others >= 9


def test_every_setting_in_the_text_is_known() -> None:
    settings = re.findall(SETTING, MAP)
    for setting in settings:
        configurations(setting)
    assert len(settings) >= 21
    with pytest.raises(UsageError):
        configurations("loss.levels=token")
