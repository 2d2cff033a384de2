from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import RunLockedError, Stopped, TooManyFailures, UsageError
from avatar_core.evaluation.run import EvalResult, evaluate, measure
from avatar_core.evaluation_records import EVAL_PHASES, EvalTiming
from avatar_core.files import read_json, read_jsonl, run_lock
from avatar_core.records import read_record
from tests.tiny_run import MAX_NEW_TOKENS, SYSTEM_PROMPT, tiny_run

ITEMS = 9
BATCH = 4
Configure = Callable[..., EvalConfig]


@pytest.fixture
def configure(run: Path, clips: Path, tmp_path: Path) -> Configure:
    def build(**changes: Any) -> EvalConfig:
        values: dict[str, Any] = {
            "names": ("scenes",),
            "model": str(run),
            "data_root": clips,
            "limit": ITEMS,
            "batch_size": BATCH,
            "out": tmp_path / "out",
        }
        return EvalConfig(**{**values, **changes})

    return build


@pytest.fixture(scope="module")
def whole(
    run: Path, clips: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, EvalResult]:
    """An evaluation that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "out"
    config = EvalConfig(
        names=("scenes",),
        model=str(run),
        data_root=clips,
        limit=ITEMS,
        batch_size=BATCH,
        out=out,
    )
    return out, evaluate(config)


def content(directory: Path) -> tuple[bytes, bytes]:
    """Results without the time they took, and the summary to the byte."""
    rows = [
        {**row, "seconds": None, "phases": None}
        for _, row in read_jsonl(directory / "results.jsonl")
    ]
    return json.dumps(rows).encode(), (directory / "summary.json").read_bytes()


class Earlier(datetime):
    """A clock of another time."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Earlier:
        return cls(1999, 1, 1, tzinfo=tz)


def stop_after(items: int, number: int) -> Callable[[str, int, int], None]:
    """Send this process a signal when so many items are done."""

    def tell(_phrase: str, done: int, _total: int) -> None:
        if done == items:
            os.kill(os.getpid(), number)

    return tell


def check_timing(timing: EvalTiming | None, rows: list[dict[str, Any]]) -> None:
    """The file adds up what the rows say, and every phase took a while."""
    assert timing is not None
    assert timing.items == ITEMS
    assert timing.phases.keys() == set(EVAL_PHASES)
    for name, seconds in timing.phases.items():
        assert seconds == pytest.approx(sum(row["phases"][name] for row in rows))
        assert seconds > 0.0
    assert sum(timing.phases.values()) <= timing.seconds
    assert timing.seconds == pytest.approx(sum(row["seconds"] for row in rows))
    assert timing.items_per_second == pytest.approx(ITEMS / timing.seconds)
    assert timing.tokens_prompt == sum(row["tokens_prompt"] for row in rows) > 50 * ITEMS
    assert timing.tokens_generated == sum(row["tokens_generated"] for row in rows)
    # An answer has at least its end, and at most what is allowed.
    assert ITEMS <= timing.tokens_generated <= ITEMS * MAX_NEW_TOKENS


def test_files_and_result_agree(whole: tuple[Path, EvalResult], run: Path) -> None:
    out, result = whole
    (evaluation,) = result.evaluations
    rows = [row for _, row in read_jsonl(out / "results.jsonl")]
    assert [row["id"] for row in rows] == [row.id for row in evaluation.rows]
    assert rows == [row.to_row() for row in evaluation.rows]
    assert read_json(out / "summary.json") == evaluation.summary.to_row()
    summary = evaluation.summary
    assert (summary.benchmark, summary.model, summary.n) == ("scenes", str(run), ITEMS)
    assert sum(summary.status.values()) == ITEMS
    assert {name: score.n for name, score in summary.groups["stage"].items()} == dict.fromkeys(
        "123", 3
    )
    assert {row["frames"] for row in rows} == {4}
    assert {tuple(row["modalities"]) for row in rows} == {("text", "frames", "sound")}
    check_timing(evaluation.timing, rows)
    manifest = read_json(out / "manifest.json")
    assert manifest["created"] != ""
    assert summary.manifest.to_row() == {**manifest, "created": "", "command": []}


