"""Devices as data: what the first page of a data sheet promises, and what the parameters must satisfy together."""

from __future__ import annotations

import pickle

import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.devices import DEVICES, device, variant
from archgym.sims.dram.spec import COMMANDS, LEVELS

GBIT = 1 << 30
# name: (density of a die in Gbit, channels of a die, data rate per pin in Mb/s, bits of a channel, banks)
ADVERTISED = {
    "DDR3-1600-1Gb-x8": (1, 1, 1600, 64, 8),
    "DDR4-2400-8Gb-x8": (8, 1, 2400, 64, 16),
    "DDR4-3200-8Gb-x8": (8, 1, 3200, 64, 16),
    "DDR5-4800-16Gb-x8": (16, 1, 4800, 32, 32),
    "LPDDR4-3200-8Gb-x16": (8, 1, 3200, 16, 8),
    "LPDDR5-6400-16Gb-x16": (16, 1, 6400, 16, 16),
    "HBM2-2000-8Gb": (8, 2, 2000, 128, 16),
    "HBM3-5200-16Gb": (16, 4, 5200, 64, 16),
    "GDDR6-14000-8Gb-x16": (8, 2, 14000, 16, 16),
}
ALL = sorted(DEVICES)


def test_every_device_has_its_advertised_line():
    assert set(ADVERTISED) == set(DEVICES)
    assert all(found.name == name for name, found in DEVICES.items())


@pytest.mark.parametrize("name", ALL)
def test_capacity_is_the_advertised_density(name):
    d, (gbit, channels_per_die, *_, banks) = device(name), ADVERTISED[name]
    assert d.bankgroups * d.banks_per_group == banks
    bits = banks * d.rows * d.columns * d.device_width_bits * d.pseudochannels * channels_per_die
    assert bits == gbit * GBIT
    assert d.rank_bytes * 8 == bits // d.pseudochannels // channels_per_die * d.devices_per_rank


@pytest.mark.parametrize("name", ALL)
def test_peak_bandwidth_is_rate_times_width(name):
    _, _, rate, bits, _ = ADVERTISED[name]
    d = device(name)
    assert d.peak_bandwidth_gbps == pytest.approx(rate / 1000 * bits / 8, rel=2e-3)  # tCK is a whole number of ps
    assert d.channel_width_bits * d.pseudochannels == bits
    # A burst of back-to-back reads across bank groups fills the bus: tCCD_S is exactly the burst.
    assert d.timing["nBL"] == d.burst_length // d.clock_ratio == d.timing["nCCDS"]


@pytest.mark.parametrize("name", ALL)
def test_a_row_is_a_whole_number_of_accesses(name):
    d = device(name)
    assert d.columns % d.burst_length == 0
    assert d.row_bytes % d.access_bytes == 0
    assert d.access_bytes in (32, 64)


@pytest.mark.parametrize("name", ALL)
def test_parameters_are_consistent(name):
    t = device(name).timing
    assert all(isinstance(value, int) and value > 0 for value in t.values())
    assert t["nRC"] == t["nRAS"] + t["nRP"]  # what makes ACT -> RDA -> ACT need tRC and no more
    assert t["nRCDRD"] <= t["nRAS"]
    assert t["nRRDS"] <= t["nRRDL"]
    assert t["nCCDS"] <= t["nCCDL"]
    assert t["nWTRS"] <= t["nWTRL"]
    assert t["nFAW"] > 3 * t["nRRDS"]
    assert t["nRPAB"] >= t["nRP"]
    assert t["nCWL"] <= t["nCL"]
    assert t["nXS"] >= t["nRFC"]
    # Data of a read and of a write that follows it at once do not meet on the bus.
    assert t["nRTW"] + t["nCWL"] >= t["nCL"] + t["nBL"]


