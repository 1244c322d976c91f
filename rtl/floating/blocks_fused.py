"""Fused multiply-add, and the chain whose partial sums stay un-normalised."""

from __future__ import annotations

import itertools

import numpy as np

from archgym.rtl.block import Block, Draw, Mutation, Parameters, Port, Streams, uniform
from archgym.rtl.floating import fused
from archgym.rtl.floating.arithmetic import multiply
from archgym.rtl.floating.formats import Format, Words
from archgym.rtl.floating.knobs import OPERANDS, RESULT, RULES, SUM, in_format, out_format, pipeline, rules
from archgym.rtl.floating.stimuli import corner_words, last_flags, operands, pairs

__all__ = ["DOT", "FMA", "PE"]

_PACKET = 8.0  # beats of a packet, mean: sums begin and end often
_FRONT = (
    "common/stream_register.sv", "common/optional_register.sv", "floating/fp_unpack.sv", "floating/fp_lzc.sv",
    "floating/fp_shift_sticky.sv", "floating/fp_round.sv", "floating/fp_mul_front.sv",
)  # fmt: skip
_PAPER = "K. Alexandridis, C. Peltekis, D. Filippas, G. Dimitrakopoulos, arXiv 2408.11997"


def _words(name: str, form: Format, doc: str) -> Port:
    return Port(name, "out" if name.endswith("_o") else "in", form.width, doc=doc)


def _fma_ports(p: Parameters) -> tuple[Port, ...]:
    form, out = in_format(p), out_format(p)
    return (
        _words("a_i", form, "First factor."), _words("b_i", form, "Second factor."), _words("c_i", out, "Addend."),
        _words("result_o", out, "a*b + c."),
    )  # fmt: skip


def _fma_stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    form, out = in_format(p), out_format(p)
    a, b, c = operands(form, rng, n, draw), operands(form, rng, n, draw), operands(out, rng, n, draw)
    if draw is uniform:  # a third nearly cancel the product
        close = (multiply(form, a, b, rules(p), out) ^ out.sign_bit) + rng.integers(-2, 3, n)
        c = np.where(rng.random(n) < 1 / 3, close & ((1 << out.width) - 1), c)
    return {"a_i": a, "b_i": b, "c_i": c}


def _fma_corners(p: Parameters) -> Streams:
    factors = corner_words(in_format(p))
    table = np.array(list(itertools.product(factors, factors[::2], corner_words(out_format(p)))), dtype=np.int64)
    return {"a_i": table[:, 0], "b_i": table[:, 1], "c_i": table[:, 2]}


def _fma_golden(p: Parameters, streams: Streams) -> Streams:
    a, b, c = streams["a_i"], streams["b_i"], streams["c_i"]
    return {"result_o": fused.fma(in_format(p), a, b, c, rules(p), out_format(p))}


def _chain(p: Parameters) -> fused.Chain:
    return fused.Chain(in_format(p), p["SumWidth"], p["Normalise"], p["NormK"], p["NormLambda"])


def _reject_chain(p: Parameters) -> str:
    most = 2 ** (p["ExpWidth"] - 1) + 2
    if p["ManWidth"] > most:
        return f"ManWidth must be at most {most} with ExpWidth {p['ExpWidth']}, got {p['ManWidth']}"
    return ""


def _pe_ports(p: Parameters) -> tuple[Port, ...]:
    form, bits = in_format(p), _chain(p).bits
    return (
        _words("a_i", form, "First factor."),
        _words("b_i", form, "Second factor."),
        Port("sum_i", "in", bits, doc="Partial sum of the elements before."),
        Port("sum_o", "out", bits, doc="Partial sum with this product."),
    )


def _pe_golden(p: Parameters, streams: Streams) -> Streams:
    chain = _chain(p)
    psum = fused.unpack_sum(chain, streams["sum_i"])
    return {"sum_o": fused.pack_sum(chain, fused.accumulate(chain, streams["a_i"], streams["b_i"], psum, rules(p)))}


