from __future__ import annotations

import dataclasses
import json
import struct

import numpy as np
import pyarrow
import pytest

from avatar_core.replay.record import Content, checked, decode, encode
from avatar_core.types import Completion, Group

CODEC = pyarrow.Codec("lz4_raw")


def packed(
    head: object, tail: bytes = b"", *, plain: int | None = None, codec: pyarrow.Codec = CODEC
) -> bytes:
    text = json.dumps(head).encode()
    data = codec.compress(text, asbytes=True)
    return struct.pack("<II", len(data), len(text) if plain is None else plain) + data + tail


def head_of(record: bytes) -> dict:
    size, plain = struct.unpack_from("<II", record)
    return json.loads(CODEC.decompress(record[8 : 8 + size], plain, asbytes=True))


def tail_of(record: bytes) -> bytes:
    return record[8 + struct.unpack_from("<II", record)[0] :]


def same(one: Group, other: Group) -> bool:
    assert (one.prompt_id, one.step, one.hinted, one.media_key) == (
        other.prompt_id,
        other.step,
        other.hinted,
        other.media_key,
    )
    for a, b in zip(one.completions, other.completions, strict=True):
        assert a.token_ids.tobytes() == b.token_ids.tobytes()
        assert a.logprobs.tobytes() == b.logprobs.tobytes()
        assert (a.text, a.truncated, a.reward, a.parts) == (b.text, b.truncated, b.reward, b.parts)
    return True


@pytest.mark.parametrize("read", [decode, checked])
def test_a_record_holds_every_field(make_group, read):
    group = make_group("häm № 1", [0.25, None, 1.0])
    content = Content(group, (0.5, 0.0, -0.5), (1e-300, 0.1, 0.2))
    found = read(encode(content))
    assert same(found.group, group)
    assert (found.advantages, found.kl) == (content.advantages, content.kl)
    assert read(encode(Content(group))).advantages is None
    # A field added to a group must be added to its record: it would be lost in silence.
    assert len(dataclasses.fields(Group)) == len(head_of(encode(content))) - 2 == 5
    (row, *_) = head_of(encode(content))["completions"]
    assert len(dataclasses.fields(Completion)) == len(row) + 1 == 6


def test_arrays_can_be_written_to_and_the_record_stays(make_group):
    record = encode(Content(make_group("q", [1.0, 0.0])))
    group = decode(record).group
    for member in group.completions:
        for array in (member.token_ids, member.logprobs):
            assert array.dtype.isnative
            array[0] = 7
    assert [m.token_ids[0] for m in group.completions] == [7, 7]
    assert same(decode(record).group, make_group("q", [1.0, 0.0]))


def test_a_text_that_is_no_unicode_is_refused_before_it_is_stored(make_group):
    group = make_group("q", [1.0])
    (member,) = group.completions
    odd = dataclasses.replace(group, completions=(dataclasses.replace(member, text="a\ud83c"),))
    with pytest.raises(ValueError, match="surrogates"):
        encode(Content(odd))
    sound = dataclasses.replace(member, text="鼓の音 🥁 \x00\x1b[31m")
    assert same(
        decode(encode(Content(dataclasses.replace(group, completions=(sound,))))).group,
        dataclasses.replace(group, completions=(sound,)),
    )


def test_empty_completions_are_kept():
    nothing = Completion(np.empty(0, np.int32), np.empty(0, np.float32), "", True, 0.0)
    assert same(
        checked(encode(Content(Group("q", 1, (nothing,))))).group, Group("q", 1, (nothing,))
    )


def test_text_is_compressed(make_group):
    group = make_group("q", [1.0])
    wordy = dataclasses.replace(group.completions[0], text="the tone comes first, " * 100)
    record = encode(Content(dataclasses.replace(group, completions=(wordy,))))
    assert len(record) < 2_200 / 3


@pytest.mark.parametrize("read", [decode, checked])
def test_a_head_that_an_earlier_store_compressed_with_zstandard_is_read(make_group, read):
    group = make_group("häm № 1", [0.25, None, 1.0])
    record = encode(Content(group))
    earlier = packed(head_of(record), tail_of(record), codec=pyarrow.Codec("zstd"))
    assert earlier[8:12] == b"\x28\xb5\x2f\xfd" != record[8:12]
    assert same(read(earlier).group, group)


def test_every_cut_is_refused(make_group):
    record = encode(Content(make_group("q", [1.0, 0.0])))
    for end in range(len(record)):
        with pytest.raises(ValueError, match="cut off|bytes of tokens|not compressed"):
            checked(record[:end])
    with pytest.raises(ValueError, match="bytes of tokens"):
        checked(record + b"\0")
    assert len(record) > 100


def test_a_flipped_bit_in_the_head_is_refused_or_leaves_a_whole_group(make_group):
    record = encode(Content(make_group("q", [1.0, 0.0])))
    refused, whole = 0, 0
    for place in range(8 * (len(record) - len(tail_of(record)))):
        broken = bytearray(record)
        broken[place // 8] ^= 1 << place % 8
        try:
            found = checked(bytes(broken))
        except ValueError:
            refused += 1
        else:
            # A letter of a text may have changed; the digest beside the record tells that.
            assert [len(m.token_ids) for m in found.group.completions] == [3, 4]
            whole += 1
    assert refused > whole
    assert refused + whole > 1_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt_id": 1}, "prompt_id"),
        ({"extra": 1}, "extra"),
        ({"completions": []}, "no reward"),
        ({"advantages": [0.5]}, "one for each completion"),
        ({"kl": []}, "one for each completion"),
        ({"kl": [float("nan"), 0.0]}, "kl"),
        ({"step": "1"}, "step"),
    ],
)
def test_a_head_that_says_nonsense_is_refused(make_group, change, message):
    record = encode(Content(make_group("q", [1.0, 0.0])))
    head, tail = head_of(record), tail_of(record)
    assert checked(packed(head, tail)).group.prompt_id == "q"
    if change.get("completions") == []:
        tail = b""
    with pytest.raises(ValueError, match=message):
        checked(packed({**head, **change}, tail))


def test_lengths_that_cannot_be_are_refused_before_anything_is_reserved(make_group):
    head = head_of(encode(Content(make_group("q", [1.0]))))
    tail = tail_of(encode(Content(make_group("q", [1.0]))))
    assert checked(packed(head, tail)).group.prompt_id == "q"
    size = len(json.dumps(head))
    for plain, message in ((2**32 - 1, "too long"), (size - 1, "not compressed"), (0, "not comp")):
        with pytest.raises(ValueError, match=message):
            checked(packed(head, tail, plain=plain))