@pytest.mark.parametrize("name", ALL)
def test_refresh_covers_every_row_in_its_retention(name):
    d = device(name)
    ns = {key: cycles * d.tck_ps / 1000 for key, cycles in d.timing.items()}
    # 8192 commands cover all rows in 64 ms (DDR3, DDR4) or 32 ms; GDDR6 needs 16384.
    commands, retention_ms = {"DDR3": (8192, 64), "DDR4": (8192, 64), "GDDR6": (16384, 32)}.get(d.standard, (8192, 32))
    assert ns["nREFI"] * commands / 1e6 == pytest.approx(retention_ms, rel=0.03)
    assert ("REFPB" in d.refresh) == ("nRFCPB" in d.timing)
    assert ("REFSB" in d.refresh) == ("nRFCSB" in d.timing)
    banks = d.bankgroups * d.banks_per_group
    if "REFPB" in d.refresh:
        assert d.timing["nREFIPB"] == pytest.approx(d.timing["nREFI"] / banks, rel=0.01)
        assert d.timing["nRFCPB"] < d.timing["nRFC"]
        assert d.timing["nPBR2PBR"] <= d.timing["nREFIPB"]
    if "REFSB" in d.refresh:  # fine granularity: twice as many, each for one bank of a group
        assert d.timing["nREFISB"] == pytest.approx(d.timing["nREFI"] / 2 / d.banks_per_group, rel=0.01)


@pytest.mark.parametrize("name", ALL)
def test_currents_are_complete_and_ordered(name):
    d = device(name)
    needed = {"IDD0", "IDD2N", "IDD2P", "IDD3N", "IDD3P", "IDD4R", "IDD4W", "IDD5B", "IDD6"}
    needed |= {"IDD5PB"} if "REFPB" in d.refresh else set()
    needed |= {"IDD5C"} if "REFSB" in d.refresh else set()
    assert all(set(rail.current_ma) == needed for rail in d.rails)

    def power(key: str) -> float:
        return sum(rail.voltage_v * rail.current_ma[key] for rail in d.rails)

    assert power("IDD2P") < power("IDD2N") <= power("IDD3N") < min(power("IDD4R"), power("IDD4W"))
    assert power("IDD2P") <= power("IDD3P") <= power("IDD3N")
    assert all(power(key) > power("IDD2N") for key in needed & {"IDD5B", "IDD5PB", "IDD5C"})
    # The energy of an activate, IDD0 less the standby it includes (Micron TN-41-01), is positive.
    t = d.timing
    assert power("IDD0") * t["nRC"] > power("IDD3N") * t["nRAS"] + power("IDD2N") * t["nRP"]


@pytest.mark.parametrize("name", ALL)
def test_rows_speak_the_device_and_the_spec(name):
    d = device(name)
    known = set(COMMANDS) - ({"REFAB", "REFPB", "REFSB"} - set(d.refresh))
    for row in d.constraints:
        assert row.level in LEVELS
        assert row.preceding
        assert row.following
        assert known.issuperset(row.preceding + row.following)
        assert row.latency > 1
        assert row.doc
    assert d.sources


def test_devices_travel_to_worker_processes():
    assert pickle.loads(pickle.dumps(DEVICES["HBM3-5200-16Gb"])) == DEVICES["HBM3-5200-16Gb"]


def test_a_misspelt_device_names_the_nearest():
    with pytest.raises(UnknownName, match="DDR4-2400-8Gb-x8"):
        device("ddr4-2400-8gb-x8")


def test_a_variant_follows_its_parameters():
    base = device("DDR4-2400-8Gb-x8")
    fast = variant(base, "DDR4-2400R", nCL=16, nRCDRD=16, nRCDWR=16, nRP=16, nRPAB=16, nRC=55)
    assert fast.name == "DDR4-2400R"
    assert base.timing["nRTW"] - fast.timing["nRTW"] == 1
    assert [r.latency for r in fast.constraints if r.doc == "tRCD (read)"] == [16]
    assert variant(base, "x", nCL=16, nRTW=9).timing["nRTW"] == 9
    assert variant(base, base.name) == base


def test_a_variant_refuses_what_no_device_has():
    base = device("DDR3-1600-1Gb-x8")
    with pytest.raises(UnknownName, match="nCWL"):
        variant(base, "x", nCLW=7)
    with pytest.raises(InvalidInput, match="positive"):
        variant(base, "x", nCL=0)
