"""Faults of the scripts that AVATAR's authors published, numbered as the project numbers them.

Each test shows that the fault cannot occur here: first those of reading replies and loading
annotations, then those of a whole evaluation, with the tiny model.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from avatar_cli.__main__ import main
from avatar_core.asking import Asker, Seen
from avatar_core.benchmarks import available
from avatar_core.benchmarks.av_odyssey import AV_ODYSSEY
from avatar_core.benchmarks.cg_av_counting import CG_AV_COUNTING
from avatar_core.benchmarks.daily_omni import DAILY_OMNI
from avatar_core.benchmarks.intentbench import INTENTBENCH
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lvbench import LVBENCH
from avatar_core.benchmarks.mmvu import MMVU
from avatar_core.benchmarks.omnibench import OMNIBENCH
from avatar_core.benchmarks.registry import Benchmark, Selection, select
from avatar_core.benchmarks.tomato import TOMATO
from avatar_core.benchmarks.video_holmes import VIDEO_HOLMES
from avatar_core.benchmarks.video_mme import VIDEO_MME
from avatar_core.benchmarks.worldsense import WORLDSENSE
from avatar_core.choices import LETTERS
from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.media import MediaConfig
from avatar_core.config.resolve import resolve_train
from avatar_core.errors import DataError, OutOfMemoryError, Stopped, TooManyFailures
from avatar_core.evaluation.answering import LocalModel, Reply
from avatar_core.evaluation.jobs import resolved
from avatar_core.evaluation.run import evaluate, measure
from avatar_core.evaluation.scoring import gold_of, score_item
from avatar_core.evaluation.served import MAX_NEW_TOKENS
from avatar_core.evaluation.tasks import Task, task_of
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import write_json
from avatar_core.manifest import write_manifest
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.run_settings import run_settings
from avatar_core.types import AudioMode, Content, MediaRef
from tests.benchmarks.kit import (
    av_odyssey,
    cg_av_counting,
    daily_omni,
    intentbench,
    lvbench,
    media,
    mmvu,
    omnibench,
    tomato,
    video_holmes,
    video_mme,
    worldsense,
)

# The words of the system and user turns that the authors' searches fell upon.
PROMPT = "system You are a helpful assistant. user A man asks: <answer>A</answer> or E? assistant"
NUMBERED = [
    (LVBENCH, lvbench),
    (MMVU, mmvu),
    (TOMATO, tomato),
    (VIDEO_MME, video_mme),
    (AV_ODYSSEY, av_odyssey),
]
"""Those whose scripts number items without an id by their place in a list."""


def choice(options: int = 4, gold: str = "B") -> Item:
    texts = tuple(f"thing {number}" for number in range(options))
    return Item("1", "b", "", (), PROMPT, texts, gold, "mc")


def letter(text: str, options: int = 4) -> str | None:
    """The letter of the option that a reply is taken to state."""
    stated = score_item(choice(options), text, truncated=False).prediction
    return None if stated is None else LETTERS[int(stated.removeprefix("thing "))]


def loaded(
    benchmark: Benchmark, kit: ModuleType, root: Path, layout: str, *, reverse: bool = False
) -> list[Item]:
    root.mkdir()
    kit.write(root, layout, reverse=reverse)
    return select(benchmark, root, Selection())


def test_b02_the_last_answer_tag_of_the_reply_counts_and_the_prompt_is_not_searched() -> None:
    assert letter("<answer>A</answer> no, <answer>C</answer>") == "C"
    assert letter("Answer in <answer>A</answer> tags: <answer>D</answer>") == "D"
    # The question holds a pair of tags, the reply holds none.
    assert letter("I cannot say.") is None


def test_b03_a_reply_without_a_letter_is_no_answer() -> None:
    replies = ["i cannot tell", "it is a dog", "the end", "", "...", "answer", "a man", "我不知道"]
    found = {
        (text, count): letter(text, count) for text in replies for count in (2, 3, 4, 5, 6, 7, 14)
    }
    assert len(found) == 56
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("B. A man", "B"),
        ("The answer is B because I saw it", "B"),
        ("(B) The X-ray", "B"),
        ("C: I think A man is there", "C"),
        ("The answer is D. A is wrong.", "D"),
    ],
)
def test_b04_articles_pronouns_and_later_words_do_not_win(text: str, stated: str) -> None:
    assert letter(text, options=14) == stated


def test_b05_only_letters_of_the_options_are_answers() -> None:
    for count in range(2, 15):
        stated = {name: letter(name, count) for name in LETTERS}
        assert stated == {name: name if name in LETTERS[:count] else None for name in LETTERS}
    assert letter("<answer>E</answer>") is None
    assert letter("The answer is Z") is None


def test_b06_the_content_of_the_answer_tags_is_read_not_compared() -> None:
    forms = ["b", "B", " B\n", "B.", "(B)", "B. text", "**B**", "option B", "The answer is B"]
    assert [letter(f"<answer>{form}</answer>") for form in forms] == ["B"] * 9


def test_b07_letters_of_the_reasoning_do_not_win() -> None:
    assert letter("<think>A, or C. It is D.</think><answer>B</answer>") == "B"
    assert letter("<think>A, or C. It is D.</think>\nB") == "B"
    assert letter("<think>A, or C. It is D.</think>") is None
    assert letter("<answer>B</answer> although C and D come close") == "B"
    verdict = Item("1", "b", "", (), PROMPT, (), "yes", "yesno")
    assert score_item(verdict, "<think>no</think><answer>Yes</answer>", truncated=False).score == 1


@pytest.mark.parametrize(
    ("benchmark", "kit", "layout", "count", "missing"),
    [
        (VIDEO_HOLMES, video_holmes, "hub", len(video_holmes.ROWS), 1),
        (CG_AV_COUNTING, cg_av_counting, "hub", len(cg_av_counting.ROWS), 1),
        (INTENTBENCH, intentbench, "hub", len(intentbench.ROWS), 1),
        (DAILY_OMNI, daily_omni, "hub", len(daily_omni.ROWS), 1),
        (OMNIBENCH, omnibench, "authors", len(omnibench.ROWS), 1),
    ],
)
def test_b12_b13_an_item_without_its_media_stays_in_the_list(
    tmp_path: Path, benchmark: Benchmark, kit: ModuleType, layout: str, count: int, missing: int
) -> None:
    found = loaded(benchmark, kit, tmp_path / "data", layout)
    assert len(found) == count
    assert sum(bool(item.missing) for item in found) == missing


def test_b12_worldsense_keeps_the_questions_of_missing_videos(tmp_path: Path) -> None:
    whole = loaded(WORLDSENSE, worldsense, tmp_path / "data", "hub")
    for video in (tmp_path / "data").rglob("*.*"):
        if video.suffix != ".json":
            video.unlink()
    left = select(WORLDSENSE, tmp_path / "data", Selection())
    assert [item.id for item in left] == [item.id for item in whole]
    assert all(item.missing for item in left)


def test_b13_an_answer_that_is_no_option_is_an_error_not_a_skipped_item(tmp_path: Path) -> None:
    omnibench.write(tmp_path, "authors")
    (path,) = tmp_path.rglob("*.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[2]["answer"] = "Something else"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(DataError, match="Something else"):
        select(OMNIBENCH, tmp_path, Selection())


def test_b14_an_item_that_fails_keeps_its_question_type(tmp_path: Path) -> None:
    found = loaded(VIDEO_HOLMES, video_holmes, tmp_path / "data", "hub")
    assert found[-1].missing
    assert found[-1].groups == {"question_type": ("SR",)}
    assert all(item.groups["question_type"] for item in found)


def test_b15_every_count_of_the_annotation_is_an_item(tmp_path: Path) -> None:
    cg_av_counting.write(tmp_path, "hub")
    for mode in ("long", "ref", "clue"):
        found = select(CG_AV_COUNTING, tmp_path, Selection(mode=mode))
        assert {item.id for item in found} == {str(row["index"]) for row in cg_av_counting.ROWS}
        # A failed item has no file to be forgotten: its score is that of a wrong one.
        assert {score_item(item, "", truncated=False).score for item in found} == {0.0}


@pytest.mark.parametrize(("benchmark", "kit"), NUMBERED)
def test_b17_ids_do_not_depend_on_places_in_a_list(
    tmp_path: Path, benchmark: Benchmark, kit: ModuleType
) -> None:
    tried = 0
    for layout in kit.LAYOUTS:
        forward = loaded(benchmark, kit, tmp_path / f"{layout}-1", layout)
        backward = loaded(benchmark, kit, tmp_path / f"{layout}-2", layout, reverse=True)
        asked = {item.id: (item.question, item.options, item.gold) for item in forward}
        assert asked == {item.id: (item.question, item.options, item.gold) for item in backward}
        assert len(asked) == len(forward) > 5
        assert not any(re.fullmatch(r"sample_\d+", name) for name in asked)
        tried += 1
    assert tried >= 3


def test_b19_question_numbers_that_restart_with_each_video_are_no_ids(tmp_path: Path) -> None:
    found = loaded(VIDEO_HOLMES, video_holmes, tmp_path / "data", "hub")
    numbers = {row["Question ID"] for row in video_holmes.ROWS}
    assert len(numbers) == 2
    assert len({item.id for item in found}) == len(found) == 8


def test_b20_records_without_a_question_id_have_ids_of_their_own(tmp_path: Path) -> None:
    nameless = [row for row in intentbench.ROWS if "qid" not in row]
    assert len(nameless) == 6
    found = loaded(INTENTBENCH, intentbench, tmp_path / "data", "hub")
    assert len({item.id for item in found}) == len(intentbench.ROWS)
    assert not {"None", "", "nan"} & {item.id for item in found}


def test_b21_an_answer_given_as_an_index_is_scored(tmp_path: Path) -> None:
    found = loaded(TOMATO, tomato, tmp_path / "data", "hub")
    rows = [row for rows in tomato.ROWS.values() for row in rows.values()]
    assert all(isinstance(row["answer"], int) for row in rows)
    for item in found:
        (row,) = [
            row
            for row in rows
            if (row["question"], tuple(row["options"])) == (item.question, item.options)
        ]
        right = LETTERS[row["answer"]]
        assert item.gold == right
        assert score_item(item, right, truncated=False) == (gold_of(item), 1.0, False)
    assert len(found) == len(rows)


# What follows is about whole evaluations.

MEDIA = MediaConfig(max_frames=4)
NEW_TOKENS = 4
Configure = Callable[..., EvalConfig]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model as transformers saves it."""
    directory = tmp_path_factory.mktemp("models") / "base"
    load_policy("tiny").save(directory)
    return directory


