"""Questions about files: one, several about the same files, or a file of them.

Nothing here loads torch until an answer is wanted: files are decoded by other processes meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avatar_core.config.inference import InferConfig
from avatar_core.config.resolve import validate
from avatar_core.inference.answer import Answer
from avatar_core.inference.files import check_question, reading

__all__ = ["Answer", "infer"]


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
    check_question(question)
    with reading(config) as files:
        from avatar_core.inference.session import Session, finish

        session = Session.open(files)
    return finish(session.ask(question).pieces, lambda _: None)
