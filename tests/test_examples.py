"""The programs and commands in examples/ do what their pages say."""

from __future__ import annotations

import csv
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avatar_cli.__main__ import main
from avatar_core.data.samples import read_samples
from avatar_core.data.scenes import make_scene
from avatar_core.files import read_json, read_jsonl
from avatar_core.rewards import REWARDS
from avatar_core.rewards.answer import extract_number
from avatar_core.rewards.custom import load_rewards
from tests.documents import ROOT, check_line, shell_lines
from tests.media.clips import write_clip
from tests.rewards.judging.chat_server import says, serving

EXAMPLES = ROOT / "examples"
# A step of the untrained model in a second or two.
SMALL = [
    f"--set={setting}"
    for setting in (
        "rollout.pool=4",
        "rollout.prompts_per_step=2",
        "rollout.group_size=2",
        "rollout.fresh_per_group=1",
        "sampling.max_new_tokens=6",
        "held_out.samples=2",
        "supervised.batch_size=2",
    )
]


def program(name: str) -> dict[str, Any]:
    """What a program of an example defines; its last lines, which read a command line, stay out."""
    return runpy.run_path(str(EXAMPLES / name))


def commands(name: str) -> list[list[str]]:
    """Arguments of the `avatar` lines of an example's page."""
    page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    return [words[1:] for words in shell_lines(page) if words[0] == "avatar"]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An untrained model to begin with, in a directory from which the examples are seen."""
    # Here and not above: it loads torch, which the quick tests of this file do without.
    from tests.tiny_run import tiny_run

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    (tmp_path / "examples").symlink_to(EXAMPLES)
    return tiny_run(tmp_path / "base")


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command line and return what it printed."""
    code = main(arguments)
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return shown.out


def test_every_example_has_a_page_whose_lines_are_understood() -> None:
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    pages = [EXAMPLES / name / "README.md" for name in folders]
    lines = [words for page in pages for words in shell_lines(page.read_text(encoding="utf-8"))]
    for words in lines:
        check_line(words)
    assert len(folders) >= 7
    assert sum(words[0] == "avatar" for words in lines) >= 14
    programs = [words[1] for words in lines if words[0] == "python"]
    assert len(programs) >= 4
    assert [name for name in programs if not (ROOT / name).is_file()] == []
    named = " ".join(page.read_text(encoding="utf-8") for page in pages)
    files = [path.name for path in EXAMPLES.rglob("*") if path.is_file() and "__" not in str(path)]
    assert [name for name in files if name != "README.md" and name not in named] == []


def test_the_readme_or_the_documents_lead_to_every_example() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *EXAMPLES.rglob("*.md")]
    text = " ".join(page.read_text(encoding="utf-8") for page in pages)
    folders = [path.name for path in EXAMPLES.iterdir() if path.is_dir()]
    assert len(folders) >= 7
    assert [name for name in folders if not re.search(rf"[(/]{name}[/)]", text)] == []


def test_the_reward_of_the_example_registers_and_scores() -> None:
    assert load_rewards(EXAMPLES / "own_reward" / "brevity.py") == ("brevity",)
    try:
        # 25 of 100 words leave three quarters; beyond 100 nothing is left.
        assert REWARDS["brevity"](["word " * 25, "", "word " * 300], None) == [0.75, 1.0, 0.0]
    finally:
        del REWARDS["brevity"]


def write_table(path: Path, *rows: str, encoding: str = "utf-8") -> Path:
    (path / "videos").mkdir(exist_ok=True)
    table = path / "questions.csv"
    table.write_text("\n".join(rows) + "\n", encoding=encoding)
    return table


def rows_from(table: Path, hold_out: int = 0) -> list[dict[str, Any]]:
    written = program("own_data/rows_from_csv.py")["write_rows"](table, hold_out)
    return [json.loads(line) for file in written for line in file.read_text("utf-8").splitlines()]


