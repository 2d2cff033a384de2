"""The benchmarks by name: what they are, how they are loaded, asked and summed up.

A benchmark registers itself when its module is imported. Those of this release are named in `HOMES`
and imported when benchmarks are first asked for: one that is made of other parts of the core, as
`scenes` is, stands above this package, which therefore knows it by name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Protocol

from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.published import PUBLISHED, Published
from avatar_core.errors import UsageError
from avatar_core.evaluation_records import EvalRow
from avatar_core.naming import nearest
from avatar_core.seeds import rng_from
from avatar_core.types import Content
from avatar_core.version import VERSION

HOMES = (
    "avatar_core.evaluation.scenes",
    "avatar_core.benchmarks.mmvu",
    "avatar_core.benchmarks.omnibench",
    "avatar_core.benchmarks.video_holmes",
    "avatar_core.benchmarks.daily_omni",
    "avatar_core.benchmarks.av_odyssey",
    "avatar_core.benchmarks.worldsense",
    "avatar_core.benchmarks.intentbench",
    "avatar_core.benchmarks.cg_av_counting",
    "avatar_core.benchmarks.mvbench",
    "avatar_core.benchmarks.video_mme",
    "avatar_core.benchmarks.lvbench",
    "avatar_core.benchmarks.tomato",
    "avatar_core.benchmarks.video_mmmu",
    "avatar_core.benchmarks.vsi_bench",
    "avatar_core.benchmarks.video_tt",
)
"""Modules that register the benchmarks of this release, in the order in which they are listed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items of a benchmark are wanted; `None` is the benchmark's own default.

    Attributes:
        split: of the benchmark.
        subset: part of it, such as "mc" or a track.
        mode: protocol, for benchmarks that have several.
        stage: training stage whose questions are asked, for `scenes`.
        question_only: without media.
        limit: most items.
        sample_seed: chooses them; `None` takes the first ones.
    """

    split: str | None = None
    subset: str | None = None
    mode: str | None = None
    stage: int | None = None
    question_only: bool = False
    limit: int | None = None
    sample_seed: int | None = None


class Load(Protocol):
    """Turns a benchmark's files into items; see `load` for what is done to them afterwards."""

    def __call__(self, root: Path | None, selection: Selection) -> list[Item]:
        """Give all items of the selection's split, subset and mode, in the order of the file."""
        ...


class Ask(Protocol):
    """Words a question; media that are not shown are not in `item.media`."""

    def __call__(self, item: Item, style: PromptStyle, /) -> Content:
        """Give media and texts of the user turn, in order."""
        ...


Strata = Callable[[EvalRow], tuple[str, ...]]
"""Place of a row in a tree whose unweighted means are taken from the leaves up."""
Figures = Callable[[Sequence[EvalRow]], Mapping[str, "float | None"]]
"""Further figures of all rows of a split, by name."""


FiguresOfMedia = Callable[[Sequence[EvalRow], Sequence[EvalRow]], Mapping[str, "float | None"]]
"""Figures of two runs over the same items, the first with questions only."""


def no_strata(_row: EvalRow) -> tuple[str, ...]:
    """All rows in one place: the headline is a plain mean."""
    return ()


