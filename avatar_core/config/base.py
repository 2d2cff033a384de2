"""The one base of every configuration model: frozen, unknown keys refused, nothing imported from torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable settings whose unknown keys are errors and whose field docstrings are their help texts."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )
