"""Whatever a row holds, it becomes a sample or an error of one line that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar_core.data.dialects import DIALECTS
from avatar_core.data.fields import PROBLEM_TYPES
from avatar_core.data.samples import Placed, check_samples, read_samples, sample_from_row
from avatar_core.errors import DataError
from avatar_core.media_root import MediaRoot
from avatar_core.types import Sample

SEARCH = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXTS = st.sampled_from(
    ["", " ", "x", "A", "B.", "<answer>A</answer>", "<video>", "<video>Q?", "a: b", "clip.mp4"]
) | st.text(max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
PATHS = st.sampled_from(
    ["clip.mp4", "./still.png", "sound.wav", "gone.mp4", "..", "/", "a\0", "x" * 300, "\udcff"]
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXTS | ANYTHING}
    ),
    max_size=3,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": SCALARS,
    "prompt_id": SCALARS,
    "problem_id": SCALARS,
    "question": TEXTS | ANYTHING,
    "messages": MESSAGES | ANYTHING,
    "problem": TEXTS | ANYTHING,
    "videos": st.lists(PATHS, max_size=2) | ANYTHING,
    "images": st.lists(PATHS, max_size=2) | ANYTHING,
    "audios": st.none() | ANYTHING,
    "path": PATHS | ANYTHING,
    "data_type": st.sampled_from(["video", "image", "audio"]) | SCALARS,
    "problem_type": st.sampled_from(PROBLEM_TYPES) | ANYTHING,
    "options": st.lists(TEXTS, max_size=4) | ANYTHING,
    "solution": TEXTS | ANYTHING,
    "stage": st.integers(0, 4) | SCALARS,
    "hint": SCALARS,
    "response": SCALARS,
    "process": SCALARS,
    "audio_cues": ANYTHING,
    "unknown": ANYTHING,
}
ROWS = st.fixed_dictionaries({}, optional=FIELDS)
"""Half of the keys are left out, at random."""
NEARLY_SOUND = st.builds(
    lambda base, changes: {**base, **changes},
    st.sampled_from(
        [
            {"question": "Q?", "videos": ["clip.mp4"], "solution": "1", "problem_type": "ocr"},
            {"problem": "Q?", "data_type": "image", "path": "still.png", "solution": "A"}
            | {"problem_type": "multiple choice", "options": ["A. x", "B. y"]},
            {"messages": [{"role": "user", "content": "<audio>Q?"}], "audios": ["sound.wav"]}
            | {"solution": 2, "problem_type": "numerical", "prompt_id": 1},
        ]
    ),
    st.fixed_dictionaries({}, optional={key: FIELDS[key] for key in sorted(FIELDS)}).map(
        lambda row: dict(list(row.items())[:2])
    ),
)


def is_sound(sample: Sample) -> bool:
    """What the rest of the program relies on."""
    return bool(
        sample.id.strip()
        and sample.question.strip() == sample.question != ""
        and sample.media
        and all(Path(ref.path).is_file() for ref in sample.media)
        and sample.solution.strip() == sample.solution != ""
        and sample.problem_type in PROBLEM_TYPES
        and (not sample.options or sample.solution in "ABCD"[: len(sample.options)])
        and all(isinstance(text, str) and text.strip() for text in sample.responses)
        and sample.stage in (None, 0, 1, 2, 3)
        and (sample.hint is None or sample.hint.strip())
    )


@SEARCH
@given(row=ROWS | NEARLY_SOUND)
def test_a_row_is_a_sample_or_an_error(row: dict[str, Any], root: Path) -> None:
    try:
        sample = sample_from_row(row, MediaRoot(root))
    except DataError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 600
    else:
        assert is_sound(sample)
        assert [key for key in DIALECTS if row.get(key) is not None]


@settings(SEARCH, max_examples=80)
@given(rows=st.lists(NEARLY_SOUND, max_size=4), array=st.booleans())
def test_a_file_is_samples_or_problems(rows: list[dict[str, Any]], array: bool, root: Path) -> None:
    path = root / "rows.json"
    lines = [json.dumps(row) for row in rows]
    path.write_text(f"[{','.join(lines)}]" if array else "\n".join(lines))
    problems = check_samples(path)
    assert problems.rows == len(rows)
    assert problems.total == len(problems.listed) <= len(rows)
    assert all(line.startswith(f"{path}:") for line in problems.listed)
    if problems.total or not rows:
        with pytest.raises(DataError) as caught:
            read_samples(path)
        assert not problems.listed or str(caught.value) == problems.listed[0]
    else:
        assert len(read_samples(path)) == len(rows)


@SEARCH
@given(content=st.binary(max_size=200) | st.text(alphabet='[]{},:"a1.eN\\u \n', max_size=60))
def test_any_bytes_are_samples_or_problems(content: bytes | str, root: Path) -> None:
    path = root / "rows"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        problems = check_samples(path)
    except DataError as error:
        assert str(error).startswith(f"{path}:")
    else:
        assert problems.total == problems.rows


def test_the_search_reaches_sound_rows(root: Path) -> None:
    # Without this the tests above might only ever see errors.
    base = {"question": "Q?", "videos": ["clip.mp4"], "solution": "1", "problem_type": "ocr"}
    assert is_sound(sample_from_row(base, MediaRoot(root)))
    assert Placed._fields == ("sample", "place")