def no_figures(_rows: Sequence[EvalRow]) -> Mapping[str, float | None]:
    """No figure besides the headline."""
    return {}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One evaluation set.

    Attributes:
        name: key on the command line.
        dataset: where its items come from: the hub id, others that hold the same behind it.
        items: size of the main split; `None` when it has no end.
        media: what an item shows, such as "video + sound".
        metric: what the headline figure is, for people.
        load: gives its items.
        ask: words them.
        styles: prompt styles that it has; the first is the default.
        system: text of the system turn by prompt style; absent for none of its own.
        subsets: values of `Selection.subset`, the default first; empty without subsets.
        modes: values of `Selection.mode`, the default first; empty without modes.
        splits: values of `Selection.split`, the default first.
        headline: name of the headline figure in `summary.json`.
        headlines: the same by mode, where it differs.
        graded: the headline is a mean of scores, partial credit included; otherwise the share of
            items with score 1.
        strata: where a row counts in the headline.
        figures: further figures.
        figures_of_media: what media add: figures of a run without them, then of one with them;
            `None` without such figures.
        published: figures of AVATAR's authors, of the default subset and mode; once registered,
            those of `PUBLISHED` where nothing else is said.
        layout: the tree of files that it wants, for an error message.
        default_limit: most items when nobody says; `None` for all.
        blind: `Selection.question_only` shows no media; otherwise `load` sees to it.
        embedded: at hand and asked as in training, with its stages; nothing to download.
    """

    name: str
    dataset: tuple[str, ...]
    items: int | None
    media: str
    metric: str
    load: Load
    ask: Ask
    layout: str
    styles: tuple[PromptStyle, ...] = ("official", "authors", "think")
    system: Mapping[PromptStyle, str] | None = None
    subsets: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ("test",)
    headline: str = "accuracy"
    headlines: Mapping[str, str] = field(default_factory=dict)
    graded: bool = False
    strata: Strata = no_strata
    figures: Figures = no_figures
    figures_of_media: FiguresOfMedia | None = None
    published: Published | None = None
    default_limit: int | None = None
    blind: bool = True
    embedded: bool = False


BENCHMARKS: dict[str, Benchmark] = {}
"""Registered so far, in that order; `available` gives all."""


def register(benchmark: Benchmark) -> Benchmark:
    """Add a benchmark to `BENCHMARKS`.

    Raises:
        UsageError: the name is taken.
    """
    if benchmark.name in BENCHMARKS:
        raise UsageError(f"benchmark {benchmark.name!r} is already registered; choose another name")
    published = benchmark.published or PUBLISHED.get(benchmark.name)
    BENCHMARKS[benchmark.name] = replace(benchmark, published=published)
    return BENCHMARKS[benchmark.name]


def available() -> dict[str, Benchmark]:
    """Every benchmark there is, by name: those of `HOMES` in their order, then any others."""
    for home in HOMES:
        import_module(home)
    order = [home.rpartition(".")[2] for home in HOMES]
    own = [name for name in order if name in BENCHMARKS]
    return {name: BENCHMARKS[name] for name in dict.fromkeys((*own, *BENCHMARKS))}


def find(name: str) -> Benchmark:
    """The benchmark of a name; `UsageError` that names those there are when it is none of them."""
    known = available()
    if name not in known:
        raise UsageError(
            f"benchmark {name!r} is not part of avatar {VERSION}"
            + (nearest(name, known) or f"; known: {', '.join(known)}")
        )
    return known[name]


def load(name: str, data_root: Path | None = None, **options: object) -> list[Item]:
    """Items of a benchmark.

    Args:
        name: one of `available()`.
        data_root: directory of its files; `None` for the default place.
        options: fields of `Selection`.

    Raises:
        UsageError: unknown benchmark, or an option that it does not have.
        DataError: its files are missing or not what they must be.
    """
    return select(find(name), data_root, Selection(**options))  # type: ignore[arg-type]


def select(benchmark: Benchmark, data_root: Path | None, selection: Selection) -> list[Item]:
    """Items of a benchmark, each id once; of a limited selection the first or a drawn part.

    Raises:
        UsageError: an option that the benchmark does not have, or no item is left.
        DataError: its files are missing or not what they must be.
    """
    check(benchmark, selection)
    items = benchmark.load(data_root, resolved(benchmark, selection))
    ids = {item.id for item in items}
    if not items:
        raise UsageError(f"{benchmark.name}: its files hold no item of what is asked; check them")
    if len(ids) < len(items):
        raise UsageError(f"{benchmark.name}: two of its items have the same id; check its files")
    limit = selection.limit or benchmark.default_limit or len(items)
    if selection.sample_seed is not None and limit < len(items):
        drawn = rng_from("items", benchmark.name, selection.sample_seed).sample(sorted(ids), limit)
        kept = set(drawn)
        items = [item for item in items if item.id in kept]
    if selection.question_only and benchmark.blind:
        items = [replace(i, media=(), missing=(), cluster=cluster_of(i)) for i in items]
    return items[:limit]


def resolved(benchmark: Benchmark, selection: Selection) -> Selection:
    """A selection with the defaults of a benchmark in the place of what was not said."""
    return replace(
        selection,
        split=selection.split or benchmark.splits[0],
        subset=selection.subset or (benchmark.subsets or (None,))[0],
        mode=selection.mode or (benchmark.modes or (None,))[0],
        limit=selection.limit or benchmark.default_limit,
    )


def check(benchmark: Benchmark, selection: Selection) -> None:
    """Refuse, as `UsageError`, what a selection says that the benchmark does not have."""
    if selection.stage is not None and not benchmark.embedded:
        raise UsageError(f"{benchmark.name} has no stages; leave --stage {selection.stage} out")
    for option, value, known in (
        ("split", selection.split, benchmark.splits),
        ("subset", selection.subset, benchmark.subsets),
        ("mode", selection.mode, benchmark.modes),
    ):
        if value is not None and value not in known:
            raise UsageError(
                f"{benchmark.name} has no {option} {value!r}{nearest(value, known)}"
                if known
                else f"{benchmark.name} has no {option}s; leave --{option} {value} out"
            )


def cluster_of(item: Item) -> str:
    """What the media of an item are part of; its own id where it shows none.

    It is the first video: pictures and sounds beside it change nothing about whose questions these
    are. Without a video it is all media together.
    """
    videos = [ref.path for ref in item.media if ref.kind == "video"]
    joined = "|".join(dict.fromkeys(ref.path for ref in item.media))
    return item.cluster or (videos[0] if videos else joined) or item.id


def is_main(benchmark: Benchmark, selection: Selection) -> bool:
    """Whether a selection is what published figures are of: main split, subset and mode, whole."""
    return resolved(benchmark, selection) == resolved(benchmark, Selection())
