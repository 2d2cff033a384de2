"""The error tree: one type per boundary a run can fail at, each with its exit code.

Four rules hold everywhere:

1. An error that a user can cause or cure derives from `AvatarError` and its text is one sentence:
   what went wrong, where (file, line, key), what to do. Behind an empty line it may show something
   that has lines of its own, such as the tree of files that is wanted.
2. `exit_code` is the process's exit status; the command line is the only place that reads it.
3. Anything else that escapes is a bug (exit code 1) and is reported as such.
4. A bad clip, reply or row that a run can count and survive is a record, not an exception.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

MEMORY_WORDS = ("out of memory", "can't allocate memory", "cublas_status_alloc_failed")
"""What a `RuntimeError` of torch says when memory ran out: any device, the CPU, cuBLAS."""


class AvatarError(Exception):
    """Base of every error that is the user's to act on; no subclass uses `exit_code` 1."""

    exit_code = 1


class UsageError(AvatarError):
    """A flag, configuration key or combination of them that cannot be honoured."""

    exit_code = 2


class DataError(UsageError):
    """A sample, annotation row or data file that is not what it must be; names file and line."""


class MediaError(UsageError):
    """A clip that cannot be read as asked.

    Attributes:
        path: the media file.
        reason: what is wrong with it, without the path.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, str]]:
        """Rebuild from (path, reason), so that the error survives a process boundary."""
        return type(self), (self.path, self.reason)


class MediaTimeout(MediaError):
    """Decoding passed its deadline and the worker was killed."""


class NoSoundError(MediaError):
    """Sound was required of a file that has no audio track."""


class TooManyFailures(AvatarError):
    """More items failed than an evaluation may lose and still print a score."""

    exit_code = 3


class CheckpointError(AvatarError):
    """A checkpoint or store is missing, torn or does not match its manifest."""

    exit_code = 4


class DiskError(AvatarError):
    """A write failed: no space, no permission, a read-only or broken device."""

    exit_code = 5


class RunLockedError(AvatarError):
    """Another process holds the run directory."""

    exit_code = 6


class NonFiniteError(AvatarError):
    """Too many consecutive steps had a loss or gradient that is not finite."""

    exit_code = 7


class OutOfMemoryError(AvatarError):
    """Memory ran out, on the device or on the machine."""

    exit_code = 8


class ServiceError(AvatarError):
    """A judge or served model stayed unreachable."""

    exit_code = 9


class Stopped(AvatarError):
    """A signal asked the run to stop; what it had done is saved.

    Attributes:
        exit_code: 128 + signal number (130 for SIGINT, 143 for SIGTERM).
    """

    def __init__(self, signal_number: int, message: str) -> None:
        self.exit_code = 128 + signal_number
        super().__init__(message)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on the CPU or on a device.

    Told by the text, since torch is not imported here and its CPU allocator raises a plain
    `RuntimeError`.
    """
    if isinstance(error, RuntimeError):
        return any(words in str(error).casefold() for words in MEMORY_WORDS)
    return isinstance(error, MemoryError)


@contextmanager
def memory_errors(remedy: str) -> Iterator[None]:
    """Turn memory that runs out inside the block into an `OutOfMemoryError`.

    Args:
        remedy: what the user can lower, as the end of a sentence.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise OutOfMemoryError(f"memory ran out ({reason[:160]}); {remedy}") from error
