from __future__ import annotations

import textwrap

import pytest

from avatar_core.errors import ServiceError, UsageError
from avatar_core.rewards import REWARDS, custom, score
from avatar_core.rewards.custom import load_rewards
from tests.rewards.kinds import sample

SAMPLE = sample("4", "numerical")
HEAD = "from avatar_core.rewards import register\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a reward file; what it registers is forgotten after the test."""
    before = dict(REWARDS)
    monkeypatch.setattr(custom, "_loaded", {})

    def written(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
        return path

    yield written
    REWARDS.clear()
    REWARDS.update(before)


LENGTH = """
    @register("brevity")
    def brevity(texts, sample, *, limit=10):
        return [float(len(text) <= limit) for text in texts]
"""


def test_a_file_adds_its_rewards_with_their_options(write):
    path = write(LENGTH + '\n    register("none")(lambda texts, sample: [None] * len(texts))\n')
    assert load_rewards(path) == ("brevity", "none")
    weights = {"brevity": 2.0, "none": 0.0}
    assert [row.total for row in score(["short", "x" * 11], SAMPLE, weights)] == [2, 0]
    rows = score(["short"], SAMPLE, weights, {"brevity": {"limit": 3}})
    assert rows == [(0, {"brevity": 0, "none": None})]


def test_a_reward_of_a_file_gets_the_context_it_declares(write):
    path = write("""
        @register("state")
        def state(texts, sample, *, context):
            return [float(context.fresh) for _ in texts]
    """)
    load_rewards(path)
    assert score(["x"], SAMPLE, {"state": 1.0})[0].total == 1


def test_a_file_is_run_once(write, tmp_path):
    path = write(LENGTH)
    assert load_rewards(path) == ("brevity",)
    loaded = REWARDS["brevity"]
    # The same file by another spelling of its path.
    assert load_rewards(tmp_path / "x" / ".." / "mine.py") == ("brevity",)
    assert REWARDS["brevity"] is loaded


def test_files_of_one_name_are_told_apart(write, tmp_path):
    (tmp_path / "other").mkdir()
    first = write("class Mark: pass\n" + textwrap.dedent(LENGTH))
    second = write('register("other")(lambda texts, sample: [0.5])', "other/mine.py")
    assert load_rewards(first) + load_rewards(second) == ("brevity", "other")
    assert REWARDS["brevity"].__module__ != REWARDS["other"].__module__


def test_a_file_may_define_dataclasses(write):
    # Under postponed annotations a dataclass looks its module up by name.
    path = write("""
        from __future__ import annotations
        from dataclasses import dataclass

        @dataclass
        class Limit:
            length: int

        register("brevity")(lambda texts, sample: [float(len(t) <= Limit(3).length) for t in texts])
    """)
    path.write_text(
        path.read_text().replace(HEAD, "").replace("from dataclasses", HEAD + "from dataclasses")
    )
    load_rewards(path)
    assert score(["abc"], SAMPLE, {"brevity": 1.0})[0].total == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "registers no reward; mark a function with @register"),
        ('register("format")(len)', "reward 'format' is already registered; choose another name$"),
        ("1 / 0", "raised ZeroDivisionError: division by zero; mend it"),
        ("import no_such_package", "raised ModuleNotFoundError: No module named 'no_such_package'"),
        ("def broken(:", r"raised SyntaxError: .*line 2"),
        ("raise SystemExit(3)", "raised SystemExit: 3"),
        ("register('half')(len)\nraise ValueError('two\\nlines')", "raised ValueError: two lines"),
    ],
)
def test_a_file_that_cannot_serve_is_named_and_leaves_nothing_behind(write, text, message):
    before = dict(REWARDS)
    path = write(text)
    # Twice: a failed file is not remembered as loaded.
    for _ in range(2):
        with pytest.raises(UsageError, match=f"^reward file .*mine.py: {message}"):
            load_rewards(path)
        assert before == REWARDS


def test_a_path_that_is_no_python_file_is_refused(write, tmp_path):
    with pytest.raises(UsageError, match="absent.py: no such file"):
        load_rewards(tmp_path / "absent.py")
    with pytest.raises(UsageError, match="no such file"):
        load_rewards(tmp_path)
    with pytest.raises(UsageError, match="mine.txt: its name does not end in .py"):
        load_rewards(write(LENGTH, "mine.txt"))


def test_an_error_while_scoring_is_told_as_the_files_own(write):
    path = write("""
        from avatar_core.errors import ServiceError

        @register("faulty")
        def faulty(texts, sample):
            return [1.0 / len(text) for text in texts]

        @register("served")
        def served(texts, sample):
            raise ServiceError("the judge is down")
    """)
    load_rewards(path)
    with pytest.raises(
        UsageError,
        match=r"'faulty' of .*mine.py: sample 's': raised ZeroDivisionError: .*; mend it",
    ):
        score([""], SAMPLE, {"faulty": 1.0})
    # An error with an exit code of its own keeps it.
    with pytest.raises(ServiceError, match="the judge is down"):
        score([""], SAMPLE, {"served": 1.0})
