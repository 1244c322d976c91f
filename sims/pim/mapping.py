"""Where every key and value of a request lies in a channel's banks, and the PIM items that multiply them.

The layout of `gemv`, element by element: what its closed forms count, laid out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archgym.errors import InvalidInput
from archgym.sims.pim.channel import gwrite, tile
from archgym.sims.pim.device import PimDevice


@dataclass(frozen=True)
class Place:
    """One element: bank of the channel (counted over the ranks), row, and element within the row."""

    bank: int
    row: int
    element: int


@dataclass(frozen=True)
class KvLayout:
    """Keys and values of one request in the rows from `first_row` on, for `kv_heads` heads of `head_dim`."""

    pim: PimDevice
    kv_heads: int
    head_dim: int
    tokens: int
    first_row: int = 0

    def __post_init__(self) -> None:
        for name in ("kv_heads", "head_dim", "tokens"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name}={getattr(self, name)}; allowed: whole numbers from 1")
        if self.first_row < 0 or self.first_row + self.rows > self.pim.device.rows:
            raise InvalidInput(
                f"rows {self.first_row} to {self.first_row + self.rows - 1} are needed; allowed: 0 to "
                f"{self.pim.device.rows - 1}"
            )

    @property
    def _heads_per_row(self) -> int:
        return max(1, self.pim.page_elements // self.head_dim)

    @property
    def _rows_per_head(self) -> int:
        """More than one where a head is longer than a row."""
        return -(-self.head_dim // self.pim.page_elements)

    @property
    def key_rows_per_token(self) -> int:
        """Rows that hold one token's keys."""
        if self._rows_per_head > 1:
            return self.kv_heads * self._rows_per_head
        return -(-self.kv_heads // self._heads_per_row)

    @property
    def key_rows(self) -> int:
        """Tiles of the keys."""
        return self.key_rows_per_token * -(-self.tokens // self.pim.banks)

    @property
    def _value_rows_per_head(self) -> int:
        return -(-self.head_dim // self.pim.banks) * -(-self.tokens // self.pim.page_elements)

    @property
    def rows(self) -> int:
        """Tiles of keys and values."""
        return self.key_rows + self.kv_heads * self._value_rows_per_head

    def key(self, token: int, head: int, dim: int) -> Place:
        """Place of K[token, head, dim]."""
        if self._rows_per_head > 1:
            part, element = divmod(dim, self.pim.page_elements)
            chunk = head * self._rows_per_head + part
        else:
            chunk, place = divmod(head, self._heads_per_row)
            element = place * self.head_dim + dim
        group, bank = divmod(token, self.pim.banks)
        return Place(bank, self.first_row + group * self.key_rows_per_token + chunk, element)

    def value(self, token: int, head: int, dim: int) -> Place:
        """Place of V[token, head, dim]."""
        chunk, element = divmod(token, self.pim.page_elements)
        column, bank = divmod(dim, self.pim.banks)
        chunks = -(-self.tokens // self.pim.page_elements)
        row = self.key_rows + head * self._value_rows_per_head + column * chunks + chunk
        return Place(bank, self.first_row + row, element)

    def score_items(self, vector_row: int, arrival: int = 0, passes: int = 1) -> Iterator[tuple[int, ...]]:
        """Items of K^T q, whose queries lie in `vector_row`; `passes` query heads share a KV head."""
        groups = -(-self.tokens // self.pim.banks)
        for _ in range(passes):
            for chunk in range(self.key_rows_per_token):
                results, elements = self._chunk(chunk)
                comps = -(-elements // self.pim.multipliers_per_bank)
                yield gwrite(vector_row, arrival=arrival)
                for group in range(groups):
                    row = self.first_row + group * self.key_rows_per_token + chunk
                    yield tile(row, comps, results, arrival)

    def _chunk(self, chunk: int) -> tuple[int, int]:
        """Results of a row of keys, and elements behind each."""
        if self._rows_per_head > 1:
            start = chunk % self._rows_per_head * self.pim.page_elements
            return 1, min(self.pim.page_elements, self.head_dim - start)
        return min(self._heads_per_row, self.kv_heads - chunk * self._heads_per_row), self.head_dim

    def attend_items(self, vector_row: int, arrival: int = 0, passes: int = 1) -> Iterator[tuple[int, ...]]:
        """Items of logits times V."""
        page = self.pim.page_elements
        chunks = -(-self.tokens // page)
        for head in range(self.kv_heads):
            for _ in range(passes):
                for chunk in range(chunks):
                    held = min(page, self.tokens - chunk * page)
                    yield gwrite(vector_row, arrival=arrival)
                    for column in range(-(-self.head_dim // self.pim.banks)):
                        row = self.key_rows + head * self._value_rows_per_head + column * chunks + chunk
                        yield tile(self.first_row + row, -(-held // self.pim.multipliers_per_bank), 1, arrival)
