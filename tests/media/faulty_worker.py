"""The worker of `avatar_core.media`, except that the name of a file can make it fail."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

from avatar_core.media import worker
from avatar_core.media.decode import decode


def faulty_decode(ref, *rest):
    name = Path(ref.path).name
    if name.startswith("spin"):
        # The expression engine never gives the interpreter back.
        re.match(r"(a+)+$", "a" * 64 + "b")
    if name.startswith("abort"):
        os.abort()
    if name.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("eats"):
        sys.stdout.write(str(len(bytearray(64 << 30))))
    if name.startswith("bug"):
        raise KeyError("secret bytes of the file")
    if name.startswith("noisy"):
        os.write(1, b"noise " * 100)
        os.write(2, b"noise " * 100)
    if name.startswith("mark"):
        with Path(ref.path + ".decoded").open("a") as file:
            file.write("x")
    return decode(ref, *rest)


if __name__ == "__main__":
    worker.decode = faulty_decode
    worker.main()
