from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from avatar_cli.__main__ import main
from avatar_core.config.resolve import resolve_train
from avatar_core.evaluation.tally import Interval
from avatar_core.files import write_json
from avatar_core.rewards import REWARDS
from avatar_core.training.held_out import Accuracy, HeldOut, document_of
from tests.media.clips import tone, write_clip
from tests.run_records import group_row, metrics_row, write_run

HELD_OUT = HeldOut(
    samples=200,
    before=Accuracy(0.25, Interval(0.2, 0.3125)),
    after=Accuracy(0.5, None),
    gain=0.25,
    gain_interval=Interval(-0.0625, 0.375),
)


LONG = "x" * 300


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_dry_run_prints_what_it_takes_back(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--video-reader", "av", "--audio", "off", "--set", "optim.lr=3e-7", "--full"]
    assert main(["train", "--stage", "2", "--preset", "grpo", "--dry-run", *flags]) == 0
    first = capsys.readouterr()
    assert first.err.startswith("Memory of the process, estimated, GiB")
    assert first.err.endswith("every input is sound; without --dry-run this runs in runs/stage2\n")
    assert list(elsewhere.iterdir()) == []
    (elsewhere / "mine.toml").write_text(first.out, "utf-8")
    assert main(["train", "--config", "mine.toml", "--dry-run", "--quiet"]) == 0
    second = capsys.readouterr()
    assert second.out == first.out
    assert second.err == ""
    config = resolve_train(file=elsewhere / "mine.toml")
    assert (config.stage, config.preset, config.tuning) == (2, "grpo", "full")
    assert (config.media.reader, config.media.audio, config.optim.lr) == ("av", "off", 3e-7)


def test_a_dry_run_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--stage", "1", "--dry-run", "--json", "--lora"]) == 0
    document = json.loads(capsys.readouterr().out)
    memory = document.pop("memory")
    assert memory["peak_bytes"] > 2**29
    assert document == resolve_train(stage=1, flags={"tuning": "lora"}).model_dump(mode="json")


def test_reward_files_are_given_by_a_flag(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, table in (("REWARDS", dict(REWARDS)), ("_loaded", {})):
        monkeypatch.setattr(f"avatar_core.rewards.custom.{name}", table)
    weights = ["--set", "reward.weights={ accuracy = 1.0 }"]
    for name in ("one", "two"):
        (elsewhere / f"{name}.py").write_text(
            f"from avatar_core.rewards.custom import REWARDS\nREWARDS['{name}'] = min\n", "utf-8"
        )
    files = ["--reward-file", "one.py", "--reward-file", "two.py"]
    assert main(["train", "--stage", "1", *files, *weights, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reward"]["files"] == ["one.py", "two.py"]
    (elsewhere / "bad.py").write_text("raise RuntimeError('no')\n", "utf-8")
    assert main(["train", "--stage", "1", "--reward-file", "bad.py", "--dry-run"]) == 2
    shown = capsys.readouterr().err
    assert shown == "avatar: reward file bad.py: raised RuntimeError: no; mend it\n"


def test_an_adapter_on_an_unsaved_model_is_refused(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--stage", "0", "--lora"]) == 2
    assert "needs a saved base model" in capsys.readouterr().err
    assert not any(elsewhere.iterdir())


def test_the_directory_of_a_file_is_kept_and_a_flag_wins(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / "mine.toml").write_text('stage = 1\nout = "there"\n', "utf-8")
    for flags, out in (([], "there"), (["--out", "here"], "here")):
        assert main(["train", "--config", "mine.toml", "--dry-run", "--json", *flags]) == 0
        assert json.loads(capsys.readouterr().out)["out"] == out


@pytest.mark.parametrize("dry", [["--dry-run"], []])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--init", "nowhere"], "--init nowhere: no such directory"),
        (["--data", "nothing.jsonl"], "--data nothing.jsonl: no such file"),
        (["--data", "bad.jsonl"], "bad.jsonl:1: no question"),
        (["--out", "taken"], "--out taken: is not empty and holds no run"),
        (["--out", "bad.jsonl/run"], "is no directory that can be written"),
        (["--set", "reward.weights.formt=1.0"], "did you mean 'format'?"),
        (["--set", "media.fps=0"], "media.fps"),
        (["--reward-file", "nowhere.py"], "nowhere.py: cannot read: No such file"),
        (["--reward-file", LONG], f"--reward-file {LONG[:80]}: cannot be used as a path"),
        (["--set", "reward.weights={judge=1.0}", "--data", "x"], "the scripted judge knows the"),
        (["--model", "a b"], "no directory and no hub id"),
        (["--out", LONG], f"--out {LONG[:80]}: cannot be used as a path (File name too long)"),
        (["--out", f"absent/{LONG}/run"], "cannot be used as a path (File name too long)"),
        (["--data", LONG], f"--data {LONG[:80]}: cannot be used as a path (File name too long)"),
        (["--init", LONG], f"--init {LONG[:80]}: cannot be used as a path (File name too long)"),
        (["--model", LONG], f"--model {LONG[:80]}: cannot be used as a path (File name too long)"),
        (["--config", LONG], "cannot be read (File name too long)"),
        (["--set", f"held_out.data={LONG}"], "cannot be used as a path (File name too long)"),
    ],
)
def test_a_bad_input_is_one_line_and_exit_code_2(
    elsewhere: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
    dry: list[str],
) -> None:
    (elsewhere / "bad.jsonl").write_text("{}\n", "utf-8")
    (elsewhere / "taken").mkdir()
    (elsewhere / "taken" / "notes.txt").touch()
    before = sorted(elsewhere.rglob("*"))
    assert main(["train", "--stage", "1", *arguments, *dry]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert message in shown.err
    assert sorted(elsewhere.rglob("*")) == before


@pytest.mark.parametrize("flag", ["--out", "--data", "--init", "--config", "--model"])
def test_a_directory_that_cannot_be_searched_is_exit_code_2(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    plain_stat, plain_read = Path.stat, Path.read_bytes

    def denied(plain: Any) -> Any:
        def call(path: Path, **options: Any) -> Any:
            if "locked" in path.parts:
                raise PermissionError(13, "Permission denied", str(path))
            return plain(path, **options)

        return call

    # Root may search anywhere, so that permissions cannot be tried out.
    monkeypatch.setattr(Path, "stat", denied(plain_stat))
    monkeypatch.setattr(Path, "read_bytes", denied(plain_read))
    assert main(["train", "--stage", "1", flag, "locked/inside", "--dry-run"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"avatar: {flag} locked/inside: cannot be ")
    assert "(Permission denied)" in shown
    assert shown.count("\n") == 1
    assert not any(elsewhere.iterdir())


@pytest.mark.parametrize(
    ("audio", "clip", "message"),
    [
        ("auto", "text.mp4", "is damaged or not a media file; replace it"),
        ("on", "silent.mp4", "has no sound track; use --audio auto to do without"),
    ],
)
def test_a_dry_run_opens_every_clip(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], audio: str, clip: str, message: str
) -> None:
    (elsewhere / "text.mp4").write_text("a list of things to buy", "utf-8")
    write_clip(elsewhere / "silent.mp4")
    write_clip(elsewhere / "good.mp4", sound=tone(2))
    question = {"question": "How many?", "solution": "2", "problem_type": "numerical"}
    rows = [question | {"id": name, "videos": [name]} for name in ("good.mp4", clip)]
    (elsewhere / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    before = sorted(elsewhere.rglob("*"))
    arguments = ["train", "--stage", "1", "--data", "rows.jsonl", "--audio", audio, "--dry-run"]
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    read, told, error = shown.err.splitlines()
    assert read == "read 2 rows of rows.jsonl to train on"
    assert told == "checking 2 media files"
    assert error.startswith("avatar: rows.jsonl:2: ")
    assert error.endswith(f"{clip}: {message}")
    assert sorted(elsewhere.rglob("*")) == before


def test_an_unsound_checkpoint_is_exit_code_4(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / "hollow").mkdir()
    assert main(["train", "--stage", "1", "--init", "hollow", "--dry-run"]) == 4
    assert "hollow: holds neither a model" in capsys.readouterr().err


@pytest.fixture
def trained(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """In the place of the core's `train` one that leaves a small run; gives what it was told."""
    told: dict[str, Any] = {"held_out": HELD_OUT}

    def train(config: Any, *, resume: bool, watcher: Any) -> Any:
        told.update(config=config, resume=resume)
        directory = elsewhere / "run"
        write_run(directory, [metrics_row(1)], [group_row([1.0, 0.0], [1.0, -1.0])])
        if told["held_out"] is not None:
            write_json(directory / "held_out" / "summary.json", document_of(told["held_out"]))
        return types.SimpleNamespace(directory=directory, held_out=told["held_out"], leads=True)

    module = types.ModuleType("avatar_core.training.run")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "avatar_core.training.run", module)
    return told


def test_the_end_of_a_run_shows_held_out_accuracy(
    trained: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--stage", "1", "--no-resume"]) == 0
    assert trained["resume"] is False
    shown = capsys.readouterr().out
    assert "Reward diversity" in shown
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "Accuracy on 200 held-out samples" in lines
    assert "before 25.0 % 20.0 % to 31.2 %" in lines
    assert "after 50.0 % -" in lines
    assert "gain on the same samples +25.0 -6.2 to +37.5" in lines


def test_the_same_as_json(trained: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--stage", "1", "--json"]) == 0
    assert trained["resume"] is True
    document = json.loads(capsys.readouterr().out)
    assert document["runs"][0]["steps"] == 1
    assert document["runs"][0]["held_out"] == {
        "samples": 200,
        "before": {"value": 0.25, "interval": [0.2, 0.3125]},
        "after": {"value": 0.5, "interval": None},
        "gain": 0.25,
        "gain_interval": [-0.0625, 0.375],
    }


def test_nothing_held_out_is_no_table(
    trained: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    trained["held_out"] = None
    assert main(["train", "--stage", "1"]) == 0
    assert "held-out" not in capsys.readouterr().out
    assert main(["train", "--stage", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["held_out"] is None
