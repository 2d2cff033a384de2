"""The GPU's script runs, on the CPU and cut down; its full model has the published sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from avatar_core.models.thinker import parts_of
from tests.performance import gpu
from tests.performance.gpu_model import FULL, random_thinker


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_the_script_runs_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gpu.main(["--smoke", "--out", str(tmp_path / "gpu.json")])
    document = json.loads((tmp_path / "gpu.json").read_text())
    assert json.loads(capsys.readouterr().out) == document
    # 4 frames of 4 x 4 patches, 2 x 2 x 2 of which are a token, and 25 tokens a second of sound.
    assert document["prefix"] > 8 + 25
    # Of the head alone: 2 operations a weight for 2 completions of 3 tokens, there and back.
    assert document["forward_backward"]["operations"] > 2 * 12 * 128 * 152_064
    # The head in bf16 is nearly all of what a step reads.
    assert document["decoding"]["weight_bytes"] > 2 * 128 * 152_064
    step = document["whole_step"]
    assert step["ratio"]["median"] > 0
    assert step["compared"]["equal_tokens"] > 0
    # Rounded differently, and after the first token that differs not of the same tokens any more.
    assert abs(step["compared"]["loss"] - step["compared"]["loss_of_authors_scheme"]) < 1e-2


def test_the_full_model_has_the_published_sizes() -> None:
    thinker = random_thinker(FULL.shape, torch.device("meta"))
    text, head = parts_of(thinker).text, parts_of(thinker).head
    # Queries and output 3,584 wide, keys and values of 4 heads of 128, three matrices of 18,944,
    # two norms; 28 of these layers, a table and a head of 152,064 words, a norm.
    layer = 2 * 3584**2 + 2 * 3584 * 512 + 3 * 3584 * 18944 + (3584 + 2 * 512) + 2 * 3584
    wanted = 28 * layer + 2 * 152_064 * 3584 + 3584
    assert wanted == 7_615_616_512
    assert sum(w.numel() for part in (text, head) for w in part.parameters()) == wanted


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to measure")
def test_without_a_gpu_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "--smoke" in capsys.readouterr().err
