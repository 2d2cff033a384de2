"""The rows of a run's own files, as far as a run needs more of them than that they can be read.

A solution that no answer can be scored against is refused, every unsound row is named at once when
there is time for it, and what may be meant but looks like a mistake is a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from avatar_core.config.train import TrainConfig
from avatar_core.data.samples import Placed, Problems, check_samples
from avatar_core.errors import DataError
from avatar_core.files import user_path
from avatar_core.rewards.answer import extract_number
from avatar_core.rewards.numerals import mentions_number
from avatar_core.training.data import SCENES, Data, load_data, refuse_control_tokens
from avatar_core.types import Sample

_SECOND_OPTION = re.compile(r"\bB\b|\bb[).:]")
"""What a question holds that states its options, however it sets them off."""


def load_sound(config: TrainConfig, *, quick: bool = False) -> Data:
    """The samples of a run, as `load_data` gives them without clips, that answers can be scored on.

    Args:
        config: names the data.
        quick: be content with the first unsound row; else the files are read on.

    Raises:
        DataError: a row is unsound, or a numerical solution holds no number; several rows are
            listed behind an empty line. See also `load_data`.
        UsageError: a file is missing.
    """
    try:
        data = load_data(config, render=False)
        for sample in (*data.training.values(), *data.held_out):
            refuse_numberless(sample, data.places[sample.id])
    except DataError:
        if not quick:
            refuse_all(config)
        raise
    return data


def refuse_numberless(sample: Sample, place: str) -> None:
    """Raise `DataError` when answers are to be compared with a number that is not there.

    Every completion of such a sample would go unscored.
    """
    numerical = sample.problem_type in ("numerical", "regression")
    if numerical and extract_number(sample.solution) is None:
        found = "is no plain number" if mentions_number(sample.solution) else "holds no number"
        raise DataError(
            f"{place}: solution {sample.solution[:60]!r} {found}; give one, or another problem_type"
        )


def refuse_all(config: TrainConfig) -> None:
    """Raise a `DataError` that lists the unsound rows of a run's files, if there are several."""
    named = [(config.data, config.rollout.pool), (config.held_out.data, config.held_out.samples)]
    found: dict[Path, Problems] = {}
    for name, count in named:
        if name is not None and name != SCENES and (path := user_path(name, "data")).is_file():
            found[path] = check_samples(path, also=_unusable(config.stage, count))
    total = sum(problems.total for problems in found.values())
    if total > 1:
        head = "; ".join(
            f"{path}: {problems.total} of {problems.rows} rows cannot be used"
            for path, problems in found.items()
            if problems.total
        )
        raise refusal(
            head, [line for problems in found.values() for line in problems.listed], total
        )


def refusal(head: str, listed: Sequence[str], total: int) -> DataError:
    """One problem as it stands, or several below a sentence that counts them.

    Args:
        head: the sentence.
        listed: the first problems, one line each; at least one.
        total: how many there are.
    """
    if total == 1:
        return DataError(listed[0])
    more = [f"and {total - len(listed)} more"] if total > len(listed) else []
    return DataError("\n".join([f"{head}\n", *listed, *more]))


def notes_on(data: Data) -> tuple[str, ...]:
    """What a user should be told of the rows and need not mend."""
    bare = [
        sample.id
        for sample in (*data.training.values(), *data.held_out)
        if sample.problem_type == "multiple choice"
        and not sample.options
        and not _SECOND_OPTION.search(sample.question)
    ]
    if not bare:
        return ()
    return (
        "multiple choice with options neither given nor in the question: "
        f"{len(bare)} of the rows, the first is {data.places[bare[0]]}",
    )


def _unusable(stage: int, count: int) -> Callable[[Placed], DataError | None]:
    """What makes a sound row of no use to a run that takes the first `count` rows of a stage."""
    taken = 0

    def problem(placed: Placed) -> DataError | None:
        nonlocal taken
        if placed.sample.stage not in (None, stage) or taken == count:
            return None
        taken += 1
        try:
            refuse_control_tokens(placed.sample, placed.place)
            refuse_numberless(placed.sample, placed.place)
        except DataError as error:
            return error
        return None

    return problem