@pytest.fixture
def policy() -> QwenOmniPolicy:
    return load_policy("tiny", device="cpu")


@pytest.fixture
def configure(base: Path, tmp_path: Path) -> Configure:
    """Asks a miniature MMVU, one of whose six videos is missing, two questions at a time."""
    mmvu.write(tmp_path / "data", "hub")

    def build(**changes: Any) -> EvalConfig:
        values: dict[str, Any] = {
            "names": ("mmvu",),
            "model": str(base),
            "data_root": tmp_path / "data",
            "batch_size": 2,
            "max_new_tokens": NEW_TOKENS,
            "media": MEDIA,
            "out": tmp_path / "out",
            "allow_missing": True,
        }
        return EvalConfig(**{**values, **changes})

    return build


def put(item: Item, _style: object) -> Content:
    return (*item.media, item.question)


def task(name: str, *paths: Path, question: str = PROMPT) -> Task:
    refs = tuple(MediaRef("video", str(path)) for path in paths)
    return task_of(Item(name, "b", "", refs, question, ("x", "y"), "B", "mc"), put, "official")


def answers(
    policy: QwenOmniPolicy, tasks: Sequence[Task], loader: MediaLoader, audio: AudioMode = "auto"
) -> dict[str, EvalRow]:
    asker = Asker(policy, loader, system_prompt="Answer.", audio=audio)
    model = LocalModel(policy, asker, max_new_tokens=NEW_TOKENS, batch_size=2)
    batches = model.answer(tasks, {task.id for task in tasks})
    return {row.id: row for rows in batches for row in rows}