def test_the_model_is_asked_as_it_was_trained(whole: tuple[Path, EvalResult]) -> None:
    stored = read_json(whole[0] / "config.json")
    assert stored["system_prompt"] == SYSTEM_PROMPT
    assert stored["max_new_tokens"] == MAX_NEW_TOKENS
    assert stored["media"]["max_frames"] == 4
    assert stored["audio"] == "auto"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interrupted_evaluation_ends_as_a_whole_one(
    configure: Configure,
    whole: tuple[Path, EvalResult],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    code: int,
) -> None:
    config = configure()
    out = config.out
    assert out is not None
    # Another command at another time: the summary must not tell.
    monkeypatch.setattr("sys.argv", ["avatar", "eval", "--out", str(out)])
    monkeypatch.setattr("avatar_core.provenance.datetime", Earlier)
    with pytest.raises(Stopped, match=f"{BATCH} of {ITEMS} items") as caught:
        evaluate(config, progress=stop_after(BATCH, number))
    assert caught.value.exit_code == code
    kept = (out / "results.jsonl").read_bytes()
    assert kept.count(b"\n") == BATCH
    assert not (out / "summary.json").exists()
    begun = (out / "manifest.json").read_bytes()
    assert b"1999-01-01" in begun
    monkeypatch.undo()
    # A kill may tear the row that was being written and lose part of a batch.
    lines = kept.splitlines(keepends=True)
    (out / "results.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:40])
    evaluate(config)
    # In the order of the items now, and the rows that were whole not answered again.
    assert set(lines[:3]) < set((out / "results.jsonl").read_bytes().splitlines(keepends=True))
    assert content(out) == content(whole[0])
    # What the first call answered counts with the time it took there.
    timing = read_record(EvalTiming, read_json(out / "timing.json"), "timing.json")
    check_timing(timing, [row for _, row in read_jsonl(out / "results.jsonl")])
    assert (out / "manifest.json").read_bytes() == begun


def test_a_chosen_batch_size_is_kept_for_the_resume(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(batch_size=None)
    assert config.out is not None
    sizes = iter((2, 5))
    monkeypatch.setattr(
        "avatar_core.evaluation.backend.fitting_batch", lambda *_, **__: next(sizes)
    )
    with pytest.raises(Stopped, match=f"4 of {ITEMS} items"):
        evaluate(config, progress=stop_after(4, signal.SIGTERM))
    assert read_json(config.out / "config.json")["batch_size"] == 2
    with pytest.raises(Stopped, match=f"6 of {ITEMS} items"):
        evaluate(config, progress=stop_after(6, signal.SIGTERM))
    with pytest.raises(Stopped, match=f"5 of {ITEMS} items"):
        evaluate(configure(batch_size=None, resume=False), progress=stop_after(5, signal.SIGTERM))


def test_a_finished_evaluation_is_not_answered_again(
    configure: Configure, whole: tuple[Path, EvalResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = configure().out
    assert out is not None
    shutil.copytree(whole[0], out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    monkeypatch.setattr("avatar_core.evaluation.answering.reply", None)
    evaluate(configure())
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] in ([], [".lock"])


def test_a_failed_item_is_counted_then_tried_again(
    configure: Configure, whole: tuple[Path, EvalResult], tmp_path: Path
) -> None:
    root = tmp_path / "scenes"
    shutil.copytree(Path(next(iter(whole[1].evaluations[0].clusters.values()))).parents[1], root)
    damaged = root / "clips" / Path(whole[1].evaluations[0].clusters["scenes/test/0/2/1"]).name
    damaged.write_bytes(b"not a film")
    config = configure(data_root=root)
    with pytest.raises(TooManyFailures, match="1 error, 0 missing_media of 9 items") as caught:
        evaluate(config)
    assert caught.value.exit_code == 3
    (evaluation,) = measure(configure(data_root=root, resume=False)).evaluations
    assert evaluation.summary.status["error"] == 1
    assert evaluation.summary.n == ITEMS
    failed = [row for row in evaluation.rows if row.status == "error"]
    assert [(row.id, row.correct, row.text) for row in failed] == [
        ("scenes/test/0/2/1", False, None)
    ]
    assert evaluate(configure(data_root=root, allow_missing=True)).evaluations[0].summary.n == ITEMS
    damaged.unlink()  # the library renders it again
    evaluate(config)
    assert config.out is not None
    assert content(config.out) == content(whole[0])


OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"limit": 12}, "limit: 9 -> 12"),
    ({"stage": 2}, "stage: None -> 2"),
    ({"sample_seed": 3}, "sample_seed: None -> 3"),
    ({"blank": ("frames",)}, "blank: "),
    ({"audio": "off"}, "audio: auto -> off"),
    ({"max_new_tokens": 9}, f"max_new_tokens: {MAX_NEW_TOKENS} -> 9"),
    ({"system_prompt": ""}, "system_prompt: "),
    ({"model": "tiny"}, "model: "),
]


def test_a_directory_of_another_evaluation_is_refused(
    configure: Configure, whole: tuple[Path, EvalResult]
) -> None:
    before = content(whole[0])
    for changes, message in OTHERS:
        for resume in (True, False):
            with pytest.raises(UsageError, match="holds another evaluation") as caught:
                evaluate(configure(out=whole[0], resume=resume, **changes))
            assert message in str(caught.value)
    assert len(OTHERS) == 8
    assert content(whole[0]) == before


def test_answers_of_other_weights_are_refused_or_replaced(
    configure: Configure, tmp_path: Path
) -> None:
    model = tiny_run(tmp_path / "model")
    config = configure(model=str(model), limit=2)
    first = evaluate(config).evaluations[0]
    shutil.rmtree(model)
    tiny_run(model, seed=1)
    with pytest.raises(UsageError, match="other weights"):
        evaluate(config)
    second = evaluate(configure(model=str(model), limit=2, resume=False)).evaluations[0]
    prints = [one.summary.manifest.model_fingerprint for one in (first, second)]
    assert len(set(prints)) == 2
    assert [row.text for row in first.rows] != [row.text for row in second.rows]


def test_bad_input_writes_nothing(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "film").write_text("x")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"names": ("scene",)}, "did you mean 'scenes'"),
        ({"names": ("scenes", "scenes")}, "named twice"),
        ({"model": str(tmp_path)}, "holds no config.json"),
        ({"model": str(tmp_path / "nowhere" / "model")}, "no such run or model"),
        ({"split": "tset"}, "no split 'tset'"),
        ({"out": tmp_path}, "is not empty and holds no evaluation"),
        ({"out": tmp_path / "film"}, "no directory that can be written"),
        ({"out": tmp_path / "film" / "out"}, "no directory that can be written"),
    ]
    for changes, message in cases:
        with pytest.raises(UsageError) as caught:
            evaluate(configure(**changes))
        assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["film"]
    assert len(cases) == 8


def test_a_run_directory_is_no_result_directory(configure: Configure, run: Path) -> None:
    with pytest.raises(UsageError, match="not the configuration of an evaluation"):
        evaluate(configure(out=run))


def test_a_directory_in_use_is_refused(configure: Configure) -> None:
    config = configure(limit=1)
    assert config.out is not None
    with run_lock(config.out), pytest.raises(RunLockedError, match="in use"):
        evaluate(config)


def test_blanked_modalities_change_what_the_model_reads(
    configure: Configure, whole: tuple[Path, EvalResult], tmp_path: Path
) -> None:
    seen = [row.text for row in whole[1].evaluations[0].rows]
    for modality in ("frames", "sound"):
        config = configure(blank=(modality,), out=tmp_path / modality)
        (evaluation,) = evaluate(config).evaluations
        assert [row.id for row in evaluation.rows] == [
            row.id for row in whole[1].evaluations[0].rows
        ]
        assert [row.text for row in evaluation.rows] != seen


def test_comparison_with_a_baseline(
    configure: Configure, whole: tuple[Path, EvalResult], tmp_path: Path
) -> None:
    result = evaluate(configure(blank=("frames",)), baseline=whole[0])
    before, after = whole[1].evaluations[0].summary, result.evaluations[0].summary
    assert whole[1].gain is None
    assert result.gain is not None
    assert (result.gain.before, result.gain.after) == (before.accuracy, after.accuracy)
    # Compared with what the directory held before it was answered anew.
    out = Path(shutil.copytree(whole[0], tmp_path / "copy"))
    again = evaluate(configure(out=out, resume=False), baseline=out)
    assert again.gain is not None
    assert (again.gain.gain, again.gain.interval) == (0.0, None)
    assert result.gain.changes == ("blank: [] -> ['frames']",)
    assert again.gain.changes == ()


def test_a_wrong_baseline_is_refused_before_the_model_loads(
    configure: Configure,
    whole: tuple[Path, EvalResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("avatar_core.evaluation.backend.load_policy", None)
    (tmp_path / "empty").mkdir()
    cases: list[tuple[Path, dict[str, Any], str]] = [
        (tmp_path / "gone", {}, "no such directory"),
        (tmp_path / "empty", {}, "holds no results.jsonl"),
        (whole[0], {"limit": 2}, "of its 9 it shares 2 with these 2"),
        (whole[0], {"stage": 1}, "of its 9 it shares 3 with these 9"),
        (whole[0], {"sample_seed": 7}, "of its 9 it shares 0 with these 9"),
    ]
    for baseline, changes, message in cases:
        with pytest.raises(UsageError) as caught:
            evaluate(configure(**changes), baseline=baseline)
        assert message in str(caught.value)
    assert len(cases) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
