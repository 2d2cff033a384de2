from __future__ import annotations

import gc

import pytest

from avatar_cli.library_loading import libraries
from avatar_cli.options import Output


def test_nothing_is_collected_while_libraries_load_and_what_they_made_is_passed_by_later() -> None:
    frozen = gc.get_freeze_count()
    try:
        with libraries(None, Output()):
            assert not gc.isenabled()
            made = [[number] for number in range(1000)]
        assert gc.isenabled()
        # Everything that is tracked, the thousand lists and the one that holds them among it.
        assert gc.get_freeze_count() > frozen + len(made)
    finally:
        gc.unfreeze()


def test_collection_goes_on_when_a_library_cannot_be_loaded() -> None:
    try:
        with pytest.raises(ImportError), libraries(None, Output()):
            raise ImportError
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_the_model_that_follows_is_said_once_but_not_when_quiet_or_in_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = {}
    try:
        for output in (Output(), Output(quiet=True), Output(as_json=True)):
            with libraries("runs/demo", output):
                pass
            shown = capsys.readouterr()
            told[output] = shown.err
            assert shown.out == ""
    finally:
        gc.unfreeze()
    assert list(told.values()) == ["loading runs/demo\n", "", ""]
