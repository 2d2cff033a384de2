"""From a prompt to processor inputs: the only place that knows the omni processor's conventions.

transformers 5.23: sound that belongs to a video is passed with `load_audio_from_video` and
`audio_from_video_indices`; frames arrive resized, so the video processor neither samples nor
resizes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import Qwen2_5OmniProcessor

from avatar_core.errors import DataError
from avatar_core.models.policy import Prepared, Prompt
from avatar_core.models.thinker import PROCESSOR_PAIRS_SOUND
from avatar_core.types import Clip


def conversation(prompt: Prompt) -> list[dict[str, Any]]:
    """Chat messages of a prompt: system text, then one user turn of clips and texts in order."""
    content = [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": part.ref.kind}
        for part in prompt.content
    ]
    messages: list[dict[str, Any]] = []
    if prompt.system:
        messages.append({"role": "system", "content": [{"type": "text", "text": prompt.system}]})
    messages.append({"role": "user", "content": content})
    return messages


def control_tokens(processor: Qwen2_5OmniProcessor) -> dict[str, int]:
    """Tokens that no text may hold, with their ids: turns, media, ends.

    The tokenizer's own list of special tokens leaves out those without a name, `<|im_start|>` too.
    """
    added = processor.tokenizer.added_tokens_decoder
    return {token.content: index for index, token in added.items() if token.special}


def refuse_control_tokens(text: str, processor: Qwen2_5OmniProcessor) -> None:
    """Raise `DataError` when a text holds one of the tokenizer's control tokens."""
    for token in control_tokens(processor):
        if token in text:
            raise DataError(f"question {text[:60]!r} holds the control token {token}; remove it")


def processor_inputs(prompt: Prompt, processor: Qwen2_5OmniProcessor) -> dict[str, Tensor]:
    """Run the processor on one prompt: tensors as the thinker's forward takes them, batch of 1."""
    for written in prompt.texts:
        refuse_control_tokens(written, processor)
    text = processor.apply_chat_template(
        conversation(prompt), add_generation_prompt=True, tokenize=False
    )
    videos = [clip for clip in prompt.clips if clip.ref.kind == "video"]
    images = [clip for clip in prompt.clips if clip.ref.kind == "image"]
    sounds, owners = _sounds(prompt.clips)
    arguments: dict[str, Any] = {"text": [text], "return_tensors": "pt"}
    if videos:
        arguments["videos"] = [_channels_first(clip) for clip in videos]
        arguments["videos_kwargs"] = {
            "do_sample_frames": False,
            "do_resize": False,
            # Said, though nothing is resized: left unsaid it is a warning.
            "cap_pixels_per_frame": False,
            "fps": _common_fps(videos),
        }
    if images:
        arguments["images"] = [_channels_first(clip)[0] for clip in images]
        arguments["images_kwargs"] = {"do_resize": False}
    if sounds:
        arguments["audio"] = sounds
        if videos:
            arguments |= _sound_of_videos(owners, len(videos))
    return dict(processor(**arguments))


def _sound_of_videos(owners: list[int | None], videos: int) -> dict[str, Any]:
    """How the installed processor is told which sound belongs to which video."""
    if PROCESSOR_PAIRS_SOUND:
        return {"load_audio_from_video": True, "audio_from_video_indices": owners}
    sounding = sum(owner is not None for owner in owners)
    if 0 < sounding < videos:
        raise DataError(
            "a prompt mixes videos with and without sound, which this release of transformers "
            "cannot express; install transformers 5.23 or use audio=off"
        )
    return {"use_audio_in_video": sounding > 0}


def _sounds(clips: tuple[Clip, ...]) -> tuple[list[Any], list[int | None]]:
    """Sounds in prompt order with the index of the video each belongs to (`None`: stands alone)."""
    sounds: list[Any] = []
    owners: list[int | None] = []
    videos = 0
    for clip in clips:
        if clip.sound is not None:
            sounds.append(clip.sound)
            owners.append(videos if clip.ref.kind == "video" else None)
        videos += clip.ref.kind == "video"
    return sounds, owners


def _channels_first(clip: Clip) -> Tensor:
    if clip.frames is None:
        raise DataError(f"{clip.ref.path}: a {clip.ref.kind} without frames")
    return torch.from_numpy(clip.frames).permute(0, 3, 1, 2)


def _common_fps(videos: list[Clip]) -> float:
    """The sampled frame rate that the processor takes for all videos of a prompt."""
    rates = {round(clip.fps, 3) for clip in videos}
    if len(rates) > 1:
        raise DataError(
            f"videos of one prompt are sampled at different rates {sorted(rates)}; "
            "cut them to equal length or raise media.max_frames"
        )
    return videos[0].fps


def prepare_inputs(prompt: Prompt, processor: Qwen2_5OmniProcessor, model: Any) -> Prepared:
    """Processor inputs of one prompt with its rotary positions, images and videos in prompt order.

    Args:
        prompt: what to ask.
        processor: of the model family.
        model: the thinker's inner model, for its `get_rope_index`.
    """
    inputs = processor_inputs(prompt, processor)
    feature_mask = inputs.get("feature_attention_mask")
    interleaved = _interleaved(inputs["input_ids"][0], model.config)
    positions, _ = model.get_rope_index(
        inputs["input_ids"],
        inputs.get("image_grid_thw"),
        inputs.get("video_grid_thw"),
        inputs["attention_mask"],
        interleaved,
        None if feature_mask is None else feature_mask.sum(-1),
        _seconds_per_grid(inputs),
    )
    pixels, grid = _vision_in_order(inputs, [clip.ref.kind for clip in prompt.clips])
    return Prepared(
        input_ids=inputs["input_ids"][0],
        positions=positions[:, 0].long(),
        pixels=pixels,
        grid=grid,
        features=inputs.get("input_features"),
        feature_mask=feature_mask,
    )


def _vision_in_order(
    inputs: dict[str, Tensor], kinds: list[str]
) -> tuple[Tensor | None, Tensor | None]:
    """Patches and grids of all images and videos in the order in which the prompt shows them."""
    pending = {}
    for kind, pixels, grid in (
        ("image", "pixel_values", "image_grid_thw"),
        ("video", "pixel_values_videos", "video_grid_thw"),
    ):
        if pixels in inputs:
            sizes = inputs[grid].prod(-1).tolist()
            pending[kind] = zip(torch.split(inputs[pixels], sizes), inputs[grid], strict=True)
    shown = [next(pending[kind]) for kind in kinds if kind in pending]
    if not shown:
        return None, None
    return torch.cat([pixels for pixels, _ in shown]), torch.stack([grid for _, grid in shown])


def _interleaved(input_ids: Tensor, config: Any) -> bool:
    """Whether any video of the prompt carries its sound inside its own tokens."""
    starts = input_ids[:-1] == config.vision_start_token_id
    return bool((starts & (input_ids[1:] == config.audio_start_token_id)).any())


def _seconds_per_grid(inputs: dict[str, Any]) -> Tensor | None:
    value = inputs.get("video_second_per_grid")
    return None if value is None else torch.as_tensor(value)
