"""When a failed request is worth another try, and how long to wait before it."""

from __future__ import annotations

import datetime
import email.utils
import random

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
_RETRIABLE = frozenset({408, 409, 429})


def worth_retrying(status: int) -> bool:
    """Whether a status tells of a passing trouble: 408, 409, 429 and all from 500 on."""
    return status in _RETRIABLE or 500 <= status < 600


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After header, at least 0.

    Args:
        header: a number of seconds or an HTTP date.
        now: seconds since the epoch.

    Returns:
        The wait, or `None` when the header is absent or neither.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        date = email.utils.parsedate_to_datetime(text)
        # An HTTP date is in GMT also where it does not say so.
        aware = date if date.tzinfo else date.replace(tzinfo=datetime.timezone.utc)
        return max(0.0, aware.timestamp() - now)
    except (ValueError, OverflowError):
        return None


def backoff(tried: int, rng: random.Random) -> float:
    """Seconds to wait after `tried` failed tries: min(60, ½ · 2^(tried − 1)) times ½ to 1.

    The random part keeps requests that failed together from coming back together.
    """
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (tried - 1)) * rng.uniform(0.5, 1.0)