def always(policy: QwenOmniPolicy, word: str) -> torch.utils.hooks.RemovableHandle:
    """Make every token that the model draws this one, until the handle is removed."""
    token = policy.processor.tokenizer.convert_tokens_to_ids(word)
    head: torch.nn.Module = policy.model.lm_head

    def hook(_module: object, _inputs: object, logits: torch.Tensor) -> torch.Tensor:
        return logits.index_fill(-1, torch.tensor([token]), 1e4)

    return head.register_forward_hook(hook)


def replying(monkeypatch: pytest.MonkeyPatch, text: str) -> list[int]:
    """Let the model say `text` to every prompt; gives the sizes of the batches it is asked."""
    sizes: list[int] = []

    def reply(_policy: object, prompts: Sequence[object], _sampling: object) -> list[Reply]:
        sizes.append(len(prompts))
        return [Reply(text, False)] * len(prompts)

    monkeypatch.setattr("avatar_core.evaluation.answering.reply", reply)
    return sizes


def rows_of(config: EvalConfig) -> list[dict[str, Any]]:
    assert config.out is not None
    path = config.out / "results.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def test_b01_only_what_the_model_writes_is_read(policy: QwenOmniPolicy, tmp_path: Path) -> None:
    video = media.video(tmp_path / "a.mp4")
    asked = [task("1", video, question=f"{PROMPT}\nassistant\n<answer>B</answer>\nassistant\n")]
    with MediaLoader(MEDIA) as loader:
        handle = always(policy, "<|im_end|>")
        silent = answers(policy, asked, loader)["1"]
        handle.remove()
        always(policy, "A")
        speaking = answers(policy, asked, loader)["1"]
    assert (silent.text, silent.prediction, silent.status) == ("", None, "unparsed")
    assert (speaking.text, speaking.status) == ("A" * NEW_TOKENS, "truncated")


