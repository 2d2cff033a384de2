"""What holds for every benchmark in every layout: scores by hand, stable ids, frozen prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks import Benchmark, Item, PromptStyle, available, select
from avatar_core.benchmarks.annotations import iter_rows
from avatar_core.evaluation.answering import failed_row, scored_row
from avatar_core.evaluation.tally import Measure, headline, subset_scores
from avatar_core.evaluation.tasks import task_of
from avatar_core.evaluation_records import EvalRow
from avatar_core.types import Content
from tests.benchmarks.kit.case import Case
from tests.benchmarks.kit.every import NAMES, kit, layouts

GOLDEN = Path(__file__).parents[1] / "golden" / "prompts"
LAYOUTS = layouts()
CASES = [
    pytest.param(name, case, id=f"{name}-{number}-{case.layout}")
    for name in NAMES
    for number, case in enumerate(kit(name).CASES)
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedded media go to a folder of the test."""
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path_factory.mktemp("cache")))


def benchmark(name: str) -> Benchmark:
    return available()[name]


def row_of(one: Benchmark, item: Item, replies: Any) -> EvalRow:
    task = task_of(item, one.ask, one.styles[0])
    if item.id not in replies:
        return failed_row(task)
    return scored_row(task, replies[item.id], truncated=False)


def test_every_benchmark_has_a_kit_and_every_kit_cases() -> None:
    assert {"scenes", *NAMES} == set(available())
    assert len(NAMES) == 15
    assert len(LAYOUTS) >= 30
    covered = {(name, case.layout) for name in NAMES for case in kit(name).CASES}
    assert covered == set(LAYOUTS)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_scripted_replies_score_what_was_worked_out_by_hand(
    name: str, case: Case, tmp_path: Path
) -> None:
    one = benchmark(name)
    kit(name).write(tmp_path / "data", case.layout)
    items = select(one, tmp_path / "data", case.selection)
    assert set(case.replies) <= {item.id for item in items}
    rows = [row_of(one, item, case.replies) for item in items]
    measure = Measure(one.headline, one.graded, one.strata)
    assert headline(rows, measure) == pytest.approx(case.headline, abs=1e-12)
    figures = one.figures(rows)
    assert {key: figures[key] for key in case.figures} == pytest.approx(dict(case.figures))
    found = subset_scores(rows, measure)
    for breakdown, categories in case.groups.items():
        shares = {category: found[breakdown][category].accuracy for category in categories}
        assert shares == pytest.approx(dict(categories))


@pytest.mark.parametrize(("name", "layout"), LAYOUTS)
def test_ids_do_not_depend_on_the_order_of_the_file(name: str, layout: str, tmp_path: Path) -> None:
    facts = []
    for folder, reverse in (("as it is", False), ("reversed", True)):
        kit(name).write(tmp_path / folder, layout, reverse=reverse)
        for case in kit(name).CASES:
            if case.layout == layout:
                found = select(benchmark(name), tmp_path / folder, case.selection)
                named = {item.id: (item.question, item.gold) for item in found}
                assert len(named) == len(found) > 0
                facts.append((folder, named))
    half = len(facts) // 2
    assert half > 0
    for (_, forward), (_, backward) in zip(facts[:half], facts[half:], strict=True):
        assert forward == backward


@pytest.mark.parametrize("name", NAMES)
def test_a_second_form_of_a_file_doubles_nothing(name: str, tmp_path: Path) -> None:
    """JSON beside JSON Lines of the same rows: one of them is read."""
    forms = 0
    for layout, case in {case.layout: case for case in kit(name).CASES}.items():
        root = tmp_path / layout
        kit(name).write(root, layout)
        before = {item.id for item in select(benchmark(name), root, case.selection)}
        # A file with a number for a name lies beside a video and describes it.
        for path in sorted(p for p in root.rglob("*.json*") if not p.stem.isdigit()):
            rows = [dict(row.fields) for row in iter_rows(path)]
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            whole = path.suffix == ".jsonl"
            other = path.with_suffix(".json" if whole else ".jsonl")
            other.write_text(json.dumps(rows) if whole else lines, encoding="utf-8")
            forms += 1
        assert {item.id for item in select(benchmark(name), root, case.selection)} == before
    assert forms > 0


def described(content: Content, root: Path) -> list[str]:
    """A prompt as text: media by kind and place below the root, embedded ones by their kind."""
    lines = []
    for part in content:
        if isinstance(part, str):
            lines.append(part)
            continue
        path = Path(part.path)
        place = path.relative_to(root).as_posix() if path.is_relative_to(root) else "embedded"
        window = "" if part.start is None else f" {part.start}-{part.end}"
        lines.append(f"<{part.kind}: {place}{window}>")
    return lines


def prompts(name: str, root: Path) -> dict[str, Any]:
    """The first two prompts of every case's selection in every wording, by case and style."""
    one = benchmark(name)
    found: dict[str, Any] = {}
    for number, case in enumerate(kit(name).CASES):
        place = root / f"{name}-{number}"
        kit(name).write(place, case.layout)
        items = select(one, place, case.selection)
        styles: tuple[PromptStyle, ...] = one.styles
        found[f"{number} {case.layout}"] = {
            style: {item.id: described(one.ask(item, style), place) for item in items[:2]}
            for style in styles
        }
    return {"system": dict(one.system or {}), "prompts": found}


@pytest.mark.parametrize("name", NAMES)
def test_prompts_are_frozen(name: str, tmp_path: Path) -> None:
    """A change of wording changes scores: it must be seen, and the file here made anew.

    To make it anew, delete the file and run this test: it writes the file and fails once.
    """
    path = GOLDEN / f"{name}.json"
    now = json.dumps(prompts(name, tmp_path), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now, encoding="utf-8")
        pytest.fail(f"{path.name} was missing and has been written; read it and run again")
    assert now == path.read_text(encoding="utf-8")
