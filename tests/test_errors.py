from __future__ import annotations

import pickle
import signal

import pytest

from avatar_core import errors
from avatar_core.errors import AvatarError, MediaError, MediaTimeout, NoSoundError, Stopped

CODES = {
    "UsageError": 2,
    "DataError": 2,
    "MediaError": 2,
    "MediaTimeout": 2,
    "NoSoundError": 2,
    "TooManyFailures": 3,
    "CheckpointError": 4,
    "DiskError": 5,
    "RunLockedError": 6,
    "NonFiniteError": 7,
    "OutOfMemoryError": 8,
    "ServiceError": 9,
}


def test_every_error_has_its_documented_exit_code() -> None:
    found = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, AvatarError)
        if kind not in (AvatarError, Stopped)
    }
    assert found == CODES


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_gives_128_plus_its_number(number: int, code: int) -> None:
    assert Stopped(number, "stopped").exit_code == code


@pytest.mark.parametrize("kind", [MediaError, MediaTimeout, NoSoundError])
def test_media_errors_survive_a_process_boundary(kind: type[MediaError]) -> None:
    error = kind("a/b.mp4", "no picture")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - as multiprocessing does
    assert (type(copy), copy.path, copy.reason) == (kind, "a/b.mp4", "no picture")
    assert str(copy) == "a/b.mp4: no picture"