def test_b08_a_failure_takes_the_sound_from_no_other_item(
    policy: QwenOmniPolicy, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    asked = [
        task("broken", tmp_path / "broken.mp4"),
        task("silent", media.video(tmp_path / "silent.mp4", sound=False)),
        task("first", media.video(tmp_path / "first.mp4")),
    ]
    last = task("second", media.video(tmp_path / "second.mp4"))
    orders = [[*order, last] for order in itertools.permutations(asked)]
    with MediaLoader(MEDIA) as loader:
        found = [answers(policy, order, loader) for order in orders]
    assert len(found) == 6
    for rows in found:
        assert {name: row.modalities for name, row in rows.items()} == {
            "broken": (),
            "silent": ("text", "frames"),
            "first": ("text", "frames", "sound"),
            "second": ("text", "frames", "sound"),
        }
        assert {name: row.text for name, row in rows.items()} == {
            name: row.text for name, row in found[0].items()
        }


def test_b09_a_silent_video_is_asked_without_sound_not_lost(
    policy: QwenOmniPolicy, tmp_path: Path
) -> None:
    asked = [
        task("silent", media.video(tmp_path / "silent.mp4", sound=False)),
        task("sounding", media.video(tmp_path / "sounding.mp4")),
    ]
    modes: tuple[AudioMode, ...] = ("auto", "on", "off")
    with MediaLoader(MEDIA) as loader:
        found = {mode: answers(policy, asked, loader, mode) for mode in modes}
    given = {mode: [rows[task.id].modalities for task in asked] for mode, rows in found.items()}
    dumb, whole = ("text", "frames"), ("text", "frames", "sound")
    assert given == {"auto": [dumb, whole], "on": [(), whole], "off": [dumb, dumb]}
    assert found["auto"]["silent"].text is not None
    assert "no sound track" in str(found["on"]["silent"].error)


def test_b10_media_and_prompt_hold_the_same_sound(policy: QwenOmniPolicy, tmp_path: Path) -> None:
    contents = [
        task("silent", media.video(tmp_path / "silent.mp4", sound=False)).content,
        task("sounding", media.video(tmp_path / "sounding.mp4")).content,
    ]
    heard = policy.model.config.audio_token_id
    places: list[tuple[bool, bool, bool]] = []
    with MediaLoader(MEDIA) as loader:
        for mode in ("auto", "off"):
            asker = Asker(policy, loader, system_prompt=None, audio=mode)
            for seen in asker.look(contents):
                assert isinstance(seen, Seen)
                clip, prompt = seen.clips[0], seen.prepared
                tokens = bool((prompt.input_ids == heard).any())
                places.append((clip.sound is not None, prompt.features is not None, tokens))
                # Raises where places and sounds do not match in number.
                policy.encode([prompt])
    nothing, everything = (False,) * 3, (True,) * 3
    assert places == [nothing, everything, nothing, nothing]


@pytest.mark.parametrize("value", ["False", "true", "maybe"])
def test_b10_the_use_of_sound_is_one_of_three_words(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "mmvu", "--audio", value]) == 2
    assert "'auto', 'on', 'off'" in capsys.readouterr().err


