"""The library behind `avatar`: reinforcement learning of models that see, hear and reason.

Importing the package loads nothing heavy; the three functions below load torch when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from avatar_core.version import VERSION as __version__

if TYPE_CHECKING:
    from avatar_core.evaluation.run import evaluate
    from avatar_core.inference import infer
    from avatar_core.training.run import train

__all__ = ["__version__", "evaluate", "infer", "train"]

_HOMES = {
    "evaluate": "avatar_core.evaluation.run",
    "infer": "avatar_core.inference",
    "train": "avatar_core.training.run",
}


def __getattr__(name: str) -> object:
    """Import a public function from its home the first time it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
