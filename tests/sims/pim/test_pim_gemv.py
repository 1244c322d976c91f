"""Attention on tiles: closed forms against NeuPIMs' formulas, and against every element laid out and multiplied."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput
from archgym.sims.pim.channel import Controller, program, simulate
from archgym.sims.pim.device import pim_device
from archgym.sims.pim.gemv import attend, attention, key_rows, kv_tiles, refresh_stretch, score
from archgym.sims.pim.layout import BANK, COMPS, KIND, KIND_GWRITE, KIND_TILE, READOUTS, ROW
from archgym.sims.pim.mapping import KvLayout


def published_latency(tokens, heads, head_dim):
    """src/scheduler/Scheduler.cc, estimate_mha_latency, with its constants."""
    page, banks, width = 512, 32, heads * head_dim
    chunks = ceil(width / page)
    latency = chunks * 100 + chunks * ceil(tokens / banks) * 184
    chunks = ceil(tokens / page) * heads
    return latency + chunks * 100 + chunks * ceil(head_dim / banks) * 184


def published_tiles(tokens, heads, head_dim):
    """src/scheduler/Scheduler.cc, allocate_pim_tile."""
    width = heads * head_dim
    return ceil(tokens / 32) * ceil(width / 512) + ceil(tokens / 512) * ceil(width / 32)


@pytest.mark.parametrize(
    ("heads", "head_dim"), [(8, 128), (10, 128), (14, 128), (4, 128), (12, 128), (8, 64), (32, 128)]
)
def test_the_schedulers_estimate_and_the_tiles_are_the_published_ones(heads, head_dim):
    tokens = np.array([1, 31, 32, 33, 300, 511, 512, 513, 2048])
    pim = pim_device()
    found = attention(pim, heads, head_dim, tokens).scheduled_cycles
    assert found.tolist() == [published_latency(n, heads, head_dim) for n in tokens.tolist()]
    assert kv_tiles(pim, heads, head_dim, tokens).tolist() == [
        published_tiles(n, heads, head_dim) for n in tokens.tolist()
    ]


def small(**changes):
    """Eight banks, pages of 64 bytes, four multipliers."""
    return pim_device(ranks=1, bankgroups=2, page_bytes=64, multipliers_per_bank=4, rows=4096, **changes)


@settings(deadline=None, max_examples=60)
@given(
    tokens=st.integers(1, 90),
    kv_heads=st.integers(1, 5),
    passes=st.integers(1, 3),
    head_dim=st.sampled_from([4, 8, 20, 32, 40, 70]),
)
def test_every_element_has_a_place_of_its_own_and_the_products_come_out(tokens, kv_heads, passes, head_dim):
    pim, rng = small(), np.random.default_rng(tokens)
    layout = KvLayout(pim, kv_heads, head_dim, tokens, first_row=3)
    shape, heads = (tokens, kv_heads, head_dim), kv_heads * passes
    key, value = rng.integers(-3, 4, shape), rng.integers(-3, 4, shape)
    array: dict[tuple[int, int, int], int] = {}
    for t, h, d in np.ndindex(*shape):
        for place, element in ((layout.key(t, h, d), key[t, h, d]), (layout.value(t, h, d), value[t, h, d])):
            where = (place.bank, place.row, place.element)
            assert where not in array
            assert 0 <= place.bank < pim.banks
            assert 0 <= place.element < pim.page_elements
            assert 3 <= place.row < 3 + layout.rows
            array[where] = int(element)
    assert layout.rows == kv_tiles(pim, kv_heads, head_dim, tokens)
    assert {row for _, row, _ in array} == set(range(3, 3 + layout.rows))

    # A tile multiplies a row of every bank with the vector, result by result: K^T q and logits V must come out.
    query, logits = rng.integers(-3, 4, (heads, head_dim)), rng.integers(-3, 4, (heads, tokens))
    scores, outputs = np.zeros((heads, tokens), dtype=int), np.zeros((heads, head_dim), dtype=int)
    for h in range(heads):
        for t in range(tokens):
            for d in range(head_dim):
                k, v = layout.key(t, h // passes, d), layout.value(t, h // passes, d)
                scores[h, t] += array[k.bank, k.row, k.element] * query[h, d]
                outputs[h, d] += array[v.bank, v.row, v.element] * logits[h, t]
    assert (scores == np.einsum("thd,hd->ht", key.repeat(passes, axis=1), query)).all()
    assert (outputs == np.einsum("thd,ht->hd", value.repeat(passes, axis=1), logits)).all()

    # The items read each of these rows, as often as the closed form counts.
    for items, count in (
        (layout.score_items(0, passes=passes), score(pim, heads, head_dim, tokens, kv_heads)),
        (layout.attend_items(0, passes=passes), attend(pim, heads, head_dim, tokens, kv_heads)),
    ):
        table = program(items)
        tiles = table[table[:, KIND] == KIND_TILE]
        assert len(table) - len(tiles) == count.gwrites
        assert len(tiles) == count.tiles
        assert tiles[:, READOUTS].sum() == count.readouts
        assert (tiles[:, READOUTS] * tiles[:, COMPS]).sum() == count.comps
        assert (tiles[:, READOUTS] * tiles[:, COMPS]).max() <= pim.comps_per_page
        assert count.macs == tokens * heads * head_dim
        assert count.macs <= count.comps * pim.multipliers_per_bank * pim.banks
    rows_read = {
        int(row)
        for items in (layout.score_items(0), layout.attend_items(0))
        for row in program(items)[:, ROW]
        if row >= 3
    }
    assert rows_read == set(range(3, 3 + layout.rows))


def test_each_vector_is_written_before_its_tiles():
    """Every group of tiles of a chunk follows one GWRITE, and no tile comes before the first."""
    table = program(KvLayout(small(), 3, 8, 50).attend_items(7))
    assert table[0, KIND] == KIND_GWRITE
    assert (table[table[:, KIND] == KIND_GWRITE, ROW] == 7).all()
    assert (table[:, BANK] == 0).all()


@pytest.mark.parametrize("name", ["neupims-hbm2", "newton-hbm2", "neupims-hbm2-code"])
@pytest.mark.parametrize("tokens", [40, 513, 1500])
def test_the_cycles_are_those_of_the_channel_without_refresh(name, tokens):
    pim = pim_device(name)
    work = attention(pim, 4, 128, tokens)
    layout = KvLayout(pim, 4, 128, tokens, first_row=1)
    items = program([*layout.score_items(0), *layout.attend_items(0)])
    run = simulate(pim, items, controller=Controller(refresh="none"))
    assert run.counts["COMP"] == work.comps
    assert run.counts["READRES"] == work.readouts
    assert run.pim_cycles == pytest.approx(int(work.cycles), rel=0.02, abs=150)


@pytest.mark.parametrize(("comps", "readouts"), [(32, 1), (8, 4), (16, 1)])
def test_refresh_stretches_a_row_of_tiles_as_the_closed_form_says(comps, readouts):
    from archgym.sims.pim.channel import tile
    from archgym.sims.pim.tile import tile_period

    pim = pim_device()
    run = simulate(pim, program([tile(row, comps, readouts) for row in range(1, 400)]))
    period = float(tile_period(pim, comps, readouts))
    assert run.pim_cycles == pytest.approx(399 * period * float(refresh_stretch(pim, period)), rel=0.14)


def test_keys_of_grouped_queries_are_read_once_per_query_head():
    pim = pim_device()
    one, four = score(pim, 8, 128, 600), score(pim, 32, 128, 600, kv_heads=8)
    assert four.tiles == 4 * one.tiles
    assert four.gwrites == 4 * one.gwrites
    assert kv_tiles(pim, 8, 128, 600) == published_tiles(600, 8, 128)
    assert key_rows(pim, 8, 128) == [(2, 4, 128)]
    assert key_rows(pim, 3, 1024) == [(6, 1, 512)]


@pytest.mark.parametrize(
    ("heads", "head_dim", "tokens", "kv_heads", "message"),
    [
        (0, 128, [5], None, "heads=0"),
        (8, 0, [5], None, "head_dim=0"),
        (8, 128, [5, 0], None, "a request of 0 tokens"),
        (8, 128, [5], 3, "8 heads do not divide over 3 KV heads"),
        (8, 128, [5], 0, "kv_heads=0"),
    ],
)
def test_wrong_sizes_are_refused(heads, head_dim, tokens, kv_heads, message):
    with pytest.raises(InvalidInput, match=message):
        attention(pim_device(), heads, head_dim, tokens, kv_heads)


def test_a_layout_beyond_the_rows_is_refused():
    with pytest.raises(InvalidInput, match="allowed: 0 to 4095"):
        KvLayout(small(), 5, 40, 90, first_row=4090)
    with pytest.raises(InvalidInput, match="tokens=0"):
        KvLayout(small(), 5, 40, 0)