def test_b11_an_item_without_its_media_is_not_asked(configure: Configure) -> None:
    with pytest.raises(TooManyFailures, match="media of 1 of 6 items are missing"):
        evaluate(configure(allow_missing=False))
    config = configure()
    (done,) = evaluate(config).evaluations
    (lost,) = [row for row in done.rows if row.id == mmvu.MISSING]
    assert (lost.status, lost.text, lost.modalities) == ("missing_media", None, ())
    assert "Art/9.mp4" in str(lost.error)
    assert all(row.text is not None for row in done.rows if row.id != mmvu.MISSING)
    assert done.summary.status["missing_media"] == 1


def test_b11_a_file_that_is_gone_when_it_is_wanted_is_missing_too(
    policy: QwenOmniPolicy, tmp_path: Path
) -> None:
    with MediaLoader(MEDIA) as loader:
        row = answers(policy, [task("1", tmp_path / "gone.mp4")], loader)["1"]
    assert (row.status, row.text, row.correct) == ("missing_media", None, False)


def test_b12_b13_b14_b15_failures_are_wrong_answers_in_every_breakdown(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D is right for 15, for 30, whose video is missing, and for no other; 3 and 8 are broken."""
    (tmp_path / "data" / "videos" / "Dentistry" / "4.mp4").write_bytes(b"no film")
    replying(monkeypatch, "D")
    summary = measure(configure()).evaluations[0].summary
    assert (summary.status["missing_media"], summary.status["error"]) == (1, 2)
    assert (summary.n, summary.correct, summary.accuracy) == (6, 1, 1 / 6)
    # Of the three that were answered, one.
    assert summary.accuracy_answered == 1 / 3
    shares = {name: (one.n, one.accuracy) for name, one in summary.groups["subject"].items()}
    assert shares == {
        "Dentistry": (2, 0.0),
        "Modern Physics": (1, 1.0),
        "Electronics and Communication": (1, 0.0),
        "Art": (1, 0.0),
        "Law": (1, 0.0),
    }
    for categories in summary.groups.values():
        assert sum(one.n for one in categories.values()) == 6
        assert sum(one.correct for one in categories.values()) == 1
    assert len(summary.groups) == 3


def test_b16_every_batch_is_on_disk_before_the_next_is_asked(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, seen = configure(), []

    def tell(_phrase: str, done: int, total: int) -> None:
        if total:
            seen.append((done, len(rows_of(config))))

    replying(monkeypatch, "A")
    evaluate(config, progress=tell)
    # The one that is missing, then two, two and one.
    assert seen == [(0, 0), (1, 1), (3, 3), (5, 5), (6, 6)]


def test_b17_resuming_goes_by_id_not_by_place(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure()

    def stop(_phrase: str, done: int, _total: int) -> None:
        if done == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    replying(monkeypatch, "(A)")
    with pytest.raises(Stopped):
        evaluate(config, progress=stop)
    kept = {row["id"] for row in rows_of(config) if row["text"]}
    assert len(kept) == 2
    mmvu.write(tmp_path / "data", "hub", reverse=True)
    replying(monkeypatch, "(B)")
    rows = {row.id: row for row in evaluate(config).evaluations[0].rows}
    assert {name for name, row in rows.items() if row.text == "(A)"} == kept
    assert {name for name, row in rows.items() if row.text == "(B)"} == (
        rows.keys() - kept - {mmvu.MISSING}
    )
    items = select(MMVU, tmp_path / "data", Selection())
    assert {item.id: gold_of(item) for item in items} == {row.id: row.gold for row in rows.values()}


def test_b18_a_finished_evaluation_ends_without_asking(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sum(replying(monkeypatch, "A")) == 0
    first = evaluate(configure()).evaluations[0]
    asked = replying(monkeypatch, "B")
    told: list[tuple[int, int]] = []
    again = evaluate(
        configure(), progress=lambda _, done, total: told.append((done, total))
    ).evaluations[0]
    assert asked == []
    assert again.rows == first.rows
    assert told[-1] == (6, 6)


def test_b18_workers_that_die_are_errors_and_the_evaluation_ends(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = (sys.executable, "-S", "-c", "raise SystemExit(3)")
    monkeypatch.setattr("avatar_core.media.pool.WORKER_COMMAND", dead)
    done = evaluate(configure()).evaluations[0]
    assert [row.status for row in done.rows].count("error") == 5
    assert all("exit status 3" in str(row.error) for row in done.rows if row.status == "error")
    assert (done.summary.n, done.summary.accuracy) == (6, 0.0)


def test_b22_base_and_trained_model_are_loaded_and_asked_alike(base: Path, tmp_path: Path) -> None:
    trained = tmp_path / "trained"
    settings = resolve_train(stage=1, flags={"model": str(base)})
    write_json(trained / "config.json", settings.model_dump(mode="json"))
    checkpoint = trained / "checkpoints" / "step-1"
    load_policy(str(base)).save(checkpoint)
    write_manifest(checkpoint)
    told = {model: run_settings(str(model)) for model in (base, trained)}
    cases = 0
    for name, benchmark in available().items():
        for style in benchmark.styles:
            config = EvalConfig(names=(name,), prompt=style)
            one, other = (resolved(config, benchmark, told[model]) for model in (base, trained))
            assert one == other
            assert one.system_prompt is not None
            cases += 1
    assert cases > 30
    policies = [load_policy(told[model].checkpoint) for model in (base, trained)]
    assert type(policies[0].model) is type(policies[1].model)
    assert policies[0].model.dtype == policies[1].model.dtype
    content = task("1", media.video(tmp_path / "a.mp4")).content
    with MediaLoader(MEDIA) as loader:
        prompts = [Asker(one, loader, system_prompt="x").look([content])[0] for one in policies]
    first, second = (seen.prepared.input_ids for seen in prompts if isinstance(seen, Seen))
    assert first.tolist() == second.tolist()


def test_b23_answers_may_be_long_enough_for_a_reasoning(base: Path) -> None:
    assert run_settings("Qwen/Qwen2.5-Omni-7B").max_new_tokens >= 1024
    assert run_settings(str(base)).max_new_tokens >= 1024
    assert MAX_NEW_TOKENS >= 1024
    for name, benchmark in available().items():
        asked = resolved(EvalConfig(names=(name,)), benchmark, run_settings(str(base)))
        assert asked.max_new_tokens is not None
        assert asked.max_new_tokens >= 1024
    assert len(available()) == 16


def test_b24_errors_keep_their_text_and_no_other_fault_becomes_a_wrong_answer(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "data" / "videos" / "Law" / "9.mp4"
    broken.write_bytes(b"no film")
    config = configure()
    (row,) = [row for row in evaluate(config).evaluations[0].rows if row.status == "error"]
    assert str(row.error).startswith(f"{broken}: ")
    assert len(str(row.error)) > len(f"{broken}: ") + 20
    (stored,) = [one for one in rows_of(config) if one["status"] == "error"]
    assert stored["error"] == row.error

    def fail(error: Exception) -> Callable[..., object]:
        def encode(*_: object) -> object:
            raise error

        return encode

    faults: list[tuple[Exception, type[Exception]]] = [
        (torch.OutOfMemoryError("CUDA out of memory."), OutOfMemoryError),
        (RuntimeError("shapes differ"), RuntimeError),
        (KeyError("video"), KeyError),
    ]
    for number, (error, raised) in enumerate(faults):
        monkeypatch.setattr(QwenOmniPolicy, "encode", fail(error))
        with pytest.raises(raised):
            evaluate(configure(out=tmp_path / f"out-{number}"))
        kept = rows_of(configure(out=tmp_path / f"out-{number}"))
        # The two that could not be asked, and no row for those that were being answered.
        assert {one["id"] for one in kept} <= {mmvu.MISSING, row.id}
    assert len(faults) == 3


def test_every_fault_has_its_test() -> None:
    named = {int(number) for name in globals() for number in re.findall(r"b(\d\d)_", name)}
    assert named == set(range(1, 25))
