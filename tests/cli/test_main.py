from __future__ import annotations

import errno
import io
import os
import resource
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from avatar_core import errors
from avatar_core.version import VERSION

COMMANDS = [(), ("train",), ("replay",), ("replay", "stats"), ("eval",), ("infer",), ("report",)]
BOUND_SECONDS = 0.3


def avatar(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "avatar_cli", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


@pytest.fixture
def fake_train(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Callable[[], None]], None]:
    """Put a function in the place of the core's `train`, in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def install(action: Callable[[], None]) -> None:
        module = types.ModuleType("avatar_core.training.run")
        module.train = lambda *_, **__: action()  # type: ignore[attr-defined]
        module.Watcher = types.SimpleNamespace  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "avatar_core.training.run", module)

    return install


def raising(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"avatar {VERSION}\n"


def test_no_command_shows_the_five(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    for command in ("train", "replay", "eval", "infer", "report"):
        assert f"  {command} " in shown


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_quick(command: tuple[str, ...]) -> None:
    # Processor time of the quickest of a few starts: other work on the machine must not count.
    costs = []
    for _ in range(5):
        before = processor_seconds()
        assert avatar(*command, "--help").returncode == 0
        costs.append(processor_seconds() - before)
        if costs[-1] < BOUND_SECONDS:
            break
    assert min(costs) < BOUND_SECONDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_no_heavy_library(command: tuple[str, ...]) -> None:
    code = (
        "import sys; from avatar_cli.__main__ import main; code = main(sys.argv[1:]);"
        "heavy = {'torch', 'transformers', 'numpy', 'pandas', 'matplotlib', 'av'};"
        "sys.exit(code or str(heavy & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip() == ""


def test_importing_the_packages_loads_no_torch() -> None:
    code = "import avatar_core, avatar_cli.app, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


MISTAKES: list[tuple[list[str], str]] = [
    (["trian"], "No such command 'trian'"),
    (["--verbose"], "No such option: --verbose"),
    (["train"], "Missing option '--stage'"),
    (["train", "--stage"], "'--stage' requires an argument"),
    (["train", "--stage", "7"], "--stage"),
    (["train", "--stage", "one"], "--stage"),
    (["train", "--stage", "1", "--stpes", "3"], "No such option: --stpes"),
    (["train", "--stage", "1", "--steps", "0"], "--steps"),
    (["train", "--stage", "1", "extra"], "extra"),
    (["train", "--stage", "1", "--preset", "papre"], "did you mean 'paper'"),
    (["train", "--stage", "1", "--set", "optim.lrr=1"], "did you mean 'optim.lr'"),
    (["train", "--stage", "1", "--set", "nonsense"], "expected key=value"),
    (["train", "--stage", "1", "--config", "/nowhere.toml"], "/nowhere.toml"),
    (["eval"], "Missing argument 'NAME...'"),
    (["eval", "scenes", "--audio", "loud"], "--audio"),
    (["eval", "scenes", "--backend", "onnx"], "--backend"),
    (["eval", "scenes", "--limit", "-1"], "--limit"),
    (["infer"], "VIDEO is missing; give a file and a question"),
    (["infer", "clip.mp4"], "clip.mp4: no such file"),
    (["infer", "clip.mp4", "what?", "--samples", "0"], "--samples"),
    (["report"], "Missing argument 'RUN...'"),
    (["report", "/nowhere"], "/nowhere: no such directory"),
    (["report", "/"], "/: not a run directory"),
    (["replay", "stats"], "Missing argument 'RUN'"),
    (["replay", "stats", "/nowhere"], "/nowhere: no such directory"),
    (["replay", "statistics"], "No such command 'statistics'"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    fake_train: Callable[[Callable[[], None]], None],
) -> None:
    fake_train(raising(AssertionError("a mistake must be found before the core is called")))
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("avatar: ")
    assert message in shown.err


def test_the_table_of_mistakes_is_long_enough() -> None:
    assert len(MISTAKES) == 26


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.DataError("x"), 2),
        (errors.MediaError("clip", "x"), 2),
        (errors.TooManyFailures("x"), 3),
        (errors.CheckpointError("x"), 4),
        (errors.DiskError("x"), 5),
        (errors.RunLockedError("x"), 6),
        (errors.NonFiniteError("x"), 7),
        (errors.OutOfMemoryError("x"), 8),
        (errors.ServiceError("x"), 9),
        (errors.Stopped(2, "x"), 130),
        (errors.Stopped(15, "x"), 143),
        (KeyboardInterrupt(), 130),
        (RuntimeError("x"), 1),
        (MemoryError("x"), 1),
        (BrokenPipeError(errno.EPIPE, "x"), 141),
    ],
)
def test_what_escapes_becomes_its_exit_code(
    error: BaseException,
    code: int,
    capsys: pytest.CaptureFixture[str],
    fake_train: Callable[[Callable[[], None]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("avatar_cli.__main__._silence", lambda stream: None)
    fake_train(raising(error))
    assert main(["train", "--stage", "1"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    assert shown.err.count("\n") == (0 if code == 141 else 1)
    assert ("this is a bug" in shown.err) == (code == 1)


def test_debug_adds_the_traceback(
    capsys: pytest.CaptureFixture[str], fake_train: Callable[[Callable[[], None]], None]
) -> None:
    fake_train(raising(RuntimeError("broken wheel")))
    assert main(["train", "--stage", "1", "--debug"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.splitlines()[-1].startswith("avatar: this is a bug")


def test_an_error_with_newlines_and_escapes_is_one_clean_line(
    capsys: pytest.CaptureFixture[str], fake_train: Callable[[Callable[[], None]], None]
) -> None:
    fake_train(raising(errors.DataError("a\x1b[31mb\nc\r\x07d")))
    assert main(["train", "--stage", "1"]) == 2
    assert capsys.readouterr().err == "avatar: a[31mb cd\n"


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m avatar_cli train --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    # The pipe may still take everything before its reader is gone.
    assert done.stdout.strip() in {"0", "141"}
    assert done.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_bug(closed: str) -> None:
    command = f"{sys.executable} -m avatar_cli --help {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_closed_stdin_asks_nothing(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    for question, message in (("", "QUESTION is missing"), ("-", "the question is empty")):
        command = f"{sys.executable} -m avatar_cli infer {tmp_path}/clip.mp4 {question} <&-"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith(f"avatar: {message}")


def test_what_is_not_utf_8_on_stdin_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    # A question in Latin-1.
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"gr\xfcn?"), encoding="utf-8"))
    assert main(["--version"]) == 0
    assert sys.stdin.read() == "gr\ufffdn?"
