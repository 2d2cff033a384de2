"""Fetches the files of a benchmark that are not on this machine, after saying how much it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from avatar_cli.options import Output
from avatar_cli.render import console, progress_bar
from avatar_core.errors import UsageError

if TYPE_CHECKING:
    from avatar_core.benchmarks import Benchmark
    from avatar_core.config.evaluate import EvalConfig


def fetch_missing(config: EvalConfig, output: Output) -> None:
    """Download what the benchmarks asked for lack; nothing when their directories are there.

    Raises:
        UsageError: the user says no, or cannot be asked and did not say `--yes`.
        DataError: the data cannot be reached; the message shows the tree that is wanted.
    """
    from avatar_core.benchmarks import find
    from avatar_core.benchmarks.annotations import default_root
    from avatar_core.benchmarks.download import unfinished
    from avatar_core.evaluation.selecting import root_of

    for name in config.names:
        benchmark = find(name)
        root = root_of(config, name) or default_root(name)
        if benchmark.embedded or root is None:
            continue
        if not root.is_dir() or unfinished(root):
            fetch(benchmark, root, output, agreed=config.download)


def fetch(benchmark: Benchmark, root: Path, output: Output, *, agreed: bool) -> None:
    """Download one benchmark into its directory.

    Args:
        benchmark: what to fetch.
        root: directory of its files.
        output: how to show the progress.
        agreed: the user has said yes beforehand.
    """
    from avatar_core.benchmarks.download import obtain, plan

    found = plan(benchmark.name, benchmark.dataset, benchmark.layout)
    size = f"{found.bytes / 1e9:.1f} GB"
    said = f"{benchmark.name}: {found.dataset}, {len(found.files)} files, {size}, into {root}"
    console(stderr=True).print(said, markup=False, highlight=False)
    if not agreed and not may_fetch(size):
        raise UsageError(f"{said}: not downloaded; run again with --yes, or give --data-root")
    with progress_bar(output) as bar:
        task = bar.add_task(f"fetching {benchmark.name}", total=found.bytes, note="")
        obtain(
            found,
            root,
            lambda done: bar.update(task, completed=done),
            lambda archive: bar.update(task, note=f"unpacking {archive.name}"),
        )


def may_fetch(size: str) -> bool:
    """Ask for leave to download; no where nobody can be asked."""
    if not console(stderr=True).is_terminal:
        return False
    return typer.confirm(f"Download {size}? Archives need as much again.", err=True)
