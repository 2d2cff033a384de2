from __future__ import annotations

import re
import sys
from pathlib import Path

from avatar_core.config.judge import JudgeConfig
from avatar_core.rewards.judging import JudgeRequest, open_judge
from tests.rewards.judging.cases import COMPLETION, SAMPLE, clip_of
from tests.rewards.judging.chat_server import MEAN, ok, serving

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "judge_server"


def config() -> JudgeConfig:
    document = tomllib.loads((EXAMPLE / "judge.toml").read_text(encoding="utf-8"))
    return JudgeConfig.model_validate(document["judge"])


def test_the_example_grades() -> None:
    with serving(ok) as server:
        here = config().model_copy(update={"url": server.url})
        (verdict,) = open_judge(here).grade([JudgeRequest(SAMPLE, COMPLETION, clip_of(16))])
        content = server.requests[0][2]["messages"][0]["content"]
    assert verdict.reward == MEAN
    assert len(content) == 9  # 8 frames and the text


def test_the_example_says_what_holds() -> None:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    example, default = config(), JudgeConfig()
    assert f"serve {example.model} --port 8000" in text
    assert example.url is not None and ":8000/" in example.url
    numbers = {
        rf"up to {default.max_tries} times": 1,
        rf"within {default.total_seconds:g} s": 1,
        rf"After {default.max_failures}\b": 1,
        rf"looks at {default.frames} frames": 1,
    }
    found = {pattern: len(re.findall(pattern, text)) for pattern in numbers}
    assert found == numbers
