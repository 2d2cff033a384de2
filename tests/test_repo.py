"""What holds for the whole repository: layers, sizes, docstrings, what must never appear."""

from __future__ import annotations

import ast
import re
import socket
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
MAX_BODY_LINES = 60
MAX_COMMAND_LINES = 120
COMMANDS = ("train", "replay", "eval", "infer", "report")

# Written in parts, so that this file passes its own search.
HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "proxy.golang" + ".org",
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


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sources():
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def functions() -> Iterator[Function]:
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(f"{name}:{node.lineno} {node.name}", node)


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
    commands = {name: sizes[f"avatar_cli/{name}.py"] for name in COMMANDS}
    assert {name: size for name, size in commands.items() if size > MAX_COMMAND_LINES} == {}


def test_functions_are_short() -> None:
    bodies = {function.where: body_lines(function.node) for function in functions()}
    assert len(bodies) > 100
    assert {where: size for where, size in bodies.items() if size > MAX_BODY_LINES} == {}


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


def test_no_file_names_a_package_registry() -> None:
    files = texts()
    assert len(files) > 60
    pattern = re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE)
    found = [
        str(path.relative_to(ROOT))
        for path in files
        if pattern.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


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
    assert presets | modules | {"avatar_core/py.typed", "avatar_cli/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests/", "runs/"))]
    with tarfile.open(source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert modules | {"LICENSE", "CHANGELOG.md", "Makefile", "tests/test_repo.py"} <= packed
