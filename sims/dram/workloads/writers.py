"""`Trace` in, a file other simulators read out."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.workloads import compact
from archgym.sims.dram.workloads.formats import ADDRESS_BITS, CYCLE_BITS, FORMATS, Format
from archgym.sims.dram.workloads.request_trace import Trace

SUFFIXES = {
    ".npz": "npz",
    ".stl": "stl",
    ".trace": "dramsim3",
    ".ldst": "ramulator-ldst",
    ".ramrw": "ramulator-rw",
}
"""Format by file suffix (before an optional .gz)."""


def write(trace: Trace, path: str | Path, form: str | None = None, tck_ps: int = 0) -> None:
    """Write a trace so that `read`, or the simulator whose format it is, can read it.

    Args:
        trace: what to write.
        path: where; a name ending in .gz is gzipped.
        form: a name in `FORMATS` or "npz"; None: by the suffix, one of `SUFFIXES`.
        tck_ps: the memory clock that formats other than stl and npz count in. Needed to convert a trace with a clock
            of its own; arrivals round down. In ramulator-ldst, which has no time, they are lost.

    Raises:
        UnknownName: for an unknown format or suffix.
        InvalidInput: when a conversion needs `tck_ps`, or a text file cannot hold an address or cycle (see `formats`).
    """
    path = Path(path)
    form = form or form_of(path)
    if form == "npz":
        compact.save(trace, path)
        return
    if form not in FORMATS:
        raise UnknownName("trace format", form, [*FORMATS, "npz"])
    text = _text(trace, FORMATS[form], tck_ps).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def form_of(path: Path) -> str:
    """The format that a file name's suffix asks for.

    Raises:
        UnknownName: for an unknown suffix.
    """
    suffix = Path(path.name.removesuffix(".gz")).suffix
    if suffix not in SUFFIXES:
        raise UnknownName(f"suffix of the trace file {path.name!r}", suffix, SUFFIXES)
    return SUFFIXES[suffix]


def _text(trace: Trace, form: Format, tck_ps: int) -> str:
    arrival, head = trace.arrival, ""
    if form.name == "stl":
        head = f"# clock_ps = {trace.clock_ps}\n" if trace.clock_ps else ""
    elif form.timed and trace.clock_ps:
        if tck_ps <= 0:
            raise InvalidInput(
                f"trace {trace.name!r}: arrivals count cycles of {trace.clock_ps} ps and {form.name} counts memory "
                f"clocks; got tck_ps={tck_ps}, expected the picoseconds of one"
            )
        arrival = np.asarray(arrival * trace.clock_ps // tck_ps)
    for what, values, bits in (("address", trace.address, ADDRESS_BITS), ("cycle", arrival, CYCLE_BITS)):
        if int(values.max()) >> bits:
            raise InvalidInput(
                f"trace {trace.name!r}: got {what} {values.max()}, expected below 2^{bits} in a {form.name} file"
            )
    rows = zip(trace.address.tolist(), trace.write.tolist(), arrival.tolist(), strict=True)
    return head + "\n".join(form.render(*row) for row in rows) + "\n"
