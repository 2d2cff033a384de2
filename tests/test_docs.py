"""The documents are up to date, their blocks are sound, and what they point at is there."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.data.given_hints import read_hints
from avatar_core.data.samples import read_samples
from avatar_core.training.memory_inputs import thinker_of
from tests import generated_docs
from tests.documents import ROOT, blocks, check_line, shell_lines
from tests.generated_docs import memory, published_models
from tests.media.clips import tone, write_clip
from tests.run_records import group_row, metrics_row, write_run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
EVERY_PAGE = [*DOCUMENTS, *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")]
MAX_LINES = 160
"""Of a page that is written by hand; generated parts and lists of what there is do not count."""
LONG = {"benchmarks.md", "paper_map.md"}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def found_blocks(*languages: str) -> list[tuple[str, str]]:
    """Blocks of all documents in some languages, each with its document's name."""
    return [
        (path.name, block.text)
        for path in DOCUMENTS
        for block in blocks(text_of(path))
        if block.language in languages
    ]


def test_generated_parts_are_up_to_date() -> None:
    names = [path.name for path in generated_docs.stale()]
    assert names == [], "run python -m tests.generated_docs --write"
    assert len(generated_docs.pages()) >= 4


def test_every_command_and_option_has_its_line() -> None:
    page = text_of(ROOT / "docs" / "commands.md")
    headings = re.findall(r"^## avatar (.+)$", page, re.MULTILINE)
    assert headings[0] == "train"
    assert {"replay stats", "replay hint", "eval", "infer", "report"} <= set(headings)
    assert page.count("\n| `--") > 40


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    languages = [block.language for path in DOCUMENTS for block in blocks(text_of(path))]
    assert set(languages) <= {"sh", "python", "json", "toml", "text"}
    assert len(languages) >= 20
    for path in DOCUMENTS:
        assert text_of(path).count("```") == 2 * len(blocks(text_of(path))), path.name


def test_every_command_line_is_understood() -> None:
    checked = 0
    for path in DOCUMENTS:
        for words in shell_lines(text_of(path)):
            checked += check_line(words)
    assert checked >= 30


@pytest.mark.parametrize(
    "line",
    [
        "avatar train --stages 1",
        "avatar train --stage 1 --set rollout.windw=3",
        "avatar train --stage 1 --preset papper",
        "accelerate launch -m avatar_cli train --stage 9",
        "AVATAR_CACHE=x avatar report",
        "avatra report runs/demo",
    ],
)
def test_a_line_that_would_fail_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"\w"):
        check_line(line.split())


def test_settings_blocks_resolve(tmp_path: Path) -> None:
    found = found_blocks("toml")
    for _, text in found:
        assert tomllib.loads(text)
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        resolve_train(stage=1, file=tmp_path / "mine.toml")
    assert len(found) >= 1


def test_rows_are_read_as_what_they_are(tmp_path: Path) -> None:
    """Rows of training data and of hints; `test_benchmark_docs.py` reads those of benchmarks."""
    kinds = {"rows": 0, "hints": 0}
    for name, text in found_blocks("json"):
        if name == "benchmarks.md":
            continue
        row = json.loads(text)
        path = tmp_path / "rows.jsonl"
        path.write_text(json.dumps(row), encoding="utf-8")
        if "teacher" in row:
            assert [hint.id for hint in read_hints(path)] == [row["id"]]
            kinds["hints"] += 1
            continue
        for file in [*row.get("videos", []), *row.get("audios", [])]:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            if file.endswith(".wav"):
                write_clip(tmp_path / file, frames=0, sound=tone(1.0), sound_codec="pcm_s16le")
            else:
                write_clip(tmp_path / file, frames=4)
        assert read_samples(path)[0].solution
        kinds["rows"] += 1
    assert kinds == {"rows": 3, "hints": 1}


def test_programs_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(Path("runs/demo"), [metrics_row()], [group_row([1.0, 0.0], [0.7, -0.7])])
    found = found_blocks("python")
    for _, text in found:
        exec(text, {})  # noqa: S102
    assert len(found) >= 2
    assert "completions_generated" in capsys.readouterr().out


