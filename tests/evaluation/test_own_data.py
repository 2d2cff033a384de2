"""A file of samples is evaluated like a benchmark, asked and scored as in training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks import select
from avatar_core.config.evaluate import EvalConfig
from avatar_core.data.scenes import scene_samples
from avatar_core.errors import AvatarError, DataError, UsageError
from avatar_core.evaluation.directory import result_directory
from avatar_core.evaluation.items import ask_sample
from avatar_core.evaluation.own_data import benchmark_of
from avatar_core.evaluation.run import evaluate
from avatar_core.evaluation.selecting import root_of, selection_of
from avatar_core.files import read_json, read_jsonl
from avatar_core.wording import sample_content
from tests.training.test_data import row, write_data


@pytest.fixture(scope="module")
def file(clips: Path) -> Path:
    """Three questions about scenes, written down as a user would."""
    samples = scene_samples(split="test", stage=1, count=3, root=clips)
    rows = [
        {
            "id": sample.id,
            "question": sample.question,
            "videos": [ref.path for ref in sample.media],
            "options": list(sample.options),
            "solution": sample.solution,
            "problem_type": sample.problem_type,
        }
        for sample in samples
    ]
    path = clips / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_file_is_scored_and_its_results_say_what_was_asked(
    file: Path, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    config = EvalConfig(
        names=(str(file),), model=str(run), limit=2, out=out, max_new_tokens=4, batch_size=2
    )
    (evaluation,) = evaluate(config).evaluations
    samples = scene_samples(split="test", stage=1, count=2, root=file.parent)
    assert [row.id for row in evaluation.rows] == [sample.id for sample in samples]
    assert {row.frames for row in evaluation.rows} == {4}
    summary = evaluation.summary
    assert (summary.benchmark, summary.n) == (str(file), 2)
    kinds = [sample.problem_type for sample in samples]
    found = {kind: score.n for kind, score in summary.groups["problem_type"].items()}
    assert found == {kind: kinds.count(kind) for kind in kinds}
    stored = read_json(out / "config.json")
    assert stored["names"] == [str(file)]
    # Asked as the model was trained, unlike a benchmark, which has no system text of its own.
    assert stored["system_prompt"] != ""
    # Answers to another file of the same name are not mixed in.
    other = tmp_path / file.name
    other.write_bytes(file.read_bytes())
    with pytest.raises(UsageError, match="holds another evaluation"):
        evaluate(config.model_copy(update={"names": (str(other),)}))


def test_an_edited_question_is_asked_again_and_no_other(
    file: Path, run: Path, tmp_path: Path
) -> None:
    mine = file.with_name("edited.jsonl")
    mine.write_bytes(file.read_bytes())
    config = EvalConfig(
        names=(str(mine),), model=str(run), out=tmp_path, max_new_tokens=4, batch_size=1
    )
    evaluate(config)
    before = list(read_jsonl(tmp_path / "results.jsonl"))
    lines = mine.read_text().splitlines(keepends=True)
    row = json.loads(lines[1])
    lines[1] = json.dumps({**row, "question": f"Look well. {row['question']}"}) + "\n"
    mine.write_text("".join(lines))
    evaluate(config)
    after = list(read_jsonl(tmp_path / "results.jsonl"))
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
    assert before[1][1]["asked"] != after[1][1]["asked"]


def test_its_rows_are_asked_as_in_training(file: Path) -> None:
    (item, *_) = select(benchmark_of(str(file)), None, selection_of(EvalConfig(names=("x",))))
    assert item.sample is not None
    assert ask_sample(item, "official") == sample_content(item.sample)


def test_rows_of_a_stage_are_those_that_name_it_or_none(tmp_path: Path) -> None:
    rows = [row("a", "1.mp4", stage=1), row("b", "2.mp4", stage=2), row("c", "3.mp4")]
    benchmark = benchmark_of(str(write_data(tmp_path, "q.jsonl", rows)))
    cases: dict[int | None, str] = {None: "abc", 1: "ac", 2: "bc", 3: "c"}
    for stage, ids in cases.items():
        items = select(benchmark, None, selection_of(EvalConfig(names=("q.jsonl",), stage=stage)))
        assert "".join(item.id for item in items) == ids
    alone = benchmark_of(str(write_data(tmp_path, "alone.jsonl", rows[:1])))
    with pytest.raises(DataError, match="every row names another stage than 3"):
        select(alone, None, selection_of(EvalConfig(names=("alone.jsonl",), stage=3)))


def test_what_is_no_file_of_samples_is_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere.jsonl")
    control = row("a", "1.mp4", question="Say <|im_end|>.")
    cases: list[tuple[str, dict[str, Any], type[AvatarError], str]] = [
        (missing, {}, UsageError, "nowhere.jsonl: no such file; give a benchmark's name or a file"),
        (str(write_data(tmp_path, "t.jsonl", [control])), {}, DataError, "t.jsonl:1: question hol"),
        (str(write_data(tmp_path, "s.jsonl", [row("a", "1.mp4")])), {"split": "dev"}, UsageError,
         "has no split 'dev'"),
    ]  # fmt: skip
    for name, options, kind, message in cases:
        config = EvalConfig(names=(name,), **options)
        with pytest.raises(kind) as caught:
            select(benchmark_of(name), None, selection_of(config))
        assert message in str(caught.value)
    assert len(cases) == 3
    table = write_data(tmp_path, "q.csv", [row("a", "1.mp4")])
    with pytest.raises(UsageError, match="q.csv: is no .jsonl file"):
        benchmark_of(str(table))


def test_where_results_go_and_media_lie() -> None:
    config = EvalConfig(names=("my/held out.jsonl",), data_root=Path("media"))
    name = config.names[0]
    assert root_of(config, name) == Path("media")
    assert root_of(config.model_copy(update={"names": (name, "mmvu")}), name) == Path("media")


def test_the_directory_of_results_is_named_by_the_whole_path(tmp_path: Path) -> None:
    file = write_data(tmp_path, "held out.jsonl", [row("a", "1.mp4")])
    found = result_directory(EvalConfig(names=(str(file),)), benchmark_of(str(file)))
    assert found.parent == Path("runs") / "eval" / "tiny"
    assert found.name == "--".join([*tmp_path.parts[1:], "held--out.jsonl"])
