"""Reward functions from a Python file that the user names.

Such a file is run, so only the command line and the configuration may name one, never data, a model
or a checkpoint.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from avatar_core.errors import AvatarError, UsageError
from avatar_core.rewards.registry import REWARDS, RewardFunction
from avatar_core.types import Sample

_loaded: dict[Path, tuple[str, ...]] = {}


def load_rewards(path: Path) -> tuple[str, ...]:
    """Run a Python file whose functions are marked with `avatar_core.rewards.register`.

    A file is run once per process; it may import installed packages but not its neighbours. When it
    fails, none of its rewards stays registered. An error inside one of its functions is later
    reported as the file's, not as one of this toolkit.

    Args:
        path: the file, whose name ends in `.py`.

    Returns:
        Names of the rewards it registers, in its order.

    Raises:
        UsageError: the file is missing or not Python, raises, registers nothing, or takes a name
            that is in use.
    """
    place = path.resolve()
    if place in _loaded:
        return _loaded[place]
    if not place.is_file():
        raise UsageError(f"reward file {path}: no such file; give the path of a Python file")
    if place.suffix != ".py":
        raise UsageError(f"reward file {path}: its name does not end in .py; rename it")
    before = dict(REWARDS)
    try:
        _run(path, place)
        names = tuple(name for name in REWARDS if name not in before)
        if not names:
            raise UsageError(
                f"reward file {path}: registers no reward; mark a function with @register(name)"
            )
    except AvatarError:
        REWARDS.clear()
        REWARDS.update(before)
        raise
    for name in names:
        REWARDS[name] = _attributed(REWARDS[name], name, path)
    _loaded[place] = names
    return names


def _run(path: Path, place: Path) -> None:
    """Import the file under a name of its own."""
    module_name = f"avatar_reward_file_{len(_loaded)}_{place.stem}"
    spec = importlib.util.spec_from_file_location(module_name, place)
    if spec is None or spec.loader is None:
        raise UsageError(f"reward file {path}: cannot be imported; check that it is Python source")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and type hints of the file look their module up by name.
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise UsageError(f"reward file {path}: {_told(error)}") from error


def _attributed(function: RewardFunction, name: str, path: Path) -> RewardFunction:
    """The function, with errors of its own told apart from those of this toolkit."""

    @functools.wraps(function)
    def attributed(texts: Sequence[str], sample: Sample, **options: object) -> list[float | None]:
        try:
            return function(texts, sample, **options)
        except AvatarError:
            raise
        except Exception as error:
            raise UsageError(
                f"reward {name!r} of {path}: sample {sample.id!r}: {_told(error)}"
            ) from error

    return attributed


def _told(error: BaseException) -> str:
    """An error in one line; one of this toolkit speaks for itself."""
    if isinstance(error, AvatarError):
        return str(error)
    return " ".join(f"raised {type(error).__name__}: {error}; mend it".split())
