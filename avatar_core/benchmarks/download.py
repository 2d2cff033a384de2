"""Fetches the files of a benchmark from the hub: what it would take, the transfer, the unpacking.

Nothing here asks: whoever calls says the size first. A transfer that broke off is `unfinished`, and
the same call goes on with it; unpacking that broke off is `unpacking_pending` and needs no hub.
"""

from __future__ import annotations

import errno
import glob
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from avatar_core.benchmarks.annotations import wanted
from avatar_core.benchmarks.unpacking import Unpacked, unpack
from avatar_core.errors import DataError, DiskError
from avatar_core.files import disk_errors, read_json, write_json
from avatar_core.hub import hub_errors

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MARK = ".avatar-download.json"
"""File in the root: what was fetched, whether all arrived, and whether it was gone through."""
INTERVAL = 0.5
"""Seconds between two reports of a transfer."""
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES})
"""What the system says of a disk that is full or may not be written."""
_NO_PATH = re.compile(r"^/|^[A-Za-z]:|[\\\x00-\x1f]")
_PARTIAL = Path(".cache", "huggingface", "download")
"""Where the hub's library keeps files that are still arriving."""


class Unreachable(DataError):
    """No data set that holds a benchmark can be reached on the hub.

    Attributes:
        reason: which were tried, and what came of each.
        remedy: what to do, and the tree that is wanted.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}")

    def __reduce__(self) -> tuple[type[Unreachable], tuple[str, str]]:
        """Rebuild from (reason, remedy), so that the error survives a process boundary."""
        return type(self), (self.reason, self.remedy)


class HubFile(NamedTuple):
    """One file of a data set on the hub."""

    name: str
    """Path in the data set."""
    size: int
    """Bytes."""


class Plan(NamedTuple):
    """What a download would fetch."""

    dataset: str
    """Id of the data set."""
    revision: str
    """Commit that the files are taken from."""
    files: tuple[HubFile, ...]
    """All of them but hidden ones."""
    bytes: int
    """Their size together; archives take as much again when they are unpacked."""


def plan(name: str, dataset_ids: Sequence[str], layout: str, api: HfApi | None = None) -> Plan:
    """What the first of several data sets that can be reached would take.

    Args:
        name: key of the benchmark.
        dataset_ids: data sets that hold the same, the best one first.
        layout: the tree that is wanted, for the message.
        api: the hub; `None` for the one that huggingface_hub is set up for.

    Raises:
        Unreachable: none of them can be reached; the message shows the tree and what to do.
        DataError: one has a file that may not be stored.
    """
    hub = api or _hub()
    reasons: list[str] = []
    for dataset in dataset_ids:
        with _reasons(reasons):
            info = hub.dataset_info(dataset, files_metadata=True)
            siblings = info.siblings or []
            files = sorted(HubFile(part.rfilename, part.size or 0) for part in siblings)
            _check_names(dataset, files)
            kept = tuple(file for file in files if not _hidden(file.name))
            return Plan(dataset, info.sha or "main", kept, sum(file.size for file in kept))
    tried = "; ".join(
        f"{dataset}: {reason}" for dataset, reason in zip(dataset_ids, reasons, strict=True)
    )
    raise Unreachable(
        f"{name}: its data are not all on this machine and cannot be fetched ({tried})",
        f"go online and run again with --yes, or {wanted(name, layout)}",
    )


def obtain(
    plan: Plan,
    root: Path,
    progress: Callable[[int], None] | None = None,
    unpacking: Callable[[Path], None] | None = None,
    api: HfApi | None = None,
) -> list[Unpacked]:
    """Fetch and unpack a data set; called again after a break, it goes on.

    Args:
        plan: what to fetch.
        root: directory of the benchmark; made when it is not there.
        progress: called from another thread now and then with the bytes that are there.
        unpacking: called with each archive before it is unpacked.
        api: the hub; `None` for the one that huggingface_hub is set up for.

    Returns:
        What became of each archive; those that are not safe to unpack are left as they are.

    Raises:
        DataError: the transfer broke off, or an archive cannot be read from the disk.
        DiskError: there is no room, or a file cannot be written.
    """
    facts = {"dataset": plan.dataset, "revision": plan.revision, "bytes": plan.bytes}
    write_json(root / MARK, {**facts, "complete": False, "unpacked": False})
    fetch(plan, root, progress, api)
    write_json(root / MARK, {**facts, "complete": True, "unpacked": False})
    return unpack_rest(root, unpacking)


def unpack_rest(root: Path, unpacking: Callable[[Path], None] | None = None) -> list[Unpacked]:
    """Unpack the archives of a directory, fetched here or by hand; see `obtain` and `unpack`."""
    done = unpack(root, unpacking)
    if facts := _mark(root):
        write_json(root / MARK, {**facts, "unpacked": True})
    return done


def unfinished(root: Path) -> bool:
    """Whether a transfer into a directory was begun and not brought to its end."""
    facts = _mark(root)
    return facts is not None and facts.get("complete") is not True


def unpacking_pending(root: Path) -> bool:
    """Whether all files of a download arrived, but not all archives were gone through."""
    facts = _mark(root)
    return facts is not None and not unfinished(root) and facts.get("unpacked") is not True


def _mark(root: Path) -> dict[str, Any] | None:
    path = root / MARK
    if not path.is_file():
        return None
    facts = read_json(path)
    return facts if isinstance(facts, dict) else {}


def fetch(
    plan: Plan,
    root: Path,
    progress: Callable[[int], None] | None = None,
    api: HfApi | None = None,
) -> None:
    """Bring the files of a plan into a directory; those that are there are not fetched again.

    Args:
        plan: what to fetch.
        root: directory of the benchmark; made when it is not there.
        progress: called from another thread now and then with the bytes that are there.
        api: the hub; `None` for the one that huggingface_hub is set up for.

    Raises:
        DataError: the hub cannot be reached or does not give all files.
        DiskError: there is no room, or a file cannot be written.
    """
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        free, left = shutil.disk_usage(root).free, plan.bytes - _arrived(plan, root)
    if left > free:
        raise DiskError(
            f"{root}: {plan.dataset} takes {left} bytes more, but only {free} are free; "
            "free space or give another --data-root"
        )
    reasons: list[str] = []
    with _reported(plan, root, progress), _reasons(reasons), _refused_disk(root):
        (api or _hub()).snapshot_download(
            plan.dataset,
            repo_type="dataset",
            revision=plan.revision,
            local_dir=root,
            # Names are patterns there.
            allow_patterns=[glob.escape(file.name) for file in plan.files],
            tqdm_class=_silent(),
        )
    # Without a connection the library gives what there is as if it were all.
    missing = [file.name for file in plan.files if _size(root / file.name) != file.size]
    if reasons or missing:
        reason = reasons[0] if reasons else f"{missing[0]} is not complete"
        raise DataError(
            f"{plan.dataset}: {len(missing)} of {len(plan.files)} files did not arrive in {root} "
            f"({reason}); run again to fetch the rest"
        )


def _hub() -> HfApi:
    from huggingface_hub import HfApi

    return HfApi()


def _silent() -> Any:
    """The library's progress bar without its output, which would disturb our own."""
    from huggingface_hub.utils.tqdm import tqdm

    class Silent(tqdm):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(  # type: ignore[no-untyped-call]
                *args, **{**settings, "disable": True}
            )

    return Silent


