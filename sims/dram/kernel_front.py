"""Kernel, part 4: the way in (arbiter, buffers) and the way out (response queue, arbiter)."""

from __future__ import annotations

from typing import Any

from archgym.sims.jit import lean

from archgym.sims.dram.kernel_queue import append, choose, turn
from archgym.sims.dram.kernel_rank import wanted
from archgym.sims.dram.layout import (
    ARB_FIFO, ARB_REORDER, ARB_SIMPLE, A_ARRIVAL, A_BANK, A_FOLLOWING, A_WRITE, BANKWISE, BANK_STEP, B_CHANNEL,
    B_COUNT, B_RANK, CHANNEL_STEP, C_ACTIVE, C_ARBITER, C_BUFFER, C_BUFFER_SIZE, C_CHANNELS, C_DRAIN, C_POWER_DOWN,
    C_RESPONSE, C_STAGE, G_DELIVERED, G_FRONT, G_ISSUED, G_ORDERED, G_WAKE, H_ACCEPT_AT, H_DRAIN_LEFT, H_HEAD,
    H_MOVE_AT, H_NEXT_RESPONSE, H_OUT_BASE, H_OUT_HEAD, H_OUT_TAIL, H_READS, H_RESPONSE_AT, H_STAGE, H_STAGED,
    H_STAGED_WRITES, H_STAGE_END, H_WRITES, INFINITY, N_PSEUDO, RANK_STEP, READ_WRITE, RESP_FIFO, R_PENDING, STAGGERED,
    W_AFTER, W_ANSWERED, W_BEFORE, W_DONE, W_ENTERED, W_LEAVING,
)  # fmt: skip


IDLE_DRAIN = 8  # DRAMsim3, Controller::ScheduleTransaction: more writes than this go when the banks' queues are empty


@lean
def _room(m: Any, a: Any, w: Any, channel: int, access: int) -> bool:
    """Whether the controller's buffer has a place for the access."""
    if m[C_STAGE] > 0:
        return bool(m[H_STAGED + a[access, A_WRITE] + CHANNEL_STEP * channel] < m[C_STAGE])
    kind = m[C_BUFFER]
    if kind == BANKWISE:
        held = m[B_COUNT + BANK_STEP * (a[access, A_BANK])]
    elif kind == READ_WRITE:
        held = m[H_WRITES + CHANNEL_STEP * channel] if a[access, A_WRITE] == 1 else m[H_READS + CHANNEL_STEP * channel]
    else:
        held = m[H_READS + CHANNEL_STEP * channel] + m[H_WRITES + CHANNEL_STEP * channel]
    return bool(held < m[C_BUFFER_SIZE])


@lean
def _opens(m: Any, channel: int) -> Any:
    """First cycle the channel can take an access: one a cycle and pseudo channel (H_ACCEPT_AT counts such slots)."""
    return m[H_ACCEPT_AT + CHANNEL_STEP * channel] // m[N_PSEUDO]


@lean
def _enter(m: Any, a: Any, w: Any, channel: int, access: int, now: Any) -> None:
    """The controller takes an access."""
    bank = a[access, A_BANK]
    rank = m[B_RANK + BANK_STEP * bank]
    w[access, W_ENTERED] = now
    m[H_ACCEPT_AT + CHANNEL_STEP * channel] = max(m[H_ACCEPT_AT + CHANNEL_STEP * channel], now * m[N_PSEUDO]) + 1
    m[H_HEAD + CHANNEL_STEP * channel] = a[access, A_FOLLOWING]
    if m[C_POWER_DOWN] == STAGGERED and m[R_PENDING + RANK_STEP * rank] == 0:
        wanted(m, a, w, channel, rank)
    m[R_PENDING + RANK_STEP * rank] += 1
    if m[C_STAGE] > 0:
        _stage(m, a, w, channel, access, now)
    else:
        _take(m, a, w, channel, access)


@lean
def _take(m: Any, a: Any, w: Any, channel: int, access: int) -> None:
    """Put an access into its bank's list."""
    if a[access, A_WRITE] == 1:
        m[H_WRITES + CHANNEL_STEP * channel] += 1
    else:
        m[H_READS + CHANNEL_STEP * channel] += 1
    append(m, a, w, access)
    choose(m, a, w, a[access, A_BANK])
    if m[C_DRAIN] == 1:
        turn(m, a, w, channel)


