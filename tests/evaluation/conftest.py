from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny_run import tiny_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with the untrained tiny model."""
    return tiny_run(tmp_path_factory.mktemp("runs") / "first")


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where scenes are rendered."""
    return tmp_path_factory.mktemp("scenes")
