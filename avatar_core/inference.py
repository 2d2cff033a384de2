"""One file, one question, one answer; the text may be taken piece by piece while it is made."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from avatar_core.config.inference import InferConfig
from avatar_core.config.media import MediaConfig
from avatar_core.config.resolve import validate
from avatar_core.errors import MediaError, MediaTimeout, NoSoundError, UsageError
from avatar_core.evaluation.answering import frame_count, modalities
from avatar_core.media import MediaLoader
from avatar_core.media.probe import probe
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Encoded, Policy, Prompt, Sampling
from avatar_core.rewards.answer import split_completion
from avatar_core.run_settings import RunSettings, run_settings
from avatar_core.seeds import seed_from
from avatar_core.types import Clip, MediaKind, MediaRef

DEFAULT_MODEL = "yogkul2000/AVATAR"
MODEL_VARIABLE = "AVATAR_MODEL"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
IMAGES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
SOUNDS = frozenset({".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        answer: the stated answer without tags; empty when none was stated.
        reasoning: what was thought before it.
        text: the whole completion, tags included.
        modalities: what the model was given, of "text", "frames", "sound".
        frames: frames it was given; `None` without a picture.
        seconds: wall time from the file to the end of the text, without loading the model.
        truncated: generation of this text stopped at the length limit.
    """

    answer: str
    reasoning: str
    text: str
    modalities: tuple[str, ...]
    frames: int | None
    seconds: float
    truncated: bool

    def to_document(self) -> dict[str, Any]:
        """Give the answer as JSON values."""
        return asdict(self) | {"modalities": list(self.modalities)}


class Opened(NamedTuple):
    """A question whose file has been read."""

    config: InferConfig
    """As it was asked."""
    settings: RunSettings
    """How the model was trained to be asked."""
    clip: Clip
    """What is shown."""
    seconds: float
    """Wall time of reading the file."""


def infer(video: str | Path, question: str, **options: Any) -> Answer:
    """Answer a question about a video, sound or image file.

    Args:
        video: the file.
        question: what to ask about it.
        options: the other fields of `InferConfig`.

    Raises:
        UsageError: an option is not usable, or the model cannot be found.
        MediaError: the file cannot be read as asked.
    """
    config = validate(InferConfig, {"video": video, "question": question, **options})
    return finish(stream_answer(config), lambda _: None)


def finish(pieces: Generator[str, None, Answer], take: Callable[[str], None]) -> Answer:
    """Hand every piece of a streamed answer to `take`, then give the answer."""
    while True:
        try:
            take(next(pieces))
        except StopIteration as end:
            answer: Answer = end.value
            return answer


def stream_answer(config: InferConfig) -> Generator[str, None, Answer]:
    """Answer a question, giving the text piece by piece; the generator returns the answer.

    The file is read before this returns; the model is loaded when the first piece is asked for.
    With more than one sample the most frequent answer comes as a single piece.

    Raises:
        UsageError: an option is not usable, or the model cannot be found.
        MediaError: the file cannot be read as asked.
    """
    check_question(config)
    settings = run_settings(config.model or os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL)
    start = time.perf_counter()
    with MediaLoader(media_settings(config, settings.media)) as loader:
        clip = load_clip(loader, config)
    return _answer(Opened(config, settings, clip, time.perf_counter() - start))


def check_question(config: InferConfig) -> None:
    """Refuse a question that is empty and a window that cannot be shown.

    Raises:
        UsageError: names the option.
    """
    if not config.question.strip():
        raise UsageError("the question is empty; say what to ask about the file")
    if config.start is not None and config.end is not None and config.end <= config.start:
        raise UsageError(f"--end {config.end:g} is not after --start {config.start:g}; widen it")
    kind = kind_of(config.video)
    if kind == "image" and not (config.start is None and config.end is None):
        raise UsageError("--start and --end are for videos and sounds; leave them out for an image")
    if (kind, config.audio) in {("image", "on"), ("audio", "off")}:
        raise UsageError(
            f"--audio {config.audio} cannot be honoured for an {kind} file; leave it out"
        )


def kind_of(path: Path) -> MediaKind:
    """What a file is by its suffix; whatever is neither image nor sound is tried as a video."""
    suffix = path.suffix.casefold()
    return "image" if suffix in IMAGES else "audio" if suffix in SOUNDS else "video"


def media_settings(config: InferConfig, trained: MediaConfig) -> MediaConfig:
    """How the file is read: as in training, with what the question overrides."""
    given = config.model_dump(include={"fps", "max_frames", "max_pixels"}, exclude_none=True)
    if config.max_pixels is not None:
        given["image_max_pixels"] = config.max_pixels
        given["min_pixels"] = min(trained.min_pixels, config.max_pixels)
    if config.max_frames is not None:
        given["min_frames"] = min(trained.min_frames, config.max_frames)
    return trained.model_copy(update={**given, "workers": 1})