@lean
def _stage(m: Any, a: Any, w: Any, channel: int, access: int, now: Any) -> None:
    """Put an access at the end of the channel's read or write queue, which it can leave a cycle later."""
    write = a[access, A_WRITE]
    place = CHANNEL_STEP * channel + write
    last = m[H_STAGE_END + place]
    w[access, W_AFTER] = -1
    w[access, W_BEFORE] = last
    if last >= 0:
        w[last, W_AFTER] = access
    else:
        m[H_STAGE + place] = access
    m[H_STAGE_END + place] = access
    if m[H_STAGED + CHANNEL_STEP * channel] + m[H_STAGED_WRITES + CHANNEL_STEP * channel] == 0:
        m[H_MOVE_AT + CHANNEL_STEP * channel] = now + 1
    m[H_STAGED + place] += 1


@lean
def _move(m: Any, a: Any, w: Any, channel: int, now: Any) -> Any:
    """Move the first access whose bank has room from its queue to the bank's; returns when to try again."""
    base = CHANNEL_STEP * channel
    if m[H_STAGED + base] + m[H_STAGED_WRITES + base] == 0:
        return INFINITY
    if m[H_MOVE_AT + base] > now:
        return m[H_MOVE_AT + base]
    writes, queued = m[H_STAGED_WRITES + base], m[H_READS + base] + m[H_WRITES + base]
    least = IDLE_DRAIN if m[H_STAGED + base] > 0 or m[H_HEAD + base] >= 0 else 0  # the last ones need not wait for more
    if m[H_DRAIN_LEFT + base] == 0 and (writes >= m[C_STAGE] or (writes > least and queued == 0)):
        m[H_DRAIN_LEFT + base] = writes
    write = 1 if m[H_DRAIN_LEFT + base] > 0 else 0
    access = m[H_STAGE + write + base]
    while access >= 0 and m[B_COUNT + BANK_STEP * a[access, A_BANK]] >= m[C_BUFFER_SIZE]:
        access = w[access, W_AFTER]
    if access < 0:
        return INFINITY
    before, after = w[access, W_BEFORE], w[access, W_AFTER]
    if before >= 0:
        w[before, W_AFTER] = after
    else:
        m[H_STAGE + write + base] = after
    if after >= 0:
        w[after, W_BEFORE] = before
    else:
        m[H_STAGE_END + write + base] = before
    m[H_STAGED + write + base] -= 1
    m[H_DRAIN_LEFT + base] -= write
    m[H_MOVE_AT + base] = now + 1
    _take(m, a, w, channel, access)
    return now + 1


@lean
def pump(m: Any, a: Any, w: Any, now: Any) -> None:
    """Let in what may come in at `now`; sets when to try again (G_WAKE) if time alone will help."""
    if m[C_ARBITER] == ARB_SIMPLE:
        _pump_in_order(m, a, w, now)
    else:
        _pump_by_channel(m, a, w, now)
    if m[C_STAGE] > 0:
        for channel in range(m[C_CHANNELS]):
            m[G_WAKE] = min(m[G_WAKE], _move(m, a, w, channel, now))


@lean
def _pump_in_order(m: Any, a: Any, w: Any, now: Any) -> None:
    """Simple arbiter: one request at a time, a full channel holds up all that follow."""
    access, n = m[G_FRONT], a.shape[0]
    wake = INFINITY
    while access < n:
        channel = m[B_CHANNEL + BANK_STEP * (a[access, A_BANK])]
        time = max(a[access, A_ARRIVAL], _opens(m, channel))
        if time > now:
            wake = time
            break
        if not _room(m, a, w, channel, access):
            break
        _enter(m, a, w, channel, access, now)
        access += 1
    m[G_FRONT] = access
    m[G_WAKE] = wake


@lean
def _pump_by_channel(m: Any, a: Any, w: Any, now: Any) -> None:
    """Fifo and Reorder arbiters: take up to MaxActiveTransactions, and queue them per channel."""
    _collect(m, a, w, now)
    issued, n = m[G_ISSUED], a.shape[0]
    wake = INFINITY
    while issued < n:
        if issued - m[G_DELIVERED] >= m[C_ACTIVE]:
            wake = _next_delivery(m, a, w)
            break
        if a[issued, A_ARRIVAL] > now:
            wake = a[issued, A_ARRIVAL]
            break
        issued += 1
    m[G_ISSUED] = issued
    for channel in range(m[C_CHANNELS]):
        access = m[H_HEAD + CHANNEL_STEP * channel]
        if access >= 0 and access < issued and _room(m, a, w, channel, access):
            while access >= 0 and access < issued and _opens(m, channel) <= now and _room(m, a, w, channel, access):
                _enter(m, a, w, channel, access, now)
                access = m[H_HEAD + CHANNEL_STEP * channel]
            if access >= 0 and access < issued and _room(m, a, w, channel, access):
                wake = min(wake, _opens(m, channel))
    m[G_WAKE] = wake


