from __future__ import annotations

import gc

import pytest

from avatar_cli.library_loading import libraries


def test_nothing_is_collected_while_libraries_load_and_what_they_made_is_passed_by_later() -> None:
    frozen = gc.get_freeze_count()
    try:
        with libraries():
            assert not gc.isenabled()
            made = [[number] for number in range(1000)]
        assert gc.isenabled()
        # Everything that is tracked, the thousand lists and the one that holds them among it.
        assert gc.get_freeze_count() > frozen + len(made)
    finally:
        gc.unfreeze()


def test_collection_goes_on_when_a_library_cannot_be_loaded() -> None:
    try:
        with pytest.raises(ImportError), libraries():
            raise ImportError
        assert gc.isenabled()
    finally:
        gc.unfreeze()
