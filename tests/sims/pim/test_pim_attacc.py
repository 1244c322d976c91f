"""The closed form on another device: bank-level AttAcc against results its simulator has cached."""

from __future__ import annotations

import sys

import pytest

from archgym.errors import InvalidInput
from archgym.sims.pim import attacc
from archgym.sims.pim.tile import tile_period

# scale-snu/attacc_simulator (c600051) ramulator.out, pim_type BA: tokens, heads, head dim, bytes, limit, cycles.
CACHED = [
    (128, 2050, 128, 2, True, 38732), (512, 512, 128, 2, True, 33157), (1024, 447, 128, 2, True, 57727),
    (2048, 351, 128, 2, True, 90426), (4096, 51, 128, 2, True, 33043), (2048, 562, 128, 1, True, 73904),
    (1024, 292, 160, 1, True, 39064), (128, 2050, 128, 2, False, 30054), (1024, 243, 128, 2, False, 23967),
    (2048, 157, 160, 1, False, 29779), (4096, 157, 160, 1, False, 59977),
]  # fmt: skip


def test_a_row_of_every_bank_by_hand():
    """tRP + tRCD + 31 more of 32 MACs six cycles apart + tRTP."""
    assert tile_period(attacc.attacc()) == 19 + 19 + 31 * 6 + 8
    assert tile_period(attacc.attacc(power_limit=False)) == 19 + 19 + 31 * 4 + 8


@pytest.mark.parametrize(("tokens", "heads", "dim", "size", "limit", "cycles"), CACHED)
def test_cached_results_are_met_within_three_percent(tokens, heads, dim, size, limit, cycles):
    found = attacc.attention_cycles(attacc.attacc(limit, size), heads, dim, tokens)
    assert float(found) == pytest.approx(cycles, rel=0.03)


def test_a_results_file_is_compared_by_kind(tmp_path, monkeypatch, capsys):
    path = tmp_path / "ramulator.out"
    lines = ["L,nhead,dhead,dbyte,pim_type,power_constraint,cycle,mac,softmax,mvgb,mvsb,wrgb"]
    lines += [f"{t},{h},{d},{b},BA,{p},{c},0,0,0,0,0" for t, h, d, b, p, c in CACHED]
    path.write_text("\n".join([*lines, "128,64,128,2,BG,True,1,0,0,0,0,0"]))
    errors = attacc.compare(path)
    assert {key: len(value) for key, value in errors.items()} == {
        (False, 128, 2): 2, (False, 160, 1): 2, (True, 128, 1): 1, (True, 128, 2): 5, (True, 160, 1): 1,
    }  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["attacc", str(path)])
    attacc.main()
    assert "power limit True, head 128, 2 byte: 5 runs" in capsys.readouterr().out


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="no rows of pim_type BA"):
        attacc.compare(path)