def test_a_table_becomes_rows(tmp_path: Path) -> None:
    table = write_table(
        tmp_path,
        "video,question,options,answer,type,stage,hint",
        'a.mp4,"Which, left or right?",left | right,B,,1,',
        "a.mp4,How many?,,2.5,,,Count twice.",
        'b.png|c.wav,"What is it?\nSay it.",,a bell,,,',
        "d.mp4,Read it.,,NO ENTRY,ocr,,",
    )
    left = {"question": "Which, left or right?", "videos": ["videos/a.mp4"]}
    assert rows_from(table) == [
        {**left, "options": ["left", "right"], "solution": "B"}
        | {"problem_type": "multiple choice", "stage": 1},
        {"question": "How many?", "videos": ["videos/a.mp4"], "solution": "2.5"}
        | {"problem_type": "numerical", "hint": "Count twice."},
        {"question": "What is it?\nSay it.", "images": ["videos/b.png"]}
        | {"audios": ["videos/c.wav"], "solution": "a bell", "problem_type": "free-form"},
        {"question": "Read it.", "videos": ["videos/d.mp4"], "solution": "NO ENTRY"}
        | {"problem_type": "ocr"},
    ]


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    """With a mark of its encoding at the start and semicolons, as spreadsheets write them."""
    rows = ("video;question;answer", "a.mp4;Combien, déjà ?;3")
    (row,) = rows_from(write_table(tmp_path, *rows, encoding="utf-8-sig"))
    assert (row["question"], row["problem_type"]) == ("Combien, déjà ?", "numerical")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["video,question,options"], "no column 'answer'; its columns are video, question"),
        (["video,question,answer,colour"], "unknown column 'colour'; known: video, question"),
        (["video,question,answer", "a.mp4,Which, left?,B"], "csv:2: more cells than columns"),
        (["video,question,answer"], "csv: the table has no rows; write one question a row"),
        ([""], "csv: the file is empty; begin with the line video,question,answer"),
        (["", "video,question,answer"], "csv: the first line is empty; begin with the line"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(
    tmp_path: Path, rows: list[str], message: str
) -> None:
    with pytest.raises(SystemExit, match=re.escape(message)):
        rows_from(write_table(tmp_path, *rows))
    assert not (tmp_path / "questions.jsonl").exists()


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("-3", -3.0),
        ("−3", -3.0),
        ("+3", 3.0),
        ("1,000", 1000.0),
        ("-1,234,567.5", -1234567.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        # A decimal comma, a list and a ratio are no number; neither is what is none at all.
        ("3,5", None),
        ("1,2,3", None),
        ("10,00", None),
        ("1/2", None),
        ("3-4", None),
        ("1_000", None),
        ("inf", None),
        ("-", None),
        (".", None),
    ],
)
def test_a_number_is_what_the_numerical_reward_reads(answer: str, number: float | None) -> None:
    kind = program("own_data/rows_from_csv.py")["type_of"]([], answer)
    assert kind == ("free-form" if number is None else "numerical")
    if number is not None:
        assert extract_number(answer) == number


def test_videos_are_left_to_train_on(tmp_path: Path) -> None:
    table = write_table(tmp_path, "video,question,answer", "a.mp4,How many?,2", "b.mp4,Who?,Ann")
    with pytest.raises(SystemExit, match="--hold-out 2: there are 2 videos; hold out fewer"):
        rows_from(table, hold_out=2)
    assert len(rows_from(table, hold_out=1)) == 2


def test_no_video_is_both_trained_on_and_measured_on(tmp_path: Path) -> None:
    entries = [f"v{number % 3}.mp4,Question {number}?,1" for number in range(6)]
    rows_from(write_table(tmp_path, "video,question,answer", *entries), hold_out=1)
    of = {
        name: [row["videos"][0] for _, row in read_jsonl(tmp_path / name)]
        for name in ("questions.jsonl", "held_out.jsonl")
    }
    assert of["held_out.jsonl"] == ["videos/v2.mp4"] * 2
    assert of["questions.jsonl"] == ["videos/v0.mp4", "videos/v1.mp4"] * 2


