"""A configuration as TOML, in the form that `resolve` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w

from avatar_core.config.base import Frozen


def to_toml(config: Frozen) -> str:
    """Every setting of a configuration; TOML has no null, so settings that are `None` are absent."""
    return tomli_w.dumps(_present(config.model_dump(mode="json")))


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _present(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }
