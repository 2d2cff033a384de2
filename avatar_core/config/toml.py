"""A configuration as TOML, in the form that `resolve` reads."""

from __future__ import annotations

import tomli_w

from avatar_core.config.base import Frozen
from avatar_core.config.resolve import present


def to_toml(config: Frozen) -> str:
    """Every setting of a configuration that has a value; TOML knows no null."""
    return tomli_w.dumps(present(config.model_dump(mode="json")))