def spoilt(change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    row = {
        "question": "Which?",
        "videos": ["clip.mp4"],
        "options": ["red", "blue"],
        "solution": "A",
        "problem_type": "multiple choice",
    }
    return json.dumps(change(row))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (spoilt(lambda row: row | {"videos": ["clop.mp4"]}), "but 'clip.mp4' is; check the path"),
        (spoilt(lambda row: row | {"solution": "C"}), "give a letter from A to B or the text"),
        (spoilt(lambda row: row | {"question": " "}), "the question is empty; give its text"),
        (spoilt(lambda row: row | {"problem_type": "multi"}), "unknown problem_type 'multi'"),
        (spoilt(lambda row: row | {"videos": ["notes.mp4"]}), "is damaged or not a media file"),
        (spoilt(lambda row: row | {"videos": ["empty.mp4"]}), "is empty; replace the file"),
        (spoilt(lambda row: row | {"id": "first"}), "id 'first' is that of line 1 as well"),
        (spoilt(dict), "the same question, options and media as line 1; remove one of the rows"),
        (
            spoilt(lambda row: {k: v for k, v in row.items() if k != "videos"}),
            "no media; name files under videos",
        ),
    ],
)
def test_a_dry_run_names_line_and_remedy_of_what_cannot_be_used(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    row: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", frames=4)
    (tmp_path / "notes.mp4").write_text("a shopping list", encoding="utf-8")
    (tmp_path / "empty.mp4").touch()
    sound = spoilt(dict) if "first" not in row else spoilt(lambda row: row | {"id": "first"})
    (tmp_path / "rows.jsonl").write_text(f"{sound}\n{row}\n", encoding="utf-8")
    line = ["train", "--stage", "1", "--data", "rows.jsonl", "--out", "run", "--dry-run", "--quiet"]
    assert main(line) == 2
    said = capsys.readouterr().err
    assert said.startswith("avatar: rows.jsonl:2: ")
    assert message in said
    assert not (tmp_path / "run").exists()


def test_own_data_from_a_folder_of_videos_to_an_adapter(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = program("own_data/make_clips.py")["make_clips"](Path("my_data"))
    with table.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 5
    program("own_data/rows_from_csv.py")["write_rows"](table, 1)
    assert len(read_samples(Path("my_data/questions.jsonl"))) == 4
    check, train, *looks = commands("own_data")
    assert check == [*train, "--dry-run"]
    begun = [*SMALL, "--init", str(base)]
    run([*check, *begun], capsys)
    run([*train, *begun], capsys)
    assert (Path("runs/own/checkpoints/step-3") / "adapter_model.safetensors").is_file()
    assert read_json(Path("runs/own/held_out/summary.json"))["samples"] == 1
    for line in looks:
        assert run([*line, "--quiet"], capsys) != ""
    assert [line[0] for line in looks] == ["eval", "report", "infer", "replay"]
    assert read_json(Path("runs/own-score/summary.json"))["n"] == 1


def test_the_embedded_model_is_asked_in_the_words_it_was_trained_on() -> None:
    """About clips that `make_clips` makes, in the quick start and in the example of own data."""
    names = program("own_data/make_clips.py")
    clips = [f"my_data/videos/clip{number}.mp4" for number in range(1, names["CLIPS"] + 1)]
    asked = {make_scene(0, "train", index, 0).question.text for index in range(500)}
    pages = [ROOT / "docs" / "quick_start.md", EXAMPLES / "own_data" / "README.md"]
    lines = [words for page in pages for words in shell_lines(page.read_text(encoding="utf-8"))]
    asks = [words for words in lines if words[:2] == ["avatar", "infer"]]
    for words in asks:
        assert words[2] in clips
        assert words[3] in asked
    assert len(asks) >= 3


def test_the_curriculum_runs_stage_by_stage(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, *stages, report = commands("curriculum")
    run([*whole, "--dry-run", "--quiet"], capsys)
    assert [line[2] for line in stages] == ["0", "1", "2", "3"]
    for line in stages:
        begun = ["--init", str(base)] if "--init" not in line else []
        run([*line, *begun, *SMALL, "--steps", "1", "--quiet"], capsys)
    for stage in range(4):
        config = read_json(Path(f"runs/own/stage{stage}/config.json"))
        assert (config["stage"], config["checkpoint"]["keep"]) == (stage, 1)
    assert run(report, capsys) != ""


def test_a_served_model_is_asked(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, with_key, compared = commands("served_model")
    with serving(says("<think>It is.</think><answer>A</answer>")) as server:
        address = line.index("--base-url") + 1
        line[address] = server.url
        # The last of two equal options counts.
        run([*line, "--limit", "4"], capsys)
        assert len(server.requests) == 4
    summary = read_json(Path("runs/served/summary.json"))
    assert (summary["n"], summary["model"]) == (4, "Qwen/Qwen2.5-Omni-7B")
    assert "--api-key-env" in with_key
    model = compared.index("--model") + 1
    compared[model] = str(base)
    assert "baseline" in run([*compared, "--limit", "4", "--max-new-tokens", "6"], capsys)


def test_the_algorithms_from_python(capsys: pytest.CaptureFixture[str]) -> None:
    names = program("python_api/algorithms.py")
    terms, gradient = names["loss_of_a_group"]()
    # On-policy every ratio is 1, so all four completions count fully.
    assert float(terms.ess) == pytest.approx(1.0)
    # Right completions get more probable, wrong ones less; nothing behind the mask moves.
    assert (gradient[0] < 0).all()
    assert (gradient[1, :2] > 0).all()
    assert gradient[1, 2] == gradient[3, 1] == gradient[3, 2] == 0.0
    # (1 - 0.25) and (0 - 0.25) over the deviation of the rewards 1 and 0, which is sqrt(1/2).
    replayed = names["replayed_advantages"]().tolist()
    assert replayed == pytest.approx([0.75 * 2**0.5, -0.25 * 2**0.5])


def test_training_evaluation_and_inference_from_python(base: Path) -> None:
    settings = [setting.removeprefix("--set=") for setting in SMALL]
    named = (*settings, "steps=1", "held_out.samples=0", f"init={base}")
    run_result, score, answer = program("python_api/train_and_ask.py")["train_and_ask"](
        Path("run"), *named
    )
    assert run_result.checkpoint.is_dir()
    assert score.evaluations[0].summary.n == 8
    assert answer.modalities == ("text", "frames", "sound")
