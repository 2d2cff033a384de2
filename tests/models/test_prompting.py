"""From prompts to processor inputs: order of media, refusals, positions of a known layout."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from avatar_core.errors import DataError
from avatar_core.models.policy import Prompt
from avatar_core.models.prompting import control_tokens, conversation
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import PROCESSOR_PAIRS_SOUND
from tests.models.prompts import PROMPTS, make_clip, tiny_policy


@pytest.fixture(scope="module")
def policy() -> QwenOmniPolicy:
    return tiny_policy()


def test_conversation_keeps_clips_and_texts_in_their_order() -> None:
    image, sound = make_clip("image", seed=0), make_clip("audio", seed=1, seconds=1)
    assert conversation(Prompt("Think.", (image, "or", sound, "?"))) == [
        {"role": "system", "content": [{"type": "text", "text": "Think."}]},
        {
            "role": "user",
            "content": [
                {"type": "image"},
                {"type": "text", "text": "or"},
                {"type": "audio"},
                {"type": "text", "text": "?"},
            ],
        },
    ]
    assert [turn["role"] for turn in conversation(Prompt(None, ("What?",)))] == ["user"]


def test_control_tokens_in_a_question_are_refused(policy: QwenOmniPolicy) -> None:
    tokens = control_tokens(policy.processor)
    assert len(tokens) == 10
    assert {"<|im_start|>", "<|im_end|>", "<|IMAGE|>", "<|audio_eos|>"} <= tokens.keys()
    for token in tokens:
        with pytest.raises(DataError, match="control token"):
            policy.prepare(Prompt(None, (f"What is {token} here?",)))


def test_placeholders_match_the_features_of_every_prompt(policy: QwenOmniPolicy) -> None:
    config = policy.model.config
    for name, prompt in PROMPTS.items():
        prepared = policy.prepare(prompt)
        ids = prepared.input_ids
        patches = 0 if prepared.grid is None else int(prepared.grid.prod(-1).sum())
        assert patches == (0 if prepared.pixels is None else len(prepared.pixels))
        seen = (ids == config.video_token_id) | (ids == config.image_token_id)
        # Four patches merge into one token.
        assert int(seen.sum()) == patches // 4, name
        assert prepared.positions.shape == (3, len(ids))
    assert len(PROMPTS) == 10


def test_patches_follow_the_order_of_the_prompt(policy: QwenOmniPolicy) -> None:
    video = make_clip("video", seed=1, frames=4)
    image = make_clip("image", seed=2, size=(84, 56))
    first = policy.prepare(Prompt(None, (video, image, "What?")))
    second = policy.prepare(Prompt(None, (image, video, "What?")))
    # 4 frames of 56 px are 2 x 4 x 4 patches of 14 px; the image is 1 x 6 x 4.
    assert first.grid is not None and first.grid.tolist() == [[2, 4, 4], [1, 6, 4]]
    assert second.grid is not None and second.grid.tolist() == [[1, 6, 4], [2, 4, 4]]
    assert first.pixels is not None and second.pixels is not None
    assert torch.equal(first.pixels[:32], second.pixels[24:])
    assert torch.equal(first.pixels[32:], second.pixels[:24])


def test_text_positions_count_up_and_restart_behind_an_image(policy: QwenOmniPolicy) -> None:
    prepared = policy.prepare(Prompt(None, (make_clip("image", seed=0), "What?")))
    config = policy.model.config
    places = (prepared.input_ids == config.image_token_id).nonzero().flatten()
    start = int(places[0])
    # 56 px are 4 x 4 patches, merged to 2 x 2 tokens: rows 0 0 1 1, columns 0 1 0 1, one time.
    assert len(places) == 4
    assert prepared.positions[:, :start].tolist() == [list(range(start))] * 3
    assert (prepared.positions[:, places] - start).tolist() == [
        [0, 0, 0, 0],
        [0, 0, 1, 1],
        [0, 1, 0, 1],
    ]
    # The largest of these is start + 1, so text goes on at start + 2.
    rest = prepared.positions[:, start + 4 :]
    assert rest.tolist() == [list(range(start + 2, start + 2 + rest.shape[1]))] * 3


def test_a_clip_shown_twice_keeps_both_its_sounds(policy: QwenOmniPolicy) -> None:
    clip = make_clip("video", seed=3, seconds=2.0)
    once = policy.prepare(Prompt(None, (clip, "What?")))
    twice = policy.prepare(Prompt(None, (clip, dataclasses.replace(clip), "What?")))
    assert once.features is not None and twice.features is not None
    assert torch.equal(twice.features, torch.cat([once.features, once.features]))
    sound = policy.model.config.audio_token_id
    heard = int((once.input_ids == sound).sum())
    # 2 s are 200 mel frames, 100 after the convolution, 50 after pooling.
    assert heard == 50
    assert int((twice.input_ids == sound).sum()) == 2 * heard


def test_videos_of_unequal_rate_are_refused(policy: QwenOmniPolicy) -> None:
    slow = make_clip("video", seed=1)
    fast = dataclasses.replace(slow, fps=8.0)
    with pytest.raises(DataError, match="different rates"):
        policy.prepare(Prompt(None, (slow, fast, "What?")))


def test_a_clip_without_frames_is_refused(policy: QwenOmniPolicy) -> None:
    clip = dataclasses.replace(make_clip("image", seed=1), frames=None)
    with pytest.raises(DataError, match="without frames"):
        policy.prepare(Prompt(None, (clip, "What?")))


def test_videos_with_and_without_sound_mix_where_the_release_can(policy: QwenOmniPolicy) -> None:
    clips = (make_clip("video", seed=1), make_clip("video", seed=2, seconds=1.0))
    prompt = Prompt(None, (*clips, "What?"))
    if not PROCESSOR_PAIRS_SOUND:
        with pytest.raises(DataError, match=r"5\.23"):
            policy.prepare(prompt)
        return
    ids = policy.prepare(prompt).input_ids
    config = policy.model.config
    starts = (ids == config.vision_start_token_id).nonzero().flatten()
    # The silent video begins with its frames, the other with the start of its sound.
    assert ids[starts + 1].tolist() == [config.video_token_id, config.audio_start_token_id]
