"""Runs inside the simulator, started by cocotb: plays a plan on the top's ports and notes what came out.

It imports nothing of ArchGym (that would cost each simulation as much as the simulation itself): the plan comes in and
the record goes out as JSON, and whoever started the simulator compares the record with the golden model.

Inputs change half a cycle after the rising edge and outputs are read just before the next, so no simulator's order of
events within a time step matters.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

_HALF = 5  # steps of simulated time: without delays in the design, their length means nothing
_QUIET = 4  # cycles after reset without input in which nothing may come out
_FAULTS = 5  # noted; the first says enough
_POLL_S = 0.2  # how long a simulation may outlive who started it
_STATES = ("moves", "waits", "rests")  # of a side in a cycle: a beat moves; is offered and not taken; is not offered


class Stream:
    """One input and one output stream of the top, clocked cycle by cycle, with the protocol's rules watched."""

    def __init__(self, dut: Any, plan: dict[str, Any]) -> None:
        self.half = Timer(_HALF, "step")
        self.clock, self.reset = dut.clk_i, dut.rst_ni
        self.in_valid, self.out_ready = dut.in_valid_i, dut.out_ready_i
        self.answers = {name: getattr(dut, name) for name in ("in_ready_o", "out_valid_o")}
        self.inputs = [getattr(dut, name) for name in plan["inputs"]]
        self.outputs = {name: getattr(dut, name) for name in plan["outputs"]}
        self.masks = [(1 << len(handle)) - 1 for handle in self.inputs]
        self.patience = plan["patience"]
        self.cycles = 0
        self.faults: list[str] = []
        self.waiting: list[str] | None = None  # the output beat that was valid in the last cycle and not taken

    def fault(self, text: str) -> None:
        """Note a broken rule."""
        if len(self.faults) < _FAULTS:
            self.faults.append(f"cycle {self.cycles}: {text}")

    def answer(self, name: str) -> bool:
        """A handshake signal of the top."""
        text = str(self.answers[name].value)
        if text not in {"0", "1"}:
            self.fault(f"{name} is {text}")
        return text == "1"

    async def low(self) -> tuple[bool, list[str]]:
        """The low half of a cycle; then the output: whether it is valid, and its data if so."""
        self.clock.value = 0
        await self.half
        valid = self.answer("out_valid_o")
        data = [str(handle.value) for handle in self.outputs.values()] if valid else []
        for name, text in zip(self.outputs, data):
            if text.strip("01"):
                self.fault(f"{name} is {text} while out_valid_o is high")
        if self.waiting is not None and not valid:
            self.fault("out_valid_o fell before out_ready_i came")
        elif self.waiting is not None and data != self.waiting:
            changed = [name for name, old, new in zip(self.outputs, self.waiting, data) if old != new]
            self.fault(f"{', '.join(changed)} changed while out_valid_o waited for out_ready_i")
        return valid, data

    async def high(self) -> None:
        """The rising edge and the high half of a cycle."""
        self.clock.value = 1
        await self.half
        self.cycles += 1

    async def restart(self, cycles: int) -> None:
        """Reset, then a few cycles without input in which nothing may come out."""
        self.waiting = None
        self.reset.value = 0
        self.in_valid.value = 0
        self.out_ready.value = 0
        for handle, mask in zip(self.inputs, self.masks):
            handle.value = mask
        for _ in range(cycles):
            self.clock.value = 0
            await self.half
            await self.high()
        self.reset.value = 1
        await self.rest(_QUIET, "after reset, before any input")

    async def rest(self, cycles: int, when: str) -> None:
        """Cycles without input in which output would be taken: nothing may come."""
        self.waiting = None
        self.in_valid.value = 0
        self.out_ready.value = 1
        for _ in range(cycles):
            valid, _ = await self.low()
            if valid:
                self.fault(f"out_valid_o is high {when}")
            await self.high()

    def offer(self, beat: list[int], *, valid: bool) -> None:
        """Put a beat on the input; while it is not valid, what stands on the data must not matter."""
        self.in_valid.value = int(valid)
        for handle, word, mask in zip(self.inputs, beat, self.masks):
            handle.value = word if valid else word ^ mask

    async def play(self, part: dict[str, Any]) -> dict[str, Any]:
        """Send the beats of a part, take what comes, and return what was seen."""
        beats = [[int(word, 16) for word in beat] for beat in zip(*part["beats"])]
        expected, willing, ready_when = part["expected"], part["in"], part["out"]
        seen = {f"{before} {after}": 0 for before in _STATES for after in _STATES}
        got: list[list[str]] = []
        await self.restart(part["reset"])
        sent = quiet = step = 0
        offered = False
        while (sent < len(beats) or len(got) < expected) and step != part["stop"] and not self.faults:
            if not offered:
                offered = sent < len(beats) and willing[step % len(willing)] == "1"
                self.offer(beats[min(sent, len(beats) - 1)], valid=offered)
            ready = ready_when[step % len(ready_when)] == "1"
            self.out_ready.value = int(ready)
            valid, data = await self.low()
            accepted, taken = self.answer("in_ready_o") and offered, valid and ready
            seen[f"{_state(accepted, offered)} {_state(taken, valid)}"] += 1
            if taken:
                got.append(data)
                if sent == 0 and not accepted:
                    self.fault("a beat came out before one went in")
            self.waiting = data if valid and not ready else None
            sent += accepted
            offered = offered and not accepted
            quiet = 0 if accepted or taken else quiet + 1
            if quiet > self.patience:
                said = f"{sent} of {len(beats)} beats in, {len(got)} of {expected} out"
                self.fault(f"nothing moved for {quiet} cycles: {said}")
            await self.high()
            step += 1
        if part["stop"] is None and not self.faults:
            await self.rest(part["drain"], f"although all {expected} beats have come out")
        columns = [list(column) for column in zip(*got)] or [[] for _ in self.outputs]
        return {"outputs": columns, "sent": sent, "cycles": step, "seen": seen, "faults": list(self.faults)}


