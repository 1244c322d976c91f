"""Bit-exact models of the LUT tensor core with floating-point tables; subnormals are zero throughout."""

from __future__ import annotations

import numpy as np

from archgym.rtl.block import Parameters, Streams
from archgym.rtl.common.golden import packets
from archgym.rtl.floating import arithmetic
from archgym.rtl.floating.formats import Format, Words
from archgym.rtl.floating.rounding import Rules

__all__ = ["acc_format", "core", "precompute", "scale", "table", "table_format", "widen"]

_RULES = Rules(subnormals=False)


def table_format(p: Parameters) -> Format:
    """Of the activations and the tables."""
    return Format(p["ExpWidth"], p["ManWidth"])


def acc_format(p: Parameters) -> Format:
    """Of the accumulators."""
    return Format(p["AccExpWidth"], p["AccManWidth"])


def _exponents(form: Format, words: Words) -> Words:
    return np.asarray((words >> form.man_width) & ((1 << form.exp_width) - 1))


def widen(form: Format, out: Format, words: Words) -> Words:
    """Words of `form` as words of a wider format (or the same, unchanged)."""
    if form == out:
        return words
    field = _exponents(form, words)
    mantissa = words & ((1 << form.man_width) - 1)
    top = (1 << form.exp_width) - 1
    exponent = np.where(field == top, (1 << out.exp_width) - 1, field + out.bias - form.bias)
    found = exponent << out.man_width | mantissa << (out.man_width - form.man_width)
    sign = np.where(words & form.sign_bit, out.sign_bit, 0)
    return np.asarray(np.where(field == 0, 0, found) | sign)


def scale(form: Format, words: Words, shift: int) -> Words:
    """Words times 2**shift: zero stays zero, what is too large is infinite, infinities and NaN pass."""
    field = _exponents(form, words)
    top = (1 << form.exp_width) - 1
    sign = words & form.sign_bit
    found = np.where(field + shift >= top, sign | form.infinity, words + (shift << form.man_width))
    return np.asarray(np.where(field == 0, sign, np.where(field == top, words, found)))


def table(form: Format, acts: Words) -> Words:
    """Half tables of groups of activations, int64[..., group] -> int64[..., entries], added pairwise as a tree."""
    group = acts.shape[-1]
    entries = []
    for index in range(1 << (group - 1)):
        flip = np.array([0 if index >> j & 1 else form.sign_bit for j in range(group - 1)], dtype=np.int64)
        leaves = np.concatenate([acts[..., -1:], acts[..., :-1] ^ flip], axis=-1)
        missing = (1 << (group - 1).bit_length()) - group
        nodes = np.concatenate([leaves, np.zeros((*leaves.shape[:-1], missing), dtype=np.int64)], axis=-1)
        while nodes.shape[-1] > 1:
            nodes = arithmetic.add(form, nodes[..., 0::2], nodes[..., 1::2], _RULES)
        entries.append(nodes[..., 0])
    return np.stack(entries, axis=-1)


def precompute(p: Parameters, streams: Streams) -> Streams:
    """Output beats of `lut_precompute_fp`: the tables of each beat's groups of activations."""
    acts = streams["acts_i"].reshape(len(streams["acts_i"]), p["Tables"], p["Group"])
    return {"table_o": table(table_format(p), acts).reshape(len(acts), -1)}


def core(p: Parameters, streams: Streams) -> Streams:
    """Output beats of `lut_core_fp`: M x N sums per packet, by row and column; the order of additions is the core's.

    All packets side by side: sums depend on the beats before, packets do not depend on each other.
    """
    form, out, first = table_format(p), acc_format(p), packets(streams["last_i"])
    n, group = len(streams["last_i"]), p["Group"]
    tables = streams["table_i"].reshape(n, p["TileM"], -1)
    stored = streams["weights_i"].reshape(n, p["TileN"], p["WeightBits"])
    positive = (stored >> (group - 1)) & 1
    low = (1 << (group - 1)) - 1
    index = stored & low
    if not p["OfflineNegation"]:
        index = np.where(positive, index, index ^ low)
    rows, lengths = np.arange(p["TileM"])[:, None], np.diff(first)
    acc = np.zeros((len(lengths), p["TileM"], p["TileN"]), dtype=np.int64)
    for step in range(int(lengths.max(initial=0))):
        going = np.flatnonzero(lengths > step)
        beat = first[going] + step
        for plane in range(p["WeightBits"]):
            entry = tables[beat[:, None, None], rows, index[beat, None, :, plane]]
            signed = np.where(positive[beat, None, :, plane], entry, entry ^ form.sign_bit)
            acc[going] = arithmetic.add(out, acc[going], scale(out, widen(form, out, signed), plane), _RULES)
    return {"acc_o": acc.reshape(len(lengths), p["TileM"] * p["TileN"])}