def _earlier(p: Parameters, rng: np.random.Generator, n: int, draw: Draw) -> Words:
    """Partial sums as a chain makes them: eight elements before this one, or none."""
    chain, form = _chain(p), in_format(p)
    psum = chain.zero((n,))
    for _ in range(8):
        a, b = operands(form, rng, n, draw), operands(form, rng, n, draw)
        calm = ~(form.is_nan(a) | form.is_inf(a) | form.is_nan(b) | form.is_inf(b)) | (rng.random(n) < 1 / 16)
        new = fused.accumulate(chain, np.where(calm, a, 0), np.where(calm, b, 0), psum, rules(p))
        psum = new.where(rng.random(n) < 7 / 8, psum)
    return fused.pack_sum(chain, psum)


def _pe_stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    form = in_format(p)
    sums = _earlier(p, rng, n, draw)
    return {"a_i": operands(form, rng, n, draw), "b_i": operands(form, rng, n, draw), "sum_i": sums}


def _pe_corners(p: Parameters) -> Streams:
    """Every pair of corner factors onto nothing, and onto the product of the pair before with the other sign."""
    chain, (a, b) = _chain(p), pairs(in_format(p))
    nothing = chain.zero(a.shape)
    before = fused.accumulate(chain, np.roll(a, 1) ^ in_format(p).sign_bit, np.roll(b, 1), nothing, rules(p))
    same = fused.accumulate(chain, a ^ in_format(p).sign_bit, b, nothing, rules(p))
    sums = [fused.pack_sum(chain, each) for each in (nothing, before, same)]
    return {"a_i": np.tile(a, 3), "b_i": np.tile(b, 3), "sum_i": np.concatenate(sums)}


def _dot_ports(p: Parameters) -> tuple[Port, ...]:
    form = in_format(p)
    return (
        _words("a_i", form, "First factor."), _words("b_i", form, "Second factor."),
        Port("last_i", "in", 1, doc="The packet ends."), _words("result_o", out_format(p), "Sum of the products."),
    )  # fmt: skip


def _calm(form: Format, rng: np.random.Generator, words: Words) -> Words:
    """Most words that are no numbers made numbers: one of them spoils a whole packet."""
    wild = (form.is_nan(words) | form.is_inf(words)) & (rng.random(len(words)) < 7 / 8)
    return np.where(wild, words & ~form.infinity, words)


def _dot_stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    form = in_format(p)
    a, b = operands(form, rng, n, draw), operands(form, rng, n, draw)
    if draw is uniform:
        a, b = _calm(form, rng, a), _calm(form, rng, b)
        again = np.flatnonzero(rng.random(n) < 1 / 8)[1:]
        a[again], b[again] = a[again - 1] ^ form.sign_bit, b[again - 1]  # the sum so far cancels
        a[rng.random(n) < 1 / 16] &= form.sign_bit
    return {"a_i": a, "b_i": b, "last_i": last_flags(rng, n, _PACKET)}


def _dot_corners(p: Parameters) -> Streams:
    """Packets of one beat, of two that cancel, and of a small product before zero times the largest number."""
    form = in_format(p)
    a, b = pairs(form)
    twice_a, twice_b = np.repeat(a, 2), np.repeat(b, 2)
    twice_a[1::2] ^= form.sign_bit
    small = (np.arange(1, 1 + form.bias, dtype=np.int64) << form.man_width) | 1
    zero, one, largest = (np.full(len(small), word) for word in (0, form.bias << form.man_width, form.largest))
    before_a, before_b = np.stack([small, zero], 1).ravel(), np.stack([one, largest], 1).ravel()
    last = np.r_[np.ones(len(a), dtype=np.int64), np.arange(2 * (len(a) + len(small)), dtype=np.int64) % 2]
    return {"a_i": np.r_[a, twice_a, before_a], "b_i": np.r_[b, twice_b, before_b], "last_i": last}