@contextmanager
def _refused_disk(root: Path) -> Iterator[None]:
    """Turn what the disk refuses inside the block into a `DiskError`; no hub is to blame."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise DiskError(
            f"{root}: cannot write: {error.strerror}; free space or give another --data-root, "
            "then run again to fetch the rest"
        ) from error


@contextmanager
def _reasons(reasons: list[str]) -> Iterator[None]:
    """Note in one line why the hub could not be used inside the block."""
    try:
        yield
    except hub_errors() as error:
        kind = type(error).__name__
        text = " ".join(str(error).split())
        if kind == "GatedRepoError":
            text = "accept its terms on its page, then log in with `hf auth login`"
        reasons.append(f"{kind}: {text[:160]}")


def _check_names(dataset: str, files: Sequence[HubFile]) -> None:
    for file in files:
        if ".." in file.name.split("/") or _NO_PATH.search(file.name):
            raise DataError(
                f"{dataset}: file {file.name[:80]!r} would leave the directory; fetch by hand what "
                "you need of it"
            )


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


@contextmanager
def _reported(plan: Plan, root: Path, progress: Callable[[int], None] | None) -> Iterator[None]:
    """Call `progress` with the bytes that are there while the block runs, and at its end."""
    if progress is None:
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(INTERVAL):
            progress(_arrived(plan, root))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        progress(_arrived(plan, root))


def _arrived(plan: Plan, root: Path) -> int:
    whole = sum(min(_size(root / file.name), file.size) for file in plan.files)
    partial = sum(map(_size, (root / _PARTIAL).rglob("*.incomplete")))
    return min(whole + partial, plan.bytes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        # It was renamed between two looks.
        return 0
