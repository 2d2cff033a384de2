from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from avatar_core.errors import DiskError
from avatar_core.rewards.judging.cache import ReplyCache

WRITER = """
import sys
from pathlib import Path
from avatar_core.rewards.judging.cache import ReplyCache
cache = ReplyCache(Path(sys.argv[1]))
for index in range(100):
    cache.put({f"{sys.argv[2]}{index}": "own", f"shared{index}": sys.argv[2]})
"""


def test_replies_survive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "below" / "judge.sqlite"
    ReplyCache(path).put({"a": "one", "b": "two — “½”"})
    assert ReplyCache(path).get({"a", "b", "c"}) == {"a": "one", "b": "two — “½”"}


def test_a_reply_is_not_replaced(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "judge.sqlite")
    cache.put({"a": "first"})
    cache.put({"a": "second"})
    assert cache.get({"a"}) == {"a": "first"}


def test_the_oldest_leave_first(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "judge.sqlite", entries=3)
    for index in range(5):
        cache.put({str(index): "reply"})
    assert sorted(cache.get({str(index) for index in range(5)})) == ["2", "3", "4"]


def test_many_keys_are_found(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "judge.sqlite")
    replies = {str(index): f"reply {index}" for index in range(1700)}
    cache.put(replies)
    assert cache.get(replies.keys()) == replies


def test_two_processes_may_write_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "judge.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("x", "y")
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    own = ReplyCache(path).get({f"{name}{index}" for name in "xy" for index in range(100)})
    shared = ReplyCache(path).get({f"shared{index}" for index in range(100)})
    assert len(own) == 200
    assert len(shared) == 100


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "judge.sqlite"
    path.write_text("not a database, but long enough to be looked at" * 50)
    with pytest.raises(DiskError, match=r"judge\.sqlite.*remove the file"):
        ReplyCache(path)


def test_nothing_is_made_before_the_first_reply(tmp_path: Path) -> None:
    path = tmp_path / "run" / "judge.sqlite"
    cache = ReplyCache(path)
    assert cache.get({"a"}) == {}
    cache.put({})
    assert list(tmp_path.iterdir()) == []
    cache.put({"a": "one"})
    assert cache.get({"a"}) == {"a": "one"}


def test_a_file_without_its_table_is_taken_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "judge.sqlite"
    path.touch()
    assert ReplyCache(path).get({"a"}) == {}