def _dot_golden(p: Parameters, streams: Streams) -> Streams:
    words = fused.dot(_chain(p), streams["a_i"], streams["b_i"], streams["last_i"], out_format(p), rules(p))
    return {"result_o": words}


def _beats(_p: Parameters, streams: Streams) -> float:
    return float(len(streams["a_i"]))


_CHAIN_FAULTS = (
    Mutation("floating/fma_accumulate.sv", "(product == '0) ? MinExp :", "(1'b0) ? MinExp :",
             "a product of zero pushes the partial sum out"),
    Mutation("floating/fma_accumulate.sv", "if (zero) exponent = MinExp;", "", "a sum of zero keeps its exponent"),
    Mutation("floating/fma_accumulate.sv", "assign total = negative ? -raw : raw;", "assign total = raw;",
             "a negative difference stays negative"),
    Mutation("floating/fma_accumulate.sv", "exponent = large_exp + PsumExpWidth'(1);", "exponent = large_exp;",
             "a carry leaves the exponent alone"),
)  # fmt: skip

FMA = Block(
    name="fp_fma",
    family="floating",
    top="fp_fma_stream",
    kind="stream",
    sources=(*_FRONT, "floating/fp_fma_align.sv", "floating/fp_add_back.sv", "floating/fp_fma_stream.sv"),
    parameters=(*OPERANDS, *RESULT, *RULES, pipeline(4)),
    ports=_fma_ports,
    golden=_fma_golden,
    stimulus=_fma_stimulus,
    corners=_fma_corners,
    macs=_beats,
    mutations=(
        Mutation("floating/fp_fma_align.sv", "p_zero || distance < 0", "distance < 0",
                 "a product of zero pushes the addend out"),
        Mutation("floating/fp_fma_align.sv", "(p_inf && c_inf && subtract)", "1'b0", "infinity less infinity is one"),
        Mutation("floating/fp_fma_align.sv", "sign = (c_large ? c_sign : p_sign) ^ negative;",
                 "sign = c_large ? c_sign : p_sign;", "a negated difference keeps its sign"),
    ),
    doc="Fused multiply-add, rounded once, addend and result of one format, factors of another.",
    source="IEEE 754-2019 section 5.4.1",
)  # fmt: skip

PE = Block(
    name="fma_pe",
    family="floating",
    top="fma_pe",
    kind="stream",
    sources=(*_FRONT, "floating/fma_accumulate.sv", "floating/fma_pe.sv"),
    parameters=(*OPERANDS, RULES[0], *SUM, pipeline(3)),
    ports=_pe_ports,
    golden=_pe_golden,
    stimulus=_pe_stimulus,
    corners=_pe_corners,
    macs=_beats,
    reject=_reject_chain,
    mutations=_CHAIN_FAULTS,
    doc="Element of a multiply-add chain, partial sum un-normalised or approximately or exactly normalised.",
    source=_PAPER,
)

DOT = Block(
    name="fma_dot",
    family="floating",
    top="fma_dot",
    kind="stream",
    sources=(*_FRONT, "floating/fma_accumulate.sv", "floating/fma_normalise.sv", "floating/fma_dot.sv"),
    parameters=(*OPERANDS, *RESULT, *RULES, *SUM, pipeline(3)),
    ports=_dot_ports,
    golden=_dot_golden,
    stimulus=_dot_stimulus,
    corners=_dot_corners,
    macs=_beats,
    reject=_reject_chain,
    mutations=(
        *_CHAIN_FAULTS,
        Mutation("floating/fma_dot.sv", "else if (take) first_q <= p_last;", "else if (take) first_q <= 1'b0;",
                 "a sum goes on from the one before"),
        Mutation("floating/fma_dot.sv", "assign p_ready = !p_last || done_ready;", "assign p_ready = 1'b1;",
                 "a result is lost when nobody takes the one before"),
    ),
    doc="Dot products by one chain element fed back on itself, rounded once at the end.",
    source=_PAPER,
)  # fmt: skip