def load_clip(loader: MediaLoader, config: InferConfig) -> Clip:
    """Decode the file; one that holds sound alone is read as sound whatever its suffix.

    Raises:
        MediaError: it cannot be read as asked.
        UsageError: it holds sound alone and `config.audio` is "off".
    """
    kind = kind_of(config.video)
    ref = MediaRef(kind, str(config.video), config.start, config.end)
    try:
        return loader.load(ref, audio=config.audio)
    except (MediaTimeout, NoSoundError):
        raise
    except MediaError as error:
        clip = sound_alone(loader, ref, error) if kind == "video" else None
        if clip is None:
            raise
    if config.audio == "off":
        raise UsageError(
            f"--audio off: {config.video} holds sound and no picture, so nothing is left to show; "
            "leave --audio out"
        )
    return clip


def sound_alone(loader: MediaLoader, ref: MediaRef, refused: MediaError) -> Clip | None:
    """The sound of a file that could not be read as a video, when it has no picture.

    Args:
        loader: reads files in processes of its own.
        ref: the file as a video.
        refused: why it could not be read as one.

    Raises:
        MediaError: it cannot be read as sound either, for another reason.
    """
    try:
        clip = loader.load(MediaRef("audio", ref.path, ref.start, ref.end))
    except NoSoundError:
        return None
    except MediaError as error:
        if error.reason == refused.reason:
            return None
        raise MediaError(ref.path, f"{refused.reason}; as sound: {error.reason}") from error
    # A probe may crash on a file. This one has just passed it in a worker process.
    return clip if probe(ref.path, loader.config).timeline is None else None


@torch.no_grad()
def encode_question(policy: Policy, opened: Opened) -> Encoded:
    """The encoded prompt of a question."""
    system = opened.config.system_prompt
    if system is None:
        system = opened.settings.system_prompt
    prompt = Prompt(system or None, (opened.clip, opened.config.question))
    return policy.encode([policy.prepare(prompt)])


def _answer(opened: Opened) -> Generator[str, None, Answer]:
    """Load the model and answer; see `stream_answer`."""
    config = opened.config
    limit = config.max_new_tokens or opened.settings.max_new_tokens
    policy = load_policy(opened.settings.checkpoint)
    start = time.perf_counter()
    encoded = encode_question(policy, opened)
    if config.samples > 1:
        drawn = draw_texts(policy, encoded, limit, config)
        text, truncated = drawn[majority([one.text for one in drawn])]
        yield text
    else:
        tokens: list[int] = []
        sampling = Sampling(max_new_tokens=limit, temperature=0.0)
        source = _kept(policy.stream(encoded, sampling, 0), tokens)
        pieces = []
        for piece in text_pieces(source, policy.decode):
            pieces.append(piece)
            yield piece
        text = "".join(pieces)
        # The end of a turn is a special token, which decodes to nothing.
        truncated = len(tokens) == limit and bool(policy.decode(torch.tensor(tokens[-1:])))
    parts = split_completion(text)
    return Answer(
        answer=parts.answer,
        reasoning=parts.reasoning,
        text=text,
        modalities=modalities([opened.clip]),
        frames=frame_count([opened.clip]),
        seconds=opened.seconds + time.perf_counter() - start,
        truncated=truncated,
    )


def text_pieces(tokens: Iterable[int], decode: Callable[[Tensor], str]) -> Iterator[str]:
    """Decode tokens as they come; a character whose bytes are not complete yet waits for the rest.

    The pieces joined are what `decode` gives for all tokens together.

    Args:
        tokens: token ids in order.
        decode: gives the text of int64 [n] token ids, broken characters as U+FFFD.
    """
    pending: list[int] = []
    for token in tokens:
        pending.append(token)
        text = decode(torch.tensor(pending))
        if text and not text.endswith(REPLACEMENT):
            yield text
            pending = []
    rest = decode(torch.tensor(pending)) if pending else ""
    if rest:
        yield rest


class Drawn(NamedTuple):
    """One of several answers."""

    text: str
    """The completion without special tokens."""
    truncated: bool
    """Generation stopped at the length limit."""


def draw_texts(policy: Policy, encoded: Encoded, limit: int, config: InferConfig) -> list[Drawn]:
    """`config.samples` completions of one prompt, drawn as `config` says."""
    seeds = [seed_from(config.seed, "infer", draw) for draw in range(config.samples)]
    sampling = Sampling(limit, temperature=config.temperature, top_k=config.top_k)
    (group,) = policy.generate(encoded, sampling, [seeds])
    return [Drawn(policy.decode(made.token_ids), made.truncated) for made in group]


def majority(texts: Sequence[str]) -> int:
    """Place of the first text that states the most frequent answer; 0 when none states any.

    Answers are compared without case and runs of blanks; of equally frequent ones the earlier wins.
    """
    answers = [" ".join(split_completion(text).answer.split()).casefold() for text in texts]
    votes = Counter(answer for answer in answers if answer)
    return answers.index(votes.most_common(1)[0][0]) if votes else 0


def _kept(tokens: Iterable[int], into: list[int]) -> Iterator[int]:
    """Pass tokens on and remember them."""
    for token in tokens:
        into.append(token)
        yield token
