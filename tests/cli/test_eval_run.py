from __future__ import annotations

from avatar_cli.eval_run import told


def test_options_of_a_server_go_into_its_section() -> None:
    given = {
        "names": ["scenes"],
        "base_url": "http://127.0.0.1:1/v1",
        "served_model": "x",
        "timeout": None,
        "limit": None,
        "question_only": False,
    }
    assert told(given) == {
        "names": ["scenes"],
        "question_only": False,
        "served": {"url": "http://127.0.0.1:1/v1", "model": "x"},
    }
    assert told({"api_key_env": "KEY", "timeout": 3.0}) == {
        "served": {"api_key_env": "KEY", "timeout_seconds": 3.0}
    }
    assert told({"limit": 0}) == {"limit": 0}
