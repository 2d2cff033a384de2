from __future__ import annotations

import os
import signal

import pytest

from avatar_core.errors import Stopped
from avatar_core.stop import stop_on_signal


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_waits_and_the_second_does_not(number: int, code: int) -> None:
    before = signal.getsignal(number)
    with stop_on_signal() as stop:
        stop.raise_if_asked("nobody asked")
        os.kill(os.getpid(), number)
        assert stop.signal == number
        with pytest.raises(Stopped, match="saved all") as asked:
            stop.raise_if_asked("saved all")
        with pytest.raises(Stopped, match="at once"):
            os.kill(os.getpid(), number)
    assert asked.value.exit_code == code
    assert signal.getsignal(number) is before
