"""docs/benchmarks.md agrees with the benchmarks, their rules and the tests it speaks of."""

from __future__ import annotations

import copy
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pyarrow
import pytest
from pyarrow import parquet

from avatar_cli.__main__ import main
from avatar_cli.eval_run import told
from avatar_core.benchmarks import Item, Selection, available
from avatar_core.benchmarks.registry import find, select
from avatar_core.benchmarks.relative_accuracy import mean_relative_accuracy
from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.media import MediaConfig
from avatar_core.config.resolve import validate
from avatar_core.errors import DataError, TooManyFailures, UsageError
from avatar_core.evaluation.intervals import RESAMPLES, binomial_reach, mcnemar
from avatar_core.evaluation.own_data import is_file_name
from avatar_core.evaluation.selecting import FAILED_LIMIT, check_selection
from avatar_core.evaluation_records import FAILED, EvalStatus
from avatar_core.run_settings import run_settings
from tests.benchmarks.kit import media
from tests.benchmarks.kit.every import NAMES, kit
from tests.benchmarks.test_official_agreement import (
    DIFFERENCES,
    GOLDEN,
    NUMBER_REASONS,
    REASONS,
    REPLIES,
    SCORER,
    our_reading,
)
from tests.test_readme import help_of, knows, parse

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = r"^```(\w*)\n(.*?)^```$"
OPTIONS = {"split": "splits", "subset": "subsets", "mode": "modes"}
AUTHORS_BUGS = 24


def section(title: str) -> str:
    """Text of the section with a heading."""
    parts = re.split(r"^## (.*)\n", DOCUMENT, flags=re.MULTILINE)
    return parts[parts.index(title) + 1]


def rows(title: str, first: str) -> list[list[str]]:
    """Cells of the rows of a section whose first cell is of a form."""
    found = re.findall(rf"^\| ((?:{first}) \|.*)\|$", section(title), re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in found]


def arguments_of(written: list[str]) -> list[list[str]]:
    """Arguments of lines that all begin with `avatar`."""
    words = [shlex.split(line, comments=True) for line in written]
    assert all(line[0] == "avatar" for line in words)
    return [line[1:] for line in words]


def lines() -> list[list[str]]:
    """Arguments of the lines of the shell block."""
    (block,) = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    return arguments_of(block.splitlines())


def readme_lines() -> list[list[str]]:
    """Arguments of the `avatar eval` lines that README.md has inside its sentences."""
    return arguments_of(re.findall(r"`(avatar eval [^`…]+)`", README))


def config_of(arguments: list[str]) -> EvalConfig:
    """The configuration that a line of `avatar eval` asks for."""
    given = parse(arguments)
    settings = {key: value for key, value in given.items() if key in EvalConfig.model_fields}
    served = {key: given[key] for key in ("base_url", "served_model", "api_key_env", "timeout")}
    size = None if given["batch_size"] == "auto" else given["batch_size"]
    changed = {"blank": given["blank"] or (), "batch_size": size}
    return validate(EvalConfig, told({**settings, **served, **changed}))


def test_every_block_is_a_tree_a_row_a_command_or_the_one_program() -> None:
    languages = [language for language, _ in re.findall(BLOCK, DOCUMENT, re.M | re.S)]
    assert languages == ["sh", *["text", "json"] * 15, "python"]
    assert DOCUMENT.count("```") == 2 * len(languages)


def test_the_table_lists_every_benchmark_as_it_is() -> None:
    title = "The fifteen and the scenes"
    listed = {row[0].strip("`"): row[1:] for row in rows(title, r"`\w+`")}
    assert list(listed) == list(available())
    assert len(listed) == 16
    for name, one in available().items():
        dataset, items, media, headline, parts, styles, published = listed[name]
        assert dataset == one.dataset[0]
        assert items.split()[0].strip(",") == ("endless" if not one.items else f"{one.items:,}")
        assert media == one.media
        named = re.findall(r"`(\w+)`", headline)
        assert named == [one.headline, *one.headlines.values()]
        assert all(mode in headline for mode in one.headlines)
        assert styles.split(", ") == list(one.styles)
        assert [float(figure) for figure in published.split()] == list(one.published or ())
        for option, field in OPTIONS.items():
            values = getattr(one, field)
            stated = re.search(rf"`--{option}` ([^`]+)", parts)
            assert (stated is not None) == (len(values) > 1), (name, option)
            if stated is None:
                continue
            count = re.search(r"or one of (\d+)( more)?", stated[1])
            if count:
                assert stated[1].split(",")[0] == values[0]
                assert int(count[1]) == len(values) - 1
            else:
                assert stated[1].split(", ") == list(values)


