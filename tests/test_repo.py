"""What holds for the whole repository: layers, sizes, docstrings, what must never appear."""

from __future__ import annotations

import ast
import functools
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pytest_socket import SocketConnectBlockedError

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES = 500
MAX_MEDIAN_LINES = 150
MAX_BODY_LINES = 40
MAX_COMMAND_LINES = 120
COMMANDS = ("train", "replay", "eval", "infer", "report")
LONG_BODIES = {
    "avatar_core/training/loop.py reinforce": 60,  # the whole loop, to be read in one piece
    "avatar_core/models/tiny.py tiny_config": 50,  # a table of sizes
}
"""Functions that may be longer, how long, and why."""

MIRRORED_STATEMENTS = 20
"""A module with more statements than this inside its functions has a test file of its own."""
TESTED_ELSEWHERE: dict[str, str] = {}
"""Modules without a mirror, and the test file that covers them instead."""

# Written in parts, so that this file passes its own search.
HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "proxy.golang" + ".org",
)
# Folders of the machine that a file was written on, and notes of work left undone.
LEAVINGS = (
    *(f"(?<![\\w.]){folder}" for folder in ("/wo" + "rk/", "/ro" + "ot/", "/Use" + "rs/")),
    *(rf"\b{note}\b" for note in ("TO" + "DO", "FIX" + "ME", "XX" + "X")),
)
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_METHODS = {("torch", "load"), ("torch", "save"), ("np", "load"), ("os", "system")}
FORBIDDEN_MODULES = {"pickle", "dill", "joblib", "marshal", "shelve", "yaml"}
FORBIDDEN_KEYWORDS = {"trust_remote_code", "allow_pickle", "shell"}


class Function(NamedTuple):
    where: str
    node: ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    return sorted(
        path for name in ("avatar_core", "avatar_cli") for path in (ROOT / name).rglob("*.py")
    )


def texts() -> list[Path]:
    """Every text file that is part of the repository, by git's own list where there is one."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    binary = {".mp4", ".png", ".safetensors", ".wav", ".jpg", ".parquet", ".sqlite", ".gz"}
    paths = [ROOT / name for name in listed]
    return [path for path in paths if path.is_file() and path.suffix not in binary]


@functools.cache
def trees() -> list[tuple[str, ast.Module]]:
    return [
        (str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8")))
        for path in sources()
    ]


def functions() -> Iterator[Function]:
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(f"{name} {node.name}", node)


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_layers_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "kept, 0 broken" in done.stdout


def test_files_are_short() -> None:
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources()
    }
    assert len(sizes) > 25
    assert {name: size for name, size in sizes.items() if size >= MAX_FILE_LINES} == {}
    assert statistics.median(size for size in sizes.values() if size) <= MAX_MEDIAN_LINES
    commands = {name: sizes[f"avatar_cli/{name}.py"] for name in COMMANDS}
    assert {name: size for name, size in commands.items() if size > MAX_COMMAND_LINES} == {}


def test_functions_are_short() -> None:
    bodies: dict[str, int] = {}
    for where, node in functions():
        bodies[where] = max(body_lines(node), bodies.get(where, 0))
    assert len(bodies) > 100
    too_long = {
        where: size
        for where, size in bodies.items()
        if size > LONG_BODIES.get(where, MAX_BODY_LINES)
    }
    assert too_long == {}
    # An exception that nothing needs any more is taken off the list.
    assert {where for where in LONG_BODIES if bodies.get(where, 0) <= MAX_BODY_LINES} == set()


def mirrors(module: Path) -> list[Path]:
    """Where the test file of a module may be.

    `avatar_core/a/b/c.py` has `tests/a/b/test_c.py` or `tests/a/test_b_c.py`. The command line's
    tests are in `tests/cli`; underscores around a name are left out.
    """
    package, *parts = module.relative_to(ROOT).with_suffix("").parts
    parts = [*(["cli"] if package == "avatar_cli" else []), *parts[:-1], parts[-1].strip("_")]
    cuts = range(min(1, len(parts) - 1), len(parts))
    return [ROOT.joinpath("tests", *parts[:n], f"test_{'_'.join(parts[n:])}.py") for n in cuts]


def logic(tree: ast.Module) -> int:
    """Statements inside functions, docstrings apart; each counted once."""
    inside = {
        statement
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in ast.walk(node)
        if isinstance(statement, ast.stmt) and statement is not node
    }
    text = {s for s in inside if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)}
    return len(inside - text)


def test_every_module_with_logic_has_its_test_file() -> None:
    large = [name for name, tree in trees() if logic(tree) > MIRRORED_STATEMENTS]
    missing = {name for name in large if not any(path.is_file() for path in mirrors(ROOT / name))}
    assert len(large) > 60
    assert missing - TESTED_ELSEWHERE.keys() == set()
    # An exception that nothing needs any more is taken off the list, and each names its tests.
    assert TESTED_ELSEWHERE.keys() <= missing
    assert all((ROOT / place).is_file() for place in TESTED_ELSEWHERE.values())


def test_mirrors_are_where_a_reader_looks_for_them() -> None:
    places = {
        "avatar_core/files.py": ["tests/test_files.py"],
        "avatar_core/algo/tas.py": ["tests/algo/test_tas.py"],
        "avatar_core/data/scenes/draw.py": [
            "tests/data/test_scenes_draw.py",
            "tests/data/scenes/test_draw.py",
        ],
        "avatar_cli/__main__.py": ["tests/cli/test_main.py"],
    }
    for module, expected in places.items():
        assert [str(path.relative_to(ROOT)) for path in mirrors(ROOT / module)] == expected
    # return, if and its pass; the docstring and the lines outside do not count.
    source = 'x = 1\ndef f():\n    """Say."""\n    if x:\n        pass\n    return x\n'
    assert logic(ast.parse(source)) == 3


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public classes and functions without a docstring, in a module or in its public classes."""
    scopes: list[ast.Module | ast.ClassDef] = [tree]
    for scope in scopes:
        for node in scope.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                overload = any("overload" in ast.unparse(mark) for mark in node.decorator_list)
                if not node.name.startswith("_") and not overload and not ast.get_docstring(node):
                    yield f"{node.lineno} {node.name}"
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    scopes.append(node)


