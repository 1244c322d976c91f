"""Which ports are clock, reset, handshake and data, by the names that people give them."""

import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.flow.parse import RtlPort
from archgym.rtl.own.interface import discover


def bit(name, direction="in"):
    return RtlPort(name, direction, 1, False)


DATA = (RtlPort("x", "in", 8, True), RtlPort("y", "out", 9, True))


@pytest.mark.parametrize("clock", ["clk", "CLK", "clk_i", "i_clk", "clock", "aclk", "sys_clk", "clk_in"])
def test_clocks_are_found_by_name(clock):
    found = discover([bit(clock), *DATA])
    assert (found.kind, found.signals.clock, found.signals.reset) == ("pipeline", clock, "")
    assert [port.name for port in found.data] == ["x", "y"]


@pytest.mark.parametrize(
    ("reset", "low"),
    [("rst_n", True), ("rst_ni", True), ("rstn", True), ("resetn", True), ("aresetn", True), ("arst_n", True),
     ("nrst", True), ("n_reset", True), ("i_rst_n", True), ("RESET_B", True),
     ("rst", False), ("reset", False), ("rst_i", False), ("areset", False), ("reset_in", False)],
)  # fmt: skip
def test_resets_are_found_by_name_and_so_is_their_polarity(reset, low):
    signals = discover([bit("clk"), bit(reset), *DATA]).signals
    assert (signals.reset, signals.active_low) == (reset, low)
    assert discover([bit("clk"), bit(reset), *DATA], active_low=not low).signals.active_low is not low


def test_what_only_looks_like_a_clock_is_data_where_that_is_said():
    ports = [bit("clk"), bit("rst"), *DATA]
    found = discover(ports, clock="none")
    assert found.kind == "combinational"
    assert [port.name for port in found.data] == ["clk", "rst", "x", "y"]
    assert discover(ports, reset="none").signals.reset == ""
    assert "rst" in [port.name for port in discover(ports, reset="none").data]


def test_valid_and_ready_on_both_sides_make_a_stream():
    names = {"in_valid": ("s_tvalid", "in"), "in_ready": ("s_tready", "out"), "out_valid": ("m_tvalid", "out"),
             "out_ready": ("m_tready", "in")}  # fmt: skip
    ports = [bit("aclk"), *(bit(*each) for each in names.values()), *DATA]
    found = discover(ports)
    assert found.kind == "stream"
    assert {role: getattr(found.signals, role) for role in names} == {role: name for role, (name, _) in names.items()}
    # A valid alone is a bit of the data: it comes out as late as they do.
    alone = discover([bit("clk"), bit("valid_i"), bit("valid_o", "out"), *DATA])
    assert alone.kind == "pipeline"
    assert "valid_i" in [port.name for port in alone.data]


def test_a_handshake_can_be_named():
    ports = [bit("clk"), bit("push"), bit("full_n", "out"), bit("some", "out"), bit("pop"), *DATA]
    said = {"in_valid": "push", "in_ready": "full_n", "out_valid": "some", "out_ready": "pop"}
    assert discover(ports).kind == "pipeline"
    assert discover(ports, handshake=said).kind == "stream"
    with pytest.raises(UnknownName, match=r"unknown in_ready .an output of one bit. 'push'"):
        discover(ports, handshake={**said, "in_ready": "push"})


@pytest.mark.parametrize(
    ("ports", "options", "message"),
    [
        ([bit("clk"), bit("clock"), *DATA], {}, "clk and clock could all be the clock: name one with --clock"),
        ([bit("clk"), bit("rst"), bit("arst_n"), *DATA], {}, "rst and arst_n could all be the reset"),
        ([bit("clk"), *DATA], {"clock": "clkk"}, "unknown clock .*'clkk'; did you mean 'clk'"),
        ([bit("clk"), *DATA], {"reset": "x"}, "unknown reset"),
        ([bit("clk"), RtlPort("pad", "inout", 1, False), *DATA], {}, "port pad is bidirectional"),
        ([bit("clk"), DATA[0]], {}, "no data outputs among the ports clk, x"),
        ([bit("clk"), DATA[1]], {}, "no data inputs"),
        ([], {}, "no data inputs among the ports none"),
    ],
)
def test_ports_that_fit_nothing_are_refused(ports, options, message):
    with pytest.raises(InvalidInput, match=message):
        discover(ports, **options)
