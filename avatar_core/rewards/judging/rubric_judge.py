"""A judge that is asked in words: prompts to whoever answers, replies to verdicts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from avatar_core.rewards.judging.cache import ReplyCache
from avatar_core.rewards.judging.chat import Reply
from avatar_core.rewards.judging.judge import JudgeRequest, Verdict, verdict_of
from avatar_core.rewards.judging.pictures import Picture, pictures_of
from avatar_core.rewards.judging.replies import scores_of
from avatar_core.rewards.judging.rubric import VERSION, ChatPrompt, rubric_text


class Responder(Protocol):
    """Answers prompts, greedily: the same prompt gets the same reply."""

    identity: tuple[str, ...]
    """What a reply depends on besides the prompt: the model and its settings."""

    def answer(self, prompts: Sequence[ChatPrompt]) -> list[Reply]:
        """One reply per prompt, in order."""
        ...


class RubricJudge:
    """Grades by the rubric; equal prompts are asked once, and replies with scores are kept."""

    def __init__(
        self,
        responder: Responder,
        *,
        frames: int = 8,
        frame_side: int = 448,
        unparsed: Literal["unscored", "zero"] = "unscored",
        cache: ReplyCache | None = None,
    ) -> None:
        self._responder = responder
        self._frames = frames
        self._frame_side = frame_side
        self._unparsed = unparsed
        self._cache = cache

    def grade(self, requests: Sequence[JudgeRequest]) -> list[Verdict]:
        """One verdict per request, in order."""
        prompts = self._prompts(requests)
        keys = [prompt_key(self._responder.identity, prompt) for prompt in prompts]
        known = self._cache.get(set(keys)) if self._cache else {}
        asked = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in known}
        answers = self._responder.answer(list(asked.values())) if asked else []
        replies = dict(zip(asked, answers, strict=True))
        verdicts = {key: self._verdict(reply) for key, reply in replies.items()}
        verdicts |= {key: self._verdict(Reply(text)) for key, text in known.items()}
        if self._cache:
            self._cache.put(_worth_keeping(replies, verdicts))
        return [verdicts[key] for key in keys]

    def _prompts(self, requests: Sequence[JudgeRequest]) -> list[ChatPrompt]:
        """The prompts; completions about one clip share its pictures."""
        pictures: dict[int, tuple[Picture, ...]] = {}
        prompts = []
        for request in requests:
            if id(request.clip) not in pictures:
                chosen = pictures_of(request.clip, self._frames, self._frame_side)
                pictures[id(request.clip)] = chosen
            text = rubric_text(request.sample, request.completion)
            prompts.append(ChatPrompt(text, pictures[id(request.clip)]))
        return prompts

    def _verdict(self, reply: Reply) -> Verdict:
        if reply.text is None:
            return Verdict(failure="unreachable", reason=reply.reason)
        scores = scores_of(reply.text)
        if scores is None:
            reward = 0.0 if self._unparsed == "zero" else None
            return Verdict(reward=reward, failure="unparsed", reason="a reply without scores")
        return verdict_of(scores)


def prompt_key(identity: Sequence[str], prompt: ChatPrompt) -> str:
    """Digest of all that a reply depends on: responder, rubric, text and pixels."""
    pictures = [picture.digest for picture in prompt.pictures]
    document = json.dumps([VERSION, list(identity), prompt.text, pictures])
    return hashlib.blake2b(document.encode(), digest_size=16).hexdigest()


def _worth_keeping(replies: Mapping[str, Reply], verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    """Replies that held scores; failures are asked again."""
    return {
        key: reply.text
        for key, reply in replies.items()
        if reply.text is not None and verdicts[key].failure is None
    }
