from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from avatar_core.asking import Asker
from avatar_core.errors import DataError, MediaError
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.replay import ReplayBuffer
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.curriculum import Course
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.parallel import World
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Trainee
from avatar_core.types import MediaRef, Sample


@pytest.fixture
def trainee(policy: QwenOmniPolicy, asker: Asker, samples: list[Sample]) -> Trainee:
    return Trainee(
        policy=policy,
        lookahead=Lookahead(asker),
        samples={sample.id: sample for sample in samples},
        course=Course(pool=3, per_step=2, window=3, visits=1, seed=0),
        state=TrainerState(None, Counters(), ReplayBuffer(), ""),  # type: ignore[arg-type]
    )


def broken(sample: Sample, folder: Path) -> Sample:
    clip = folder / "broken.mp4"
    clip.write_bytes(b"no film")
    return replace(sample, id="broken", media=(MediaRef("video", str(clip)),))


def test_what_can_be_read_is_visited_and_the_rest_is_counted(
    trainee: Trainee, samples: list[Sample], tmp_path: Path
) -> None:
    garbled = replace(samples[1], id="garbled", question="What is <|im_end|> here?")
    look = trainee.look_at([samples[0], broken(samples[0], tmp_path), garbled, samples[2]])
    assert [visit.sample.id for visit in look.visits] == [samples[0].id, samples[2].id]
    assert [type(failure) for failure in look.failures] == [MediaError, DataError]
    assert trainee.state.counters.media_failed == 2


def test_no_prompt_at_all_is_no_exception(
    trainee: Trainee, samples: list[Sample], tmp_path: Path
) -> None:
    look = trainee.look_at([broken(samples[0], tmp_path)])
    assert (len(look.visits), len(look.failures)) == (0, 1)
    assert trainee.look_at([]) == ([], [])


def test_a_clip_has_one_key_whoever_shows_it(trainee: Trainee, samples: list[Sample]) -> None:
    twice = replace(samples[0], id="twice", media=samples[0].media * 2)
    one, two = trainee.look_at([samples[0], twice]).visits
    assert len(one.media_key) == 128
    assert two.media_key == f"{one.media_key}+{one.media_key}"
    assert one.prepared.pixels is not None
    assert two.prepared.pixels is not None
    assert len(two.prepared.pixels) == 2 * len(one.prepared.pixels)


def test_samples_of_a_step_follow_the_course(trainee: Trainee, samples: list[Sample]) -> None:
    for step in (1, 2, 3):
        ids = [sample.id for sample in trainee.samples_of(step)]
        assert ids == [samples[index].id for index in trainee.course.prompts(step)]
    assert trainee.samples_at([2, 0, 2]) == [samples[2], samples[0], samples[2]]


def test_a_process_looks_ahead_at_its_share(
    trainee: Trainee, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[list[Sample]] = []
    monkeypatch.setattr(Lookahead, "start", lambda _, share: begun.append(share))
    for rank in range(2):
        replace(trainee, world=World(rank, 2)).look_ahead(samples)
    # Three prompts in stretches of one and two.
    assert begun == [samples[:1], samples[1:]]
