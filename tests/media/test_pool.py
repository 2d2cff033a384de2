from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, MediaTimeout
from avatar_core.media import MediaLoader, pool
from avatar_core.media.wire import Message
from avatar_core.types import Clip, MediaRef
from tests.media.clips import tone, write_clip


@pytest.fixture(autouse=True)
def faulty(monkeypatch):
    monkeypatch.setattr(pool, "WORKER_COMMAND", (sys.executable, "-m", "tests.media.faulty_worker"))


@pytest.fixture
def files(tmp_path):
    """A good clip and copies of it whose names make the worker fail."""
    good = write_clip(tmp_path / "good.mp4")
    for name in ("spin", "abort", "killed", "eats", "bug", "noisy"):
        shutil.copy(good, tmp_path / f"{name}.mp4")
    return tmp_path


def ref(folder: Path, name: str) -> MediaRef:
    return MediaRef("video", str(folder / f"{name}.mp4"))


def ask(worker: pool.Worker, folder: Path, name: str = "good") -> Message:
    """Have one worker decode a file."""
    path = str(folder / f"{name}.mp4")
    request = {"ref": {"kind": "video", "path": path}, "audio": "auto"}
    return worker.ask(request | {"config": MediaConfig().model_dump(mode="json")}, path, 30.0)


def test_a_spinning_worker_is_killed_at_its_deadline_and_the_next_request_works(files):
    with MediaLoader(MediaConfig(deadline_seconds=1.0)) as loader:
        loader.load(ref(files, "noisy"))
        began = time.monotonic()
        with pytest.raises(MediaTimeout, match=r"spin\.mp4: took longer than 1 s") as caught:
            loader.load(ref(files, "spin"))
        assert 1.0 <= time.monotonic() - began < 2.0
        assert caught.value.path.endswith("spin.mp4")
        assert isinstance(loader.load(ref(files, "good")), Clip)


def test_crashes_are_errors_of_their_file_and_siblings_go_on(files):
    faults = {
        "abort": "crash (SIGABRT)",
        "killed": "crash (SIGKILL)",
        "eats": "more memory",
        "bug": "failed inside the decoder (KeyError at faulty_worker.py:",
    }
    names = ["good", "abort", "noisy", "killed", "eats", "bug"]
    with MediaLoader(MediaConfig(workers=2)) as loader:
        outcomes = loader.load_many([ref(files, name) for name in names])
    for name, outcome in zip(names, outcomes, strict=True):
        if name in faults:
            assert isinstance(outcome, MediaError) and faults[name] in outcome.reason, outcome
            assert outcome.path == str(files / f"{name}.mp4")
            assert "secret" not in str(outcome) and "noise" not in str(outcome)
        else:
            assert isinstance(outcome, Clip) and len(outcome.frames) == 4
    assert len(outcomes) == 6


def test_a_file_is_not_blamed_for_the_fault_of_the_one_before(files):
    with MediaLoader(MediaConfig(workers=1)) as loader:
        for name in ("bug", "abort", "killed"):
            outcomes = loader.load_many([ref(files, name), ref(files, "good")])
            assert [isinstance(outcome, Clip) for outcome in outcomes] == [False, True], name
            loader._cache.clear()
    assert name == "killed"


def test_a_worker_is_renewed_after_its_share_of_requests(files, monkeypatch):
    monkeypatch.setattr(pool, "RECYCLE_AFTER", 2)
    worker = pool.Worker()
    try:
        ask(worker, files)
        first = worker.pid
        ask(worker, files)
        assert worker.pid is None
        ask(worker, files)
        assert worker.pid not in (None, first)
    finally:
        worker.stop()


def test_a_worker_does_not_grow(files):
    whole = write_clip(files / "good.mp4", sound=tone(2.0)).read_bytes()
    (files / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    worker, resident, refused = pool.Worker(), {}, 0
    try:
        for served in range(1, 251):
            try:
                ask(worker, files, "cut" if served % 5 == 0 else "good")
            except MediaError:
                refused += 1
            if served in (50, 250):
                resident[served] = _resident_kilobytes(worker.pid)
    finally:
        worker.stop()
    assert refused == 250 / 5
    # A leak of 85 kB a file, less than its sound takes, would add a fifth to its 84 MB or so.
    assert resident[250] <= 1.2 * resident[50], resident


def _resident_kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s*(\d+) kB", status)[0])


def test_a_worker_that_died_while_idle_is_replaced(files):
    worker = pool.Worker()
    try:
        ask(worker, files)
        os.kill(worker.pid, 9)
        time.sleep(0.1)
        assert ask(worker, files).header["status"] == "clip"
    finally:
        worker.stop()


def test_workers_end_with_their_parent(files):
    program = (
        "import sys, os, signal\n"
        "from avatar_core.config.media import MediaConfig\n"
        "from avatar_core.media import MediaLoader\n"
        "from avatar_core.types import MediaRef\n"
        "loader = MediaLoader(MediaConfig())\n"
        "loader.load(MediaRef('video', sys.argv[1]))\n"
        "sys.stdout.write(str(loader._pool._workers[0].pid))\n"
        "sys.stdout.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", program, str(files / "good.mp4")]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=pool.PACKAGE_ROOT)
    worker = Path(f"/proc/{int(ended.stdout)}")
    deadline = time.monotonic() + 5
    while worker.exists() and time.monotonic() < deadline:
        if "State:\tZ" in (worker / "status").read_text():
            break
        time.sleep(0.02)
    else:
        assert not worker.exists()


def test_a_worker_sees_no_keys_of_its_parent(files, monkeypatch):
    monkeypatch.setenv("JUDGE_API_KEY", "canary")
    worker = pool.Worker()
    try:
        ask(worker, files)
        assert b"canary" not in Path(f"/proc/{worker.pid}/environ").read_bytes()
    finally:
        worker.stop()


def test_a_worker_that_does_not_start_is_an_error(files, monkeypatch):
    monkeypatch.setattr(pool, "WORKER_COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    with (
        MediaLoader(MediaConfig()) as loader,
        pytest.raises(MediaError, match=r"no decoder starts \(exit status 3\)"),
    ):
        loader.load(ref(files, "good"))