def _state(moves: bool, offered: bool) -> str:
    return _STATES[0 if moves else 1 if offered else 2]


async def play_vectors(dut: Any, plan: dict[str, Any]) -> dict[str, Any]:
    """Apply the vectors of a combinational top, one by one."""
    settle = Timer(_HALF, "step")
    inputs = [getattr(dut, name) for name in plan["inputs"]]
    outputs = {name: getattr(dut, name) for name in plan["outputs"]}
    vectors = list(zip(*plan["parts"][0]["beats"]))
    got: dict[str, list[str]] = {name: [] for name in outputs}
    faults: list[str] = []
    for index, vector in enumerate(vectors):
        for handle, word in zip(inputs, vector):
            handle.value = int(word, 16)
        await settle
        for name, handle in outputs.items():
            text = str(handle.value)
            got[name].append(text)
            if text.strip("01") and len(faults) < _FAULTS:
                faults.append(f"vector {index}: {name} is {text}")
    return {"outputs": list(got.values()), "sent": len(vectors), "cycles": 0, "seen": {}, "faults": faults}


def end_with(parent: int) -> None:
    """End the simulator when its parent has ended, however it did: a bench that was killed leaves nothing running."""
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os.killpg(0, signal.SIGKILL)  # `simulate` gives every simulation a group of its own


@cocotb.test()
async def bench(dut: Any) -> None:
    """Play the plan of $ARCHGYM_PLAN and write the record beside it; stops after the part with the first fault."""
    threading.Thread(target=end_with, args=(int(os.environ["ARCHGYM_PARENT"]),), daemon=True).start()
    path = Path(os.environ["ARCHGYM_PLAN"])
    plan = json.loads(path.read_text())
    record: list[dict[str, Any]] = []
    if plan["kind"] == "combinational":
        record.append(await play_vectors(dut, plan))
    else:
        stream = Stream(dut, plan)
        for part in plan["parts"]:
            record.append(await stream.play(part))
            if stream.faults:
                break
    path.with_name("record.json").write_text(json.dumps(record))