def test_the_trees_are_those_of_the_error_messages() -> None:
    trees = re.findall(r"^`(\w+)`:\n\n```text\n(.*?)\n```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    layouts = {name: one.layout for name, one in available().items() if name != "scenes"}
    assert dict(trees) == layouts
    assert [name for name, _ in trees] == list(layouts)


class Example(NamedTuple):
    """An annotation that the document shows below a tree."""

    annotation: str
    """The file that it is a row of, or the whole of."""
    media: tuple[str, ...]
    """The files that its text says it is for."""
    whole: bool
    """It is the file's whole content."""
    subset: str | None
    """The `--subset` that asks nothing else, where its text names one."""
    content: dict[str, Any]
    """What the block holds."""


def examples() -> dict[str, Example]:
    """The document's examples by benchmark."""
    tree = r"^`(\w+)`:\n\n```text\n[^`]*```\n\n"
    example = r"(A row|The whole) of ((?:.+\n)+)\n```json\n([^`]*)^```$"
    found = {}
    for name, part, text, block in re.findall(tree + example, section("Files"), re.M):
        # The first sentence: behind it other layouts are spoken of.
        annotation, *named = re.findall(r"`([^`\s]+\.\w+)`", re.split(r"\.\s|, which", text)[0])
        (subset,) = re.findall(r"`--subset (\w+)`", text) or [None]
        whole = part == "The whole"
        found[name] = Example(annotation, tuple(named), whole, subset, json.loads(block))
    return found


def loaded(name: str, example: Example, content: dict[str, Any], root: Path) -> list[Item]:
    """Items of a directory that holds an example's media and, as its annotation, a content."""
    writers = {".mp4": media.video, ".png": media.image, ".wav": media.sound}
    for path in example.media:
        writers[Path(path).suffix](root / path)
    file = root / example.annotation
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist([with_bytes(content)]), file)
    else:
        listed = content if example.whole or file.suffix == ".jsonl" else [content]
        file.write_text(json.dumps(listed), encoding="utf-8")
    one = find(name)
    modes = one.modes or (None,)
    chosen = [Selection(subset=example.subset, mode=mode) for mode in modes]
    return [item for selection in chosen for item in select(one, root, selection)]


def with_bytes(content: dict[str, Any]) -> dict[str, Any]:
    """A row with real files where the document can only say what the bytes are of."""
    contents = {"of a picture": media.image_bytes(), "of a sound": media.sound_bytes()}
    return {
        key: {"bytes": contents[cell["bytes"]]} if isinstance(cell, dict) else cell
        for key, cell in content.items()
    }