@lean
def _collect(m: Any, a: Any, w: Any, now: Any) -> None:
    """Count answers that arrived before `now`: each makes room for another active transaction a cycle later."""
    if m[C_ARBITER] == ARB_FIFO:
        for channel in range(m[C_CHANNELS]):
            head = m[H_OUT_HEAD + CHANNEL_STEP * channel]
            while (
                head < m[H_OUT_TAIL + CHANNEL_STEP * channel]
                and w[m[H_OUT_BASE + CHANNEL_STEP * channel] + head, W_LEAVING] < now
            ):
                head += 1
                m[G_DELIVERED] += 1
            m[H_OUT_HEAD + CHANNEL_STEP * channel] = head
    else:
        at = m[G_DELIVERED]
        while at < m[G_ORDERED] and w[at, W_DONE] < now:
            at += 1
        m[G_DELIVERED] = at


@lean
def _next_delivery(m: Any, a: Any, w: Any) -> Any:
    """When the next answer makes room, if that is known already."""
    time = INFINITY
    if m[C_ARBITER] == ARB_FIFO:
        for channel in range(m[C_CHANNELS]):
            if m[H_OUT_HEAD + CHANNEL_STEP * channel] < m[H_OUT_TAIL + CHANNEL_STEP * channel]:
                time = min(
                    time,
                    w[m[H_OUT_BASE + CHANNEL_STEP * channel] + m[H_OUT_HEAD + CHANNEL_STEP * channel], W_LEAVING] + 1,
                )
    elif m[G_DELIVERED] < m[G_ORDERED]:
        time = w[m[G_DELIVERED], W_DONE] + 1
    return time


@lean
def respond(m: Any, a: Any, w: Any, channel: int, access: int, data_end: Any) -> None:
    """The controller's response queue: one answer a cycle, in order of the data (Fifo) or of arrival (Reorder)."""
    if m[C_RESPONSE] == RESP_FIFO:
        time = max(data_end, m[H_RESPONSE_AT + CHANNEL_STEP * channel] + 1)
        m[H_RESPONSE_AT + CHANNEL_STEP * channel] = time
        _deliver(m, a, w, channel, access, time)
        return
    w[access, W_ANSWERED] = data_end
    waiting = m[H_NEXT_RESPONSE + CHANNEL_STEP * channel]
    while waiting >= 0 and w[waiting, W_ANSWERED] >= 0:
        time = max(w[waiting, W_ANSWERED], m[H_RESPONSE_AT + CHANNEL_STEP * channel] + 1)
        m[H_RESPONSE_AT + CHANNEL_STEP * channel] = time
        _deliver(m, a, w, channel, waiting, time)
        waiting = a[waiting, A_FOLLOWING]
    m[H_NEXT_RESPONSE + CHANNEL_STEP * channel] = waiting


@lean
def _deliver(m: Any, a: Any, w: Any, channel: int, access: int, time: Any) -> None:
    """The arbiter's way back: at once (Simple, Fifo) or in order over all channels (Reorder)."""
    if m[C_ARBITER] == ARB_REORDER:
        w[access, W_ANSWERED] = -2 - time  # known to the arbiter
        at, n, width = m[G_ORDERED], a.shape[0], m[C_CHANNELS]
        while at < n and w[at, W_ANSWERED] < -1:
            known = -2 - w[at, W_ANSWERED]
            if at > 0:
                known = max(known, w[at - 1, W_DONE])
            if at >= width:
                known = max(known, w[at - width, W_DONE] + 1)
            w[at, W_DONE] = known
            at += 1
        m[G_ORDERED] = at
        return
    w[access, W_DONE] = time
    if m[C_ARBITER] == ARB_FIFO:
        w[m[H_OUT_BASE + CHANNEL_STEP * channel] + m[H_OUT_TAIL + CHANNEL_STEP * channel], W_LEAVING] = time
        m[H_OUT_TAIL + CHANNEL_STEP * channel] += 1
