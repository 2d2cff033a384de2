"""Fetches the files of a benchmark that are not on this machine, after saying how much it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from avatar_cli.options import Output
from avatar_cli.render import console, progress_bar, safe
from avatar_core.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from avatar_core.benchmarks import Benchmark
    from avatar_core.benchmarks.unpacking import Unpacked
    from avatar_core.config.evaluate import EvalConfig


DATA_SUFFIXES = (".json", ".jsonl", ".parquet", ".mp4", ".mkv", ".webm", ".avi", ".wav", ".jpg")
"""Of files that may be a benchmark's."""


def fetch_missing(config: EvalConfig, output: Output) -> None:
    """Download what the benchmarks asked for lack; nothing when their directories are there.

    An empty directory is one that is not there. A download that broke off goes on where the hub can
    be reached; where it cannot, what has arrived is used, which is said, and loading tells what is
    missing. Archives are unpacked where a download of ours left them packed, and with `--yes` in
    any directory that lacks media.

    Raises:
        UsageError: the user says no, or cannot be asked and did not say `--yes`.
        DataError: the data cannot be reached, or no directory is given for them; the message shows
            the tree that is wanted.
    """
    from avatar_core.benchmarks.download import unfinished, unpacking_pending
    from avatar_core.evaluation.own_data import benchmark_of

    for name in config.names:
        benchmark = benchmark_of(name)
        if benchmark.embedded:
            continue
        root = destination(config, name)
        if root is None:
            raise DataError(no_directory(benchmark))
        lacking = is_absent(root) or unfinished(root)
        if lacking and fetch(benchmark, root, output, agreed=config.download):
            continue
        if unpacking_pending(root) or (config.download and lacks_unpacked(config, benchmark, root)):
            unpack_found(benchmark, root, output)


def no_directory(benchmark: Benchmark) -> str:
    """That nobody said where the files of a benchmark are, where they come from, and their tree."""
    name, source = benchmark.name, benchmark.dataset[0]
    return (
        f"{name}: no directory is given; name one by --data-root, with --yes to have {source} "
        f"downloaded into it, or set AVATAR_DATA to the directory that holds {name}; wanted:\n\n"
        f"{benchmark.layout.strip()}"
    )


def destination(config: EvalConfig, name: str) -> Path | None:
    """Where the files of one benchmark are or, when they are nowhere, belong; `None` for nowhere.

    A data root without a folder of the benchmark is taken itself when it is called like the
    benchmark or holds data that may be the benchmark's; otherwise it is where such folders are
    made.
    """
    from avatar_core.benchmarks.annotations import default_root
    from avatar_core.benchmarks.download import MARK
    from avatar_core.evaluation.selecting import root_of

    root = root_of(config, name) or default_root(name)
    if root is None or root != config.data_root or root.resolve().name == name:
        return root
    is_file = root.exists() and not root.is_dir()
    taken = is_file or (root / MARK).is_file() or holds_data(root)
    return root if taken else root / name


def holds_data(root: Path) -> bool:
    """Whether annotations, media or archives lie in a directory, folders of benchmarks apart."""
    from avatar_core.benchmarks import available
    from avatar_core.benchmarks.archives import is_archive

    known = set(available())
    for directory, folders, files in os.walk(root):
        top = Path(directory) == root
        folders[:] = [n for n in folders if not n.startswith(".") and not (top and n in known)]
        if any(
            name.lower().endswith(DATA_SUFFIXES) or is_archive(name)
            for name in files
            if not name.startswith(".")
        ):
            return True
    return False


def is_absent(root: Path) -> bool:
    """Whether nothing is at a path, or a directory that holds hidden files at most."""
    from avatar_core.files import read_errors

    with read_errors(root):
        if root.is_dir():
            return all(name.startswith(".") for name in os.listdir(root))
        return not root.exists()


def fetch(benchmark: Benchmark, root: Path, output: Output, *, agreed: bool) -> bool:
    """Download one benchmark into its directory.

    Args:
        benchmark: what to fetch.
        root: directory of its files.
        output: how to show the progress.
        agreed: the user has said yes beforehand.

    Returns:
        `False` when the hub cannot be reached and a part of the files is there.
    """
    from avatar_core.benchmarks.download import MARK, Unreachable, obtain, plan

    rest = not is_absent(root)
    try:
        found = plan(benchmark.name, benchmark.dataset, benchmark.layout)
    except Unreachable as error:
        if not rest:
            raise
        tell(
            f"{error.reason}; the download into {root} broke off and what is there is used: go "
            f"online to fetch the rest, or remove {root / MARK} if nothing is missing"
        )
        return False
    size = f"{found.bytes / 1e9:.1f} GB"
    said = f"{benchmark.name}: {found.dataset}, {len(found.files)} files, {size}, into {root}"
    tell(said)
    if not agreed and not may_fetch(size):
        other = f"remove {root / MARK} to use what is there" if rest else "give --data-root"
        raise UsageError(f"{said}: not downloaded; run again with --yes, or {other}")
    with progress_bar(output) as bar:
        task = bar.add_task(f"fetching {benchmark.name}", total=found.bytes, note="")
        archives = obtain(
            found,
            root,
            lambda done: bar.update(task, completed=done),
            lambda archive: bar.update(task, note=f"unpacking {archive.name}"),
        )
    tell_left(benchmark, archives)
    return True


def lacks_unpacked(config: EvalConfig, benchmark: Benchmark, root: Path) -> bool:
    """Whether media are missing where archives lie that were not tried."""
    from avatar_core.benchmarks import select
    from avatar_core.benchmarks.unpacking import still_packed
    from avatar_core.evaluation.selecting import selection_of

    if None not in still_packed(root).values():
        return False
    return any(item.missing for item in select(benchmark, root, selection_of(config)))


def unpack_found(benchmark: Benchmark, root: Path, output: Output) -> None:
    """Unpack the archives that lie in the directory of a benchmark."""
    from avatar_core.benchmarks.download import unpack_rest

    with progress_bar(output) as bar:
        task = bar.add_task(f"unpacking {benchmark.name}", total=None, note="")
        archives = unpack_rest(root, lambda archive: bar.update(task, note=archive.name, advance=1))
    tell_left(benchmark, archives)


def tell_left(benchmark: Benchmark, archives: Iterable[Unpacked]) -> None:
    """Say which archives were refused just now, and why."""
    for archive in archives:
        if archive.left is not None:
            tell(f"{benchmark.name}: an archive stays packed: {archive.left}")


def tell(text: str) -> None:
    """Print a line about what is done, which may hold names that others gave."""
    console(stderr=True).print(safe(text), soft_wrap=True)


def may_fetch(size: str) -> bool:
    """Ask for leave to download; no where nobody can be asked."""
    if not console(stderr=True).is_terminal:
        return False
    return typer.confirm(f"Download {size}? Archives need as much again.", err=True)
