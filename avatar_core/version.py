"""The one place where the version is written."""

from __future__ import annotations

VERSION = "0.1.0"
