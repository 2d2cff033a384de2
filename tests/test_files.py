from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avatar_core.errors import DataError, DiskError, RunLockedError, UsageError
from avatar_core.files import (
    MAX_LINE_BYTES,
    JsonlAppender,
    contained_path,
    file_digest,
    published_directory,
    read_json,
    read_jsonl,
    run_lock,
    user_path,
    write_atomic,
    write_json,
)

BOUNDARIES = ("fsync", "replace", "rename")


def no_space(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing_at(k: int, real: Callable[..., Any]) -> tuple[Callable[..., Any], list[int]]:
    """Wrap a system call so that its k-th use (from 0) fails; the list collects the uses."""
    uses: list[int] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        uses.append(1)
        return no_space() if len(uses) == k + 1 else real(*args, **kwargs)

    return call, uses


class FullDisk:
    """Stands for an open file whose writes find no space after `room` bytes."""

    def __init__(self, file: Any, room: int = 0) -> None:
        self.file, self.room = file, room

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: Any) -> int:
        if not self.room:
            no_space()
        written = self.file.write(bytes(data)[: self.room])
        self.room -= written
        return int(written)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_write_atomic_replaces_content_and_makes_parents(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.txt"
    write_atomic(target, "old")
    write_atomic(target, b"new")
    assert target.read_bytes() == b"new"
    assert names(target.parent) == ["b.txt"]


def test_write_atomic_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "file", "x")
        with published_directory(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    # 0o666 and 0o777 without the bits of 0o027.
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o750


def test_write_atomic_survives_a_full_disk_at_every_system_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "kept"
    target.write_text("old")
    cases = 0
    for name in BOUNDARIES:
        real = getattr(os, name)
        for k in range(3):
            call, uses = failing_at(k, real)
            with monkeypatch.context() as patch:
                patch.setattr(os, name, call)
                try:
                    write_atomic(target, "new")
                except DiskError as error:
                    assert str(target) in str(error)
                    assert os.strerror(errno.ENOSPC) in str(error)
                    cases += 1
            assert names(tmp_path) == ["kept"]
            # The second fsync is the directory's, after the rename: the new content is in place.
            failed = len(uses) > k
            after_rename = name == "fsync" and k >= 1
            assert target.read_text() == ("new" if after_rename or not failed else "old")
            target.write_text("old")
    # Calls made by one write: fsync of the file, replace, fsync of the directory.
    assert cases == 3


def test_write_atomic_survives_a_full_disk_in_the_write_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "kept"
    target.write_text("old")
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: FullDisk(real(self, *a, **k)))
    with pytest.raises(DiskError, match="No space left"):
        write_atomic(target, "new")
    monkeypatch.undo()
    assert names(tmp_path) == ["kept"]
    assert target.read_text() == "old"


def test_write_atomic_removes_its_file_when_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "file", "x")
    assert names(tmp_path) == []


def test_an_unwritable_place_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="Not a directory|File exists"):
        write_atomic(tmp_path / "file" / "below", "x")


def test_json_round_trip_is_sorted_and_refuses_nan(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    write_json(path, {"b": 1, "a": [None, "é"]})
    assert path.read_text().index('"a"') < path.read_text().index('"b"')
    assert read_json(path) == {"a": [None, "é"], "b": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert read_json(path) == {"a": [None, "é"], "b": 1}


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"[" * 100_000])
def test_read_json_names_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="document.json: not valid JSON"):
        read_json(path)


def test_reading_what_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read: No such file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(DataError, match="cannot read: No such file"):
        list(read_jsonl(tmp_path / "none.jsonl"))


def test_published_directory_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "step-1"
    with published_directory(target) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "weights").write_bytes(b"w")
        assert not target.exists()
    assert (target / "sub" / "weights").read_bytes() == b"w"
    assert names(tmp_path) == ["step-1"]


def test_published_directory_leaves_nothing_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="stop"), published_directory(tmp_path / "d") as folder:
        (folder / "half").write_text("x")
        raise RuntimeError("stop")
    assert names(tmp_path) == []


def test_published_directory_survives_a_full_disk_at_every_system_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = 0
    for name in BOUNDARIES:
        real = getattr(os, name)
        for k in range(5):
            target = tmp_path / f"{name}-{k}"
            call, uses = failing_at(k, real)
            with monkeypatch.context() as patch:
                patch.setattr(os, name, call)
                try:
                    with published_directory(target) as folder:
                        (folder / "a").write_text("a")
                        (folder / "sub").mkdir()
                except DiskError:
                    cases += 1
            if len(uses) > k and not (name == "fsync" and k == 3):
                assert not target.exists()
            else:
                assert names(target) == ["a", "sub"]
    # fsync of a, sub, the temporary directory and (after the rename) its parent; one rename.
    assert cases == 5
    assert not [name for name in names(tmp_path) if name.endswith(".tmp")]


def test_published_directory_does_not_replace_one_that_holds_files(tmp_path: Path) -> None:
    target = tmp_path / "step-1"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(DiskError, match="step-1"), published_directory(target) as folder:
        (folder / "new").write_text("new")
    assert names(tmp_path) == ["step-1"]
    assert names(target) == ["old"]


def test_appended_rows_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "log" / "rows.jsonl"
    with JsonlAppender(path) as log:
        log.append({"a": 1})
        log.append({"a": "é\n"})
    with JsonlAppender(path) as log:
        log.append({"a": None})
    assert list(read_jsonl(path)) == [(1, {"a": 1}), (2, {"a": "é\n"}), (3, {"a": None})]


def test_a_torn_tail_is_dropped_by_reader_and_writer_alike(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    first, second = b'{"a":1}\n', b'{"a":22}\n'
    cases = 0
    for length in range(len(second)):
        path.write_bytes(first + second[:length])
        # Also cut where only the newline is lost: the writer cuts that row off, so no reader may
        # call it done.
        assert list(read_jsonl(path, torn_tail=True)) == [(1, {"a": 1})]
        with JsonlAppender(path) as log:
            log.append({"a": 3})
        assert path.read_bytes() == first + b'{"a":3}\n'
        cases += 1
    assert cases == 9


def test_a_torn_tail_longer_than_a_block_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a":1}\n' + b"x" * 200_000)
    JsonlAppender(path).close()
    assert path.read_bytes() == b'{"a":1}\n'
    path.write_bytes(b"x" * 200_000)
    JsonlAppender(path).close()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("room", [0, 1, 5])
def test_a_failed_append_leaves_no_part_of_its_row(tmp_path: Path, room: int) -> None:
    path = tmp_path / "rows.jsonl"
    with JsonlAppender(path) as log:
        log.append({"a": 1})
        real = log._file
        log._file = FullDisk(real, room)  # type: ignore[assignment]
        with pytest.raises(DiskError, match="No space left"):
            log.append({"a": "long enough"})
        log._file = real
        assert path.read_bytes() == b'{"a":1}\n'
        log.append({"a": 2})
    assert list(read_jsonl(path)) == [(1, {"a": 1}), (2, {"a": 2})]


def test_a_failed_flush_takes_the_row_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.jsonl"
    with JsonlAppender(path) as log:
        log.append({"a": 1})
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_space)
            with pytest.raises(DiskError):
                log.append({"a": 2})
    assert path.read_bytes() == b'{"a":1}\n'


def test_an_append_writes_the_rest_after_a_short_write(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"

    class Short(FullDisk):
        def write(self, data: Any) -> int:
            return int(self.file.write(bytes(data)[:3]))

    with JsonlAppender(path) as log:
        log._file = Short(log._file)  # type: ignore[assignment]
        log.append({"a": "0123456789"})
    assert list(read_jsonl(path)) == [(1, {"a": "0123456789"})]


def test_append_refuses_nan_and_writes_nothing(tmp_path: Path) -> None:
    with JsonlAppender(tmp_path / "rows.jsonl") as log, pytest.raises(ValueError, match="JSON"):
        log.append({"a": float("inf")})
    assert (tmp_path / "rows.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a":1}\nnope\n', ":2: not valid JSON"),
        (b"\n[1]\n", ":2: expected a JSON object, found list"),
        (b"{}\n" + b"[" * 100_000 + b"\n", ":2: not valid JSON"),
        (b'{"a":1', ":1: not valid JSON"),
        (b"x" * (MAX_LINE_BYTES + 1) + b"\n", ":1: line is longer"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_jsonl(path))


def test_empty_lines_count_but_give_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\n{"a":1}\n\n')
    assert list(read_jsonl(path)) == [(2, {"a": 1})]


def test_contained_path_accepts_what_lies_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "clip.mp4").touch()
    (root / "link").symlink_to("sub/clip.mp4")
    clip = (root / "sub" / "clip.mp4").resolve()
    accepted = ["sub/clip.mp4", "./sub/../sub/clip.mp4", "link", str(clip)]
    assert [contained_path(root, name) for name in accepted] == [clip] * 4
    assert contained_path(root, "not/yet there.mp4") == root.resolve() / "not/yet there.mp4"
    # A file whose name only looks like an address or a Windows path is a file below the root.
    assert contained_path(root, "\\\\server\\share").parent == root.resolve()


def test_contained_path_refuses_every_way_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("s")
    (tmp_path / "root-sibling").mkdir()
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to("..")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")
    payloads = [
        "../secret",
        "..",
        "a/../../secret",
        "out",
        "up/secret",
        "loop/x",
        "pipe",
        "/etc/passwd",
        "/dev/zero",
        "/proc/self/environ",
        str(tmp_path / "root-sibling"),
        str(tmp_path / "secret"),
        "../root-sibling/x",
        "a\0b",
        "\ud800",
        "file:///etc/passwd",
        "http://192.0.2.1/x.mp4",
        "concat://x",
        "x" * 5000,
        "x" * 300,
        "a/" * 2000 + "b" * 300,
    ]
    refused = 0
    for payload in payloads:
        with pytest.raises(DataError) as caught:
            contained_path(root, payload)
        assert len(str(caught.value)) < 600
        assert "\0" not in str(caught.value)
        refused += 1
    assert refused == 21


def test_file_digest_is_the_standard_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    # The published SHA-256 test vector of "abc".
    assert file_digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


HOLDER = """
import sys, time
from pathlib import Path
from avatar_core.files import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_refused_while_another_process_lives_and_free_after_its_kill(
    tmp_path: Path,
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunLockedError, match=f"process {holder.pid}"), run_lock(tmp_path):
            pass
        holder.kill()
        holder.wait(timeout=10)
        with run_lock(tmp_path):
            assert (tmp_path / ".lock").read_text() == str(os.getpid())
    finally:
        holder.kill()
        holder.communicate(timeout=10)


def test_a_lock_is_free_again_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with run_lock(tmp_path / "run"):
            pass
    assert (tmp_path / "run" / ".lock").exists()


def test_json_lines_hold_no_raw_newline(tmp_path: Path) -> None:
    with JsonlAppender(tmp_path / "rows.jsonl") as log:
        log.append({"text": "a\nb\u2028c"})
    assert (tmp_path / "rows.jsonl").read_bytes().count(b"\n") == 1
    assert json.loads((tmp_path / "rows.jsonl").read_text())["text"] == "a\nb\u2028c"


def test_a_path_that_the_system_does_not_take_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    cases = {
        "x" * 256: "File name too long",
        # Nobody has looked below a directory that is not there yet.
        f"{tmp_path}/absent/{'x' * 256}/run": "File name too long",
        # 128 characters of two bytes each are 256 bytes.
        "é" * 128: "File name too long",
        "a/" * 2100: "File name too long",
        f"{tmp_path}/loop": "symbolic links",
        "a\0b": "null byte",
        "\ud800": "surrogates",
    }
    for name, reason in cases.items():
        with pytest.raises(UsageError, match=f"^--out .*cannot be used as a path .*{reason}") as e:
            user_path(name, "--out")
        assert len(str(e.value)) < 250
    assert len(cases) == 7
    below = [tmp_path / "absent" / "below", tmp_path / "file" / "below"]
    taken = [tmp_path, *below, Path("x" * 255), Path("")]
    assert [user_path(path, "--out") for path in taken] == taken


def test_a_directory_that_cannot_be_searched_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    # Root may search anywhere, so that permissions cannot be tried out.
    monkeypatch.setattr(Path, "stat", denied)
    with pytest.raises(UsageError, match="--init .*run: cannot be used as a path .Permission den"):
        user_path(tmp_path / "run", "--init")
