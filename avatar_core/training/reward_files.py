"""Files of reward functions that a run was told to use: run once, and the same until its end.

Only the configuration of the run itself names them. That of a checkpoint or of the run in which it
lies is never asked, so that loading a model runs no code of whoever made it.
"""

from __future__ import annotations

from pathlib import Path

from avatar_core.config.reward import RewardConfig
from avatar_core.errors import UsageError
from avatar_core.files import file_digest, read_errors, user_path
from avatar_core.records import read_manifest
from avatar_core.rewards.custom import load_rewards

SETTING = "--reward-file"
PREFIX = "reward file "


def reward_versions(config: RewardConfig) -> dict[str, str]:
    """SHA-256 of each reward file, under the name that it has among a manifest's versions.

    Raises:
        UsageError: a file is not there or cannot be read.
    """
    found = {}
    for name in config.files:
        path = user_path(name, SETTING)
        with read_errors(path):
            found[PREFIX + name] = file_digest(path)
    return found


def load_reward_files(config: RewardConfig, run: Path) -> None:
    """Register the rewards of the files that a run names; writes nothing.

    Raises:
        UsageError: a file cannot be used, or the run in this directory began with other code in it;
            then nothing of it is run.
    """
    versions = reward_versions(config)
    check_unchanged(versions, run)
    for name in config.files:
        load_rewards(Path(name))


def check_unchanged(versions: dict[str, str], run: Path) -> None:
    """Raise `UsageError` when the run in a directory began with other reward code."""
    begun = read_manifest(run) if versions else None
    for name, digest in versions.items():
        if begun is not None and begun.versions.get(name, digest) != digest:
            raise UsageError(
                f"{SETTING} {name.removeprefix(PREFIX)}: has changed since the run in {run} began; "
                "restore it or choose another --out"
            )
