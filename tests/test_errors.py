from __future__ import annotations

import pickle
import signal

import pytest

from avatar_core import errors
from avatar_core.errors import (
    AvatarError,
    MediaError,
    MediaTimeout,
    NoSoundError,
    OutOfMemoryError,
    Stopped,
    memory_errors,
)

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


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee the documentation"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_memory_that_runs_out_is_one_line_with_a_remedy(error: Exception) -> None:
    with pytest.raises(OutOfMemoryError, match="memory ran out .*; lower x") as caught:
        with memory_errors("lower x"):
            raise error
    assert caught.value.exit_code == 8
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory")])
def test_other_errors_pass_as_they_are(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)), memory_errors("lower x"):
        raise error
