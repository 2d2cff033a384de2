"""Decoding attention against dense attention over the keys of each completion, written out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from avatar_core.models.prefix_cache import ROOM, PrefixCache

HEADS, KEY_HEADS, WIDTH, LAYERS = 4, 2, 8, 2
SCALE = 0.4


class Written:
    """Every completion with all its keys, values of their own."""

    def __init__(self, lengths: list[int], slots: int, generator: torch.Generator) -> None:
        self.generator = generator
        shape = (len(lengths), KEY_HEADS, max(lengths), WIDTH)
        self.prefixes = [(self.draw(shape), self.draw(shape)) for _ in range(LAYERS)]
        self.rows = [
            [
                (keys[prompt, :, :length], values[prompt, :, :length])
                for prompt, length in enumerate(lengths)
                for _ in range(slots)
            ]
            for keys, values in self.prefixes
        ]

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self.generator)

    def step(self, cache: PrefixCache) -> None:
        """Attend once in every layer, both ways."""
        count = len(self.rows[0])
        for layer, rows in enumerate(self.rows):
            queries = self.draw((count, HEADS, WIDTH))
            keys, values = (self.draw((count, KEY_HEADS, WIDTH)) for _ in range(2))
            got = cache.attend(layer, queries, keys, values, SCALE)
            for row in range(count):
                rows[row] = (
                    torch.cat([rows[row][0], keys[row, :, None]], dim=1),
                    torch.cat([rows[row][1], values[row, :, None]], dim=1),
                )
                wanted = scaled_dot_product_attention(
                    queries[row, :, None], *rows[row], scale=SCALE, enable_gqa=True
                )
                torch.testing.assert_close(got[row], wanted[:, 0], rtol=0, atol=1e-5)


def test_every_step_is_dense_attention_while_completions_leave() -> None:
    written = Written([5, 3, 7], slots=3, generator=torch.Generator().manual_seed(0))
    cache = PrefixCache(written.prefixes, torch.tensor([5, 3, 7]), slots=3)
    for _ in range(4):
        written.step(cache)
    # The second prompt leaves, and one completion of each other.
    kept = [[1, 2], [6, 8]]
    cache.keep(torch.tensor(kept))
    written.rows = [[layer[row] for row in sum(kept, [])] for layer in written.rows]
    for _ in range(3):
        written.step(cache)
    assert written.rows[0][0][0].shape[1] == 5 + 7


def test_it_grows_past_its_room() -> None:
    written = Written([4], slots=2, generator=torch.Generator().manual_seed(1))
    cache = PrefixCache(written.prefixes, torch.tensor([4]), slots=2)
    for _ in range(ROOM + 2):
        written.step(cache)
    assert written.rows[1][1][0].shape[1] == 4 + ROOM + 2