def test_every_public_name_is_documented() -> None:
    modules, missing = 0, []
    for name, tree in trees():
        modules += 1
        if tree.body and not ast.get_docstring(tree):
            missing.append(name)
        missing += [f"{name}:{place}" for place in undocumented(tree)]
    assert modules > 25
    assert missing == []


def violations(tree: ast.Module) -> Iterator[str]:
    """Calls and imports through which data could become code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            names = [module] if module else [alias.name for alias in node.names]
            yield from (f"import {n}" for n in names if n.split(".")[0] in FORBIDDEN_MODULES)
        if isinstance(node, ast.Call):
            target = node.func
            if isinstance(target, ast.Name) and target.id in FORBIDDEN_CALLS:
                yield f"{target.id}()"
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                if (target.value.id, target.attr) in FORBIDDEN_METHODS:
                    yield f"{target.value.id}.{target.attr}()"
            for keyword in node.keywords:
                # Only a plain False is allowed for these.
                off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                if keyword.arg in FORBIDDEN_KEYWORDS and not off:
                    yield f"{keyword.arg}="


def test_data_never_becomes_code() -> None:
    found = {name: list(violations(tree)) for name, tree in trees()}
    assert len(found) > 25
    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from dill import loads",
        "eval(text)",
        "torch.load(path)",
        "np.load(path)",
        "load(path, trust_remote_code=True)",
        "load(path, trust_remote_code=value)",
        "run(command, shell=True)",
    ],
)
def test_the_search_finds_what_it_looks_for(line: str) -> None:
    assert len(list(violations(ast.parse(line)))) == 1


def test_what_is_allowed_is_not_found() -> None:
    allowed = "load(path, trust_remote_code=False)\nmodel.eval()\nimport json\njson.load(file)"
    assert list(violations(ast.parse(allowed))) == []


def holding(pattern: str, flags: int = 0) -> list[str]:
    """Text files of the repository in which a pattern is found."""
    files = texts()
    assert len(files) > 60
    return [
        str(path.relative_to(ROOT))
        for path in files
        if re.search(pattern, path.read_text(encoding="utf-8", errors="replace"), flags)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert holding("|".join(map(re.escape, HOSTS)), re.IGNORECASE) == []


def test_no_file_names_a_folder_of_one_machine_or_work_left_undone() -> None:
    assert holding("|".join(LEAVINGS)) == []
    found = [re.search("|".join(LEAVINGS), text) for text in ("see /ro" + "ot/x", "# TO" + "DO: y")]
    assert all(found)


def test_no_test_reaches_beyond_this_machine() -> None:
    # 192.0.2.0/24 is set aside for examples; no host there could answer anyway.
    with socket.socket() as stream, pytest.raises(SocketConnectBlockedError):
        stream.connect(("192.0.2.1", 80))


def test_a_test_may_serve_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname(), timeout=5) as stream:
            assert stream.getpeername() == server.getsockname()


@pytest.mark.slow
def test_the_built_packages_hold_what_is_needed(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    (source,) = tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    presets = {
        str(path.relative_to(ROOT)) for path in (ROOT / "avatar_core/config/presets").glob("*.toml")
    }
    assert "avatar_core/config/presets/paper.toml" in presets
    modules = {str(path.relative_to(ROOT)) for path in sources()}
    page = {f"avatar_core/reporting/html/assets/report.{end}" for end in ("css", "js")}
    typed = {"avatar_core/py.typed", "avatar_cli/py.typed"}
    assert presets | modules | page | typed <= names
    assert not [name for name in names if name.startswith(("tests/", "runs/"))]
    with tarfile.open(source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert modules | {"LICENSE", "CHANGELOG.md", "Makefile", "tests/test_repo.py"} <= packed
    outside = tmp_path / "outside"
    shutil.unpack_archive(wheel, outside, "zip")
    done = subprocess.run(
        [sys.executable, "-m", "avatar_cli", "train", "--stage", "all", "--dry-run", "--quiet"],
        cwd=outside,
        env={**os.environ, "PYTHONPATH": str(outside), "AVATAR_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[stage3]" in done.stdout


@pytest.mark.xdist_group("kept together")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
def test_workers_know_the_groups_of_tests(request: pytest.FixtureRequest) -> None:
    """Else what a group shares is made once by each worker, and nothing says so."""
    assert request.node.nodeid.endswith("@kept together")
