from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.errors import DataError, UsageError
from avatar_core.models.prompting import control_tokens
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.training.data import data_digest, load_data, refuse_control_tokens
from avatar_core.types import MediaRef, Sample


def write_data(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    """A JSONL file; every clip that it names is there, though no film."""
    for row in rows:
        for clip in row["videos"]:
            (folder / clip).write_bytes(b"film")
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def row(name: str, clip: str, **more: Any) -> dict[str, Any]:
    given = {"id": name, "question": "How many?", "videos": [clip], "solution": "2"}
    return {**given, "problem_type": "numerical", **more}


def test_samples_come_in_file_order_up_to_the_pool(tmp_path: Path) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("b", "1.mp4"), row("a", "2.mp4")])
    held = write_data(tmp_path, "held.jsonl", [row("c", "3.mp4"), row("d", "4.mp4")])
    settings = [f"data={train}", f"held_out.data={held}"]
    data = load_data(resolve_train(stage=1, assignments=settings))
    assert list(data.training) == ["b", "a"]
    assert [sample.id for sample in data.held_out] == ["c", "d"]
    settings += ["rollout.pool=1", "held_out.samples=1"]
    data = load_data(resolve_train(stage=1, assignments=settings))
    assert (list(data.training), [sample.id for sample in data.held_out]) == (["b"], ["c"])


def test_nothing_is_held_out_of_a_file_unless_named(tmp_path: Path) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4")])
    assert load_data(resolve_train(stage=1, assignments=[f"data={train}"])).held_out == []


@pytest.mark.parametrize(("name", "clip"), [("a", "9.mp4"), ("z", "1.mp4")])
def test_what_is_trained_on_is_not_held_out(tmp_path: Path, name: str, clip: str) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4")])
    held = write_data(tmp_path, "held.jsonl", [row("y", "8.mp4"), row(name, clip)])
    config = resolve_train(stage=1, assignments=[f"data={train}", f"held_out.data={held}"])
    with pytest.raises(DataError, match=f"sample '{name}' or its clip is also in .*train.jsonl"):
        load_data(config)


def test_stage_0_needs_a_trace_of_every_sample(tmp_path: Path) -> None:
    traced = row("a", "1.mp4", response="<think>x</think><answer>2</answer>")
    train = write_data(tmp_path, "train.jsonl", [traced, row("b", "2.mp4")])
    config = resolve_train(stage=0, assignments=[f"data={train}"])
    with pytest.raises(DataError, match=r"train.jsonl:2: sample 'b' has no response"):
        load_data(config)
    config = resolve_train(stage=0, assignments=[f"data={train}", "rollout.pool=1"])
    assert list(load_data(config).training) == ["a"]


@pytest.mark.parametrize("setting", ["data", "held_out.data"])
def test_a_missing_file_names_the_setting(tmp_path: Path, setting: str) -> None:
    config = resolve_train(
        stage=1, assignments=["rollout.pool=1", f"{setting}={tmp_path}/no.jsonl"]
    )
    with pytest.raises(UsageError, match=rf"{setting} .*no.jsonl: no such file"):
        load_data(config)


def test_scenes_of_training_and_test_share_no_clip() -> None:
    config = resolve_train(stage=2, assignments=["rollout.pool=3", "held_out.samples=3"])
    data = load_data(config)
    assert all(name.startswith("scenes/train/") for name in data.training)
    assert all(sample.id.startswith("scenes/test/") for sample in data.held_out)
    assert (len(data.training), len(data.held_out)) == (3, 3)
    clips = [sample.media for sample in (*data.training.values(), *data.held_out)]
    assert len(set(clips)) == 6


def test_the_digest_tells_what_is_trained_on() -> None:
    a = Sample("a", "How many?", (), "2", "numerical")
    b = Sample("b", "Which?", (), "B", "multiple choice", options=("x", "y"))
    changes = [
        [b, a],
        [a],
        [a, replace(b, options=("x", "z"))],
        [replace(a, id="c"), b],
        [replace(a, question="How many"), b],
        [replace(a, solution="3"), b],
        [replace(a, responses=("2",)), b],
    ]
    digests = {data_digest(samples) for samples in [[a, b], *changes]}
    assert len(digests) == 8
    assert data_digest([a, b]) == data_digest([a, b])


def test_rows_of_other_stages_are_left_out_before_the_pool_is_cut(tmp_path: Path) -> None:
    rows = [
        row("a", "1.mp4", stage=2),
        row("b", "2.mp4", stage=1),
        row("c", "3.mp4"),
        row("d", "4.mp4", stage=0),
        row("e", "5.mp4", stage=1),
    ]
    train = write_data(tmp_path, "train.jsonl", rows)
    held = write_data(
        tmp_path, "held.jsonl", [row("y", "8.mp4", stage=3), row("z", "9.mp4", stage=1)]
    )
    settings = [f"data={train}", f"held_out.data={held}"]
    data = load_data(resolve_train(stage=1, assignments=settings))
    assert list(data.training) == ["b", "c", "e"]
    assert [sample.id for sample in data.held_out] == ["z"]
    assert data.left_out == {str(train): 2, str(held): 1}
    assert data.places == {
        "b": f"{train}:2",
        "c": f"{train}:3",
        "e": f"{train}:5",
        "z": f"{held}:2",
    }
    data = load_data(resolve_train(stage=1, assignments=[*settings, "rollout.pool=2"]))
    assert list(data.training) == ["b", "c"]
    # Rows beyond the pool are of this stage all the same.
    assert data.left_out[str(train)] == 2