def anchors(path: Path) -> set[str]:
    """Names that links may point at within a document, made of its headings."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def test_links_lead_somewhere() -> None:
    links = 0
    for page in EVERY_PAGE:
        for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
            if re.match(r"https?:", target):
                continue
            file, _, anchor = target.partition("#")
            place = (page.parent / file).resolve() if file else page
            assert place.exists(), (page.name, target)
            assert not anchor or anchor in anchors(place), (page.name, target)
            links += 1
    assert links >= 30


def test_every_page_is_reached_from_the_first_ones() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#:\s]+)\)", text_of(page))
        todo += [(page.parent / link).resolve() for link in links]
    assert {path.name for path in DOCUMENTS} - {path.name for path in reached} == set()


def test_pages_are_short() -> None:
    sizes = {}
    for path in DOCUMENTS:
        text = re.sub(r"<!-- begin .*?<!-- end \w+ -->", "", text_of(path), flags=re.DOTALL)
        sizes[path.name] = len(text.splitlines())
    del sizes["commands.md"]
    assert {name: size for name, size in sizes.items() if size > MAX_LINES}.keys() <= LONG
    assert len(sizes) >= 12


def test_the_answers_to_complaints_name_tests_that_are_there() -> None:
    page = text_of(ROOT / "docs" / "faq.md")
    numbers = [int(number) for number in re.findall(r"^### (\d+)\. \"", page, re.MULTILINE)]
    assert numbers == list(range(1, 21))
    named = re.findall(r"^Test: `(tests/[\w/]+\.py)::(test_\w+)`\.$", page, re.MULTILINE)
    assert len(named) == 20
    for file, name in named:
        assert f"\ndef {name}(" in text_of(ROOT / file), (file, name)


def test_every_variable_that_is_read_is_listed() -> None:
    page = text_of(ROOT / "docs" / "environment.md")
    sources = [*(ROOT / "avatar_core").rglob("*.py"), *(ROOT / "avatar_cli").rglob("*.py")]
    read = {
        name
        for path in sources
        for name in re.findall(r"[\"'$](AVATAR_[A-Z_]+|XDG_[A-Z_]+)\b", text_of(path))
    }
    assert {"AVATAR_CACHE", "AVATAR_DATA", "AVATAR_MODEL"} <= read
    assert [name for name in sorted(read) if name not in page] == []
    listed = set(re.findall(r"\bAVATAR_[A-Z_]+", page))
    assert listed == {name for name in read if name.startswith("AVATAR")}


def test_downloads_go_where_the_hub_is_told(tmp_path: Path) -> None:
    """In a process of its own, as the hub's library reads the variable when it is imported."""
    code = (
        "from avatar_core.training.preflight import check_hub_id\n"
        "from huggingface_hub import constants\n"
        "check_hub_id('some/model')\n"
        "print(constants.HF_HUB_CACHE)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(tmp_path / "hub")


def test_the_memory_table_is_of_the_published_models() -> None:
    small, large = published_models().values()
    # Parameters of the thinkers as published, towers and head included.
    assert sum(parameter.numel() for parameter in small.parameters()) == 4_703_464_448
    assert sum(parameter.numel() for parameter in large.parameters()) == 8_931_813_888
    # A frozen copy in float32 and 12 bytes of weights and moments of each: 16 x 8.932e9 bytes.
    assert memory(thinker_of(large, 0), 0, 512)[0] == "133.1"
    # 2 bytes of each, and 12 of each of the 27.3e6 numbers of a rank 8 adapter: 9.73e9 bytes.
    assert memory(thinker_of(small, 8), 8, 2048)[0] == "9.1"


PUBLIC = {
    "avatar_core": ("__version__", "evaluate", "infer", "train"),
    "avatar_core.algo.tas": ("tas_weights",),
    "avatar_core.algo.advantages": ("group_advantages", "vcrs_advantages"),
    "avatar_core.algo.losses": ("LossTerms", "kl_k3", "policy_loss"),
    "avatar_core.replay": ("ReplayBuffer",),
    "avatar_core.rewards": ("REWARDS", "register"),
    "avatar_core.rewards.answer": ("extract_letter",),
    "avatar_core.benchmarks": ("Item", "load"),
    "avatar_core.models": ("load_policy",),
}


def test_the_public_names_are_there_and_say_what_they_do() -> None:
    count = 0
    for module, names in PUBLIC.items():
        for name in names:
            found = getattr(importlib.import_module(module), name)
            assert isinstance(found, str | dict) or found.__doc__, name
            count += 1
    buffer = importlib.import_module("avatar_core.replay").ReplayBuffer
    methods = ("insert", "draw", "tier_of", "baseline", "state_dict", "load_state_dict")
    assert all(getattr(buffer, name).__doc__ for name in methods)
    assert count >= 15
    assert (ROOT / "avatar_core" / "py.typed").is_file()


def test_importing_the_package_has_no_side_effects(tmp_path: Path) -> None:
    code = (
        "import sys, avatar_core\n"
        "assert avatar_core.__version__\n"
        "print([n for n in ('torch', 'transformers', 'numpy', 'pydantic') if n in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
    assert list(tmp_path.iterdir()) == []


def modules_with_examples() -> list[str]:
    """Modules of the core whose docstrings hold examples."""
    found = []
    for path in sorted((ROOT / "avatar_core").rglob("*.py")):
        if ">>> " in text_of(path) and ast.get_docstring(ast.parse(text_of(path))) is not None:
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(".".join(parts[: -1 if parts[-1] == "__init__" else None]))
    return found


def test_examples_in_docstrings_are_true() -> None:
    tried = 0
    for name in modules_with_examples():
        result = doctest.testmod(importlib.import_module(name))
        assert result.failed == 0, name
        assert result.attempted > 0, name
        tried += result.attempted
    assert tried >= 10


def test_the_shell_is_told_how_to_complete(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "avatar_cli"]
    plain = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def said(*arguments: str, **variables: str) -> str:
        return subprocess.run(
            [*program, *arguments],
            env={**plain, **variables},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    plain["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    assert "_AVATAR_COMPLETE=complete_bash" in said("--show-completion", "bash")
    completed = said(
        _AVATAR_COMPLETE="complete_bash", COMP_WORDS="avatar tr", COMP_CWORD="1"
    ).split()
    assert completed == ["train"]
    options = said(
        _AVATAR_COMPLETE="complete_bash", COMP_WORDS="avatar train --st", COMP_CWORD="2"
    ).split()
    assert {"--stage", "--steps"} <= set(options)
