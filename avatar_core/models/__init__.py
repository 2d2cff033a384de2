"""Models behind the `Policy` protocol; `load_policy` is the way in."""

from avatar_core.models.loading import load_policy

__all__ = ["load_policy"]