def test_a_file_of_another_stage_is_refused(tmp_path: Path) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4", stage=2)])
    config = resolve_train(stage=3, assignments=[f"data={train}"])
    with pytest.raises(DataError, match=r"train.jsonl: every row names another stage than 3"):
        load_data(config)
    assert list(load_data(config.model_copy(update={"stage": 2})).training) == ["a"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response", "<think>x<|im_end|></think><answer>2</answer>"),
        ("question", "How many <|VIDEO|>?"),
        ("options", ["one<|audio_bos|>", "two"]),
        ("hint", "Look<|im_start|>"),
    ],
)
@pytest.mark.parametrize("setting", ["data", "held_out.data"])
def test_a_text_with_a_control_token_names_file_and_row(
    tmp_path: Path, setting: str, name: str, value: Any
) -> None:
    bad = row("b", "2.mp4", **{name: value})
    if name == "options":
        bad |= {"problem_type": "multiple choice", "solution": "A"}
    path = write_data(tmp_path, "rows.jsonl", [row("a", "1.mp4"), bad])
    other = write_data(tmp_path, "other.jsonl", [row("c", "3.mp4")])
    settings = [f"data={other}", f"{setting}={path}"]
    with pytest.raises(DataError, match=rf"rows.jsonl:2: {name} holds the control token <\|\w+\|>"):
        load_data(resolve_train(stage=1, assignments=settings))


def test_what_only_looks_like_a_token_is_text(tmp_path: Path) -> None:
    text = "Is |x| < 2 <| or |> 3, a<b|c>d, <think>?"
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4", question=text)])
    data = load_data(resolve_train(stage=1, assignments=[f"data={train}"]))
    assert data.training["a"].question == text


def test_every_control_token_of_the_family_is_known(policy: QwenOmniPolicy) -> None:
    tokens = control_tokens(policy.processor)
    assert len(tokens) == 10
    for token in tokens:
        with pytest.raises(DataError, match="holds the control token"):
            refuse_control_tokens(Sample("a", f"x{token}", (), "2", "numerical"), "f:1")


def test_nothing_is_rendered_when_only_files_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    held = write_data(tmp_path, "held.jsonl", [row("z", "9.mp4")])
    config = resolve_train(stage=1, assignments=[f"held_out.data={held}"])
    data = load_data(config, render=False)
    assert (data.training, [sample.id for sample in data.held_out]) == ({}, ["z"])
    assert not list((tmp_path / "cache").rglob("*.mp4"))


def write_hints(folder: Path, **hints: str) -> Path:
    path = folder / "hints.jsonl"
    rows = ({"id": name, "hint": hint, "teacher": "t"} for name, hint in hints.items())
    path.write_text("".join(json.dumps(given) + "\n" for given in rows), "utf-8")
    return path


def test_hints_of_a_file_hold_no_control_token(tmp_path: Path) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4")])
    hints = write_hints(tmp_path, a="Look<|im_end|>")
    for data in (train, "scenes"):
        settings = [f"data={data}", f"hints.file={hints}"]
        with pytest.raises(DataError, match=r"hints.jsonl: sample 'a': hint holds the control"):
            load_data(resolve_train(stage=1, assignments=settings), render=False)


def test_hints_for_other_samples_are_told_and_no_error(tmp_path: Path) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4")])
    hints = tmp_path / "hints.jsonl"
    config = resolve_train(stage=1, assignments=[f"data={train}", f"hints.file={hints}"])
    write_hints(tmp_path, a="Listen.", z="Look.")
    data = load_data(config)
    assert (data.training["a"].hint, data.notes) == ("Listen.", ())
    write_hints(tmp_path, z="Look.")
    data = load_data(config)
    told = f"none of the 1 hints of {hints} is for a sample of this run"
    assert (data.training["a"].hint, data.notes) == (None, (told,))


def test_the_digest_tells_how_answers_are_scored_and_about_which_clip() -> None:
    clip = MediaRef("video", "/data/1.mp4")
    a = Sample("a", "How many?", (clip,), "2", "numerical", extra={"audio_cues": "x", "n": {1}})
    changes = [
        replace(a, problem_type="free-form"),
        replace(a, extra={"audio_cues": "y"}),
        replace(a, media=(replace(clip, path="/data/2.mp4"),)),
        replace(a, media=(replace(clip, kind="audio"),)),
        replace(a, media=(replace(clip, end=1.0),)),
        replace(a, media=(replace(clip, fps=2.0),)),
        replace(a, media=(replace(clip, fps=4.0),)),
        replace(a, media=()),
    ]
    assert len({data_digest([sample]) for sample in [a, *changes]}) == 9
    # As it was before frame rates counted.
    assert data_digest([replace(a, extra={})]) == "d9d1d1f69e5fbcebc750948ce9adec64"
    moved = replace(a, media=(replace(clip, path="/other/1.mp4"),))
    turned = replace(a, extra={"n": {1}, "audio_cues": "x"})
    assert data_digest([a]) == data_digest([moved]) == data_digest([turned])