def without_a_field(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field that is no letter of an option, and the content that lacks it."""
    for path in fields_of(content):
        lacking: Any = copy.deepcopy(content)
        parent = lacking
        for key in path[:-1]:
            parent = parent[key]
        del parent[path[-1]]
        yield str(path[-1]), lacking


def fields_of(content: Any) -> Iterator[tuple[str | int, ...]]:
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    for key, part in parts:
        if isinstance(key, str) and len(key) > 1 and key != "bytes":
            yield (key,)
        if isinstance(part, dict | list):
            yield from ((key, *path) for path in fields_of(part))


def test_every_example_row_is_an_item_with_its_media(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    shown = examples()
    assert sorted(shown) == sorted(NAMES)
    golds = {}
    for name, example in shown.items():
        items = loaded(name, example, example.content, tmp_path / name)
        # One in each mode.
        assert len(items) == max(len(find(name).modes), 1), name
        assert not any(item.missing for item in items), name
        assert all(Path(ref.path).is_file() for item in items for ref in item.media)
        # Letters in front of options are taken off.
        assert not any(re.match(r"\(?[A-D][.)]", text) for text in items[0].options), name
        assert (len(items[0].options) > 1) == (name != "cg_av_counting")
        golds[name] = items[0].gold
    # By what the text says: the third text of omnibench, the second of mvbench, index 2 of tomato.
    assert golds == {
        "mmvu": "B", "omnibench": "C", "video_holmes": "C", "daily_omni": "A", "av_odyssey": "B",
        "worldsense": "B", "intentbench": "C", "cg_av_counting": "2", "mvbench": "B",
        "video_mme": "C", "lvbench": "B", "tomato": "C", "video_mmmu": "A", "vsi_bench": "C",
        "video_tt": "B",
    }  # fmt: skip


def test_every_field_of_an_example_row_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    tried, spared = 0, []
    for name, example in examples().items():
        for field, content in without_a_field(example.content):
            tried += 1
            try:
                items = loaded(name, example, content, tmp_path / f"{tried}")
            except (DataError, UsageError):
                continue
            if not any(item.missing for item in items):
                spared.append((name, field))
    # Without options the question is an open one; without its picture the video alone shows it.
    assert spared == [("video_mmmu", "options"), ("video_mmmu", "image")]
    assert tried > 60


def test_every_command_line_is_understood_and_asks_for_what_there_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scored, flags = 0, 0
    for arguments in lines() + readme_lines():
        for word in arguments:
            if is_file_name(word):
                Path(word).touch()
        shown = help_of(arguments, capsys)
        for word in arguments:
            if word.startswith("-"):
                assert knows(shown, word), arguments
                flags += 1
        if arguments[1:] != ["list"]:
            assert check_selection(config_of(arguments))
            scored += 1
    assert scored >= 6
    assert flags >= 15
    with pytest.raises(UsageError):
        check_selection(config_of(["eval", "cg_av_counting", "--mode", "short"]))
    for flag in re.findall(r"`(--[a-z-]+)[^`]*`", DOCUMENT):
        assert knows(help_of(["eval"], capsys), flag), flag


def test_the_list_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ["eval", "list"] in lines()
    assert main(["eval", "list"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in available() if name not in shown] == []
    assert main(["eval", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["benchmarks"]
    assert [one["dataset"] for one in listed] == [list(b.dataset) for b in available().values()]


def test_the_program_makes_the_configuration_that_it_speaks_of() -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102
    config = names["config"]
    assert isinstance(config, EvalConfig)
    assert config.media == MediaConfig(max_frames=64, max_pixels=200704)
    assert check_selection(config)


def test_what_is_said_of_media_is_the_default() -> None:
    media = run_settings("some/model").media
    said = f"{media.fps:.0f} frames a second, at\nmost {media.max_frames}, each of at most "
    assert f"{said}{media.max_pixels:,} pixels" in section("How a question is asked")
    assert media.max_pixels == 224 * 224
    assert (media.max_seconds, media.max_file_bytes) == (2 * 3600, 4 << 30)


def test_wordings_are_described_for_every_benchmark() -> None:
    without = [n for n, one in available().items() if "authors" not in one.styles]
    assert without == ["scenes", "video_mmmu", "vsi_bench", "video_tt"]
    assert "the three benchmarks without a\n  published script" in DOCUMENT
    prompts = {path.stem for path in (ROOT / "tests" / "golden" / "prompts").glob("*.json")}
    assert prompts == set(NAMES)


def test_examples_of_scores_and_intervals_are_right() -> None:
    text = section("Scores")
    examples = re.findall(r"(\d+) scores (0\.\d)", text)
    assert len(examples) == 3
    for answer, score in examples:
        assert mean_relative_accuracy(float(answer), 10) == pytest.approx(float(score))
    assert f"{RESAMPLES:,} bootstrap resamples" in text
    assert f"none of 10 right is 0 to {100 * binomial_reach(10):.1f} %" in text
    assert f"8 gained and 1 lost give p = {mcnemar(8, 1):.3f}" in text


def test_statuses_and_the_exit_code_are_those_of_the_program() -> None:
    table = {row[0].strip("`"): row[2] for row in rows("Statuses", r"`\w+`")}
    assert table == {status: "yes" if status in FAILED else "no" for status in get_args(EvalStatus)}
    said = f"more than {FAILED_LIMIT:.0%}".replace("%", " %")
    assert said in section("Statuses")
    assert f"exits with code {TooManyFailures.exit_code}" in section("Statuses")


COMPARED = "Where lmms-eval scores otherwise"


def test_counts_of_differences_are_those_of_the_agreement_test() -> None:
    assert SCORER in section(COMPARED)
    counted = {row[0].strip("`"): row[1:] for row in rows(COMPARED, r"`\w+`")}
    assert list(counted) == list(REPLIES)
    for name, (replies, plain, differ) in counted.items():
        stored = (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[1:]
        styles = [json.loads(line)["style"] for line in stored]
        assert int(replies) == REPLIES[name] == len(styles)
        assert int(plain) == sum(style.startswith("plain") for style in styles)
        assert int(differ) == sum(DIFFERENCES[name].values())


def test_every_reason_for_a_difference_has_its_line_and_a_true_example() -> None:
    names = [*REASONS, *NUMBER_REASONS]
    listed = rows(COMPARED, "|".join(map(re.escape, names)))
    assert [row[0] for row in listed] == names
    for reason, example, there, here, often in listed:
        counts = {name: found[reason] for name, found in DIFFERENCES.items() if reason in found}
        assert often == ", ".join(f"{name} {count}" for name, count in counts.items())
        assert shown_reading(next(iter(counts)), example.strip("`"), there, here), reason


def shown_reading(name: str, reply: str, there: str, here: str) -> bool:
    """Whether a reply is read so by lmms-eval and by us, for an item of a golden file."""
    text = (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8")
    head, *stored = [json.loads(line) for line in text.splitlines()]
    for row in stored:
        if row["reply"] != reply:
            continue
        options, gold = (head["items"][row["item"]][key] for key in ("options", "gold"))
        item = Item("1", name, "", (), "", tuple(options), gold, "mc" if options else "number")
        if as_written(row["read"]) == there and as_written(our_reading(item, reply)) == here:
            return True
    return False


def as_written(reading: str | float | None) -> str:
    if reading is None:
        return "none"
    return f"{reading:g}" if isinstance(reading, float) else reading


def test_every_fault_of_the_authors_has_its_line_and_its_test() -> None:
    title = "What the authors' scripts do that cannot happen here"
    numbers = [int(row[0][1:]) for row in rows(title, r"B\d+")]
    assert numbers == list(range(1, AUTHORS_BUGS + 1))
    (path,) = re.findall(r"`(tests/[\w/]+\.py)`", section(title))
    source = (ROOT / path).read_text(encoding="utf-8")
    tests = " ".join(re.findall(r"^def (test_\w+)", source, re.MULTILINE))
    assert {int(number) for number in re.findall(r"_b(\d\d)(?=_)", tests)} == set(numbers)


def test_the_readme_leads_here() -> None:
    assert "](docs/benchmarks.md)" in README
    assert ["eval", "list"] in readme_lines()
    assert any(line[1] in NAMES and "--data-root" in line for line in readme_lines())


@pytest.mark.slow
def test_the_lines_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Here and not above: it loads torch, which the quick tests of this file do without.
    from tests.tiny_run import tiny_run

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    for seed, name in enumerate(("demo", "longer")):
        tiny_run(tmp_path / "runs" / name, seed=seed)
    for name in ("mmvu", "omnibench", "cg_av_counting"):
        kit(name).write(tmp_path / "data" / name, kit(name).LAYOUTS[0])
    # Nobody serves a model here.
    asked = [line for line in lines() if line[1] != "list" and "openai" not in line]
    for line in asked:
        # One file of a miniature data set is missing.
        code = main([*line, "--allow-missing"])
        assert code == 0, capsys.readouterr().err
        assert capsys.readouterr().out != ""
    assert len(asked) >= 4
    assert (tmp_path / "runs" / "eval" / "demo" / "mmvu" / "summary.json").is_file()
