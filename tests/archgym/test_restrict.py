"""A restricted simulator scores the same designs with the same numbers."""

from __future__ import annotations

import numpy as np

from archgym import catalog
from archgym.restrict import build_simulator


def test_a_restricted_space_is_part_of_the_whole(toy):
    whole = catalog.simulator("toy")
    part = build_simulator("toy", {}, {"a": [7, 2], "mode": "on"})
    assert part.space.size == 2 * 10 * 1
    assert part.space["a"].choices == (2, 7)  # in the order of the whole space
    designs = part.space.from_index(range(20))
    same = whole.space.encode(part.space.decode(designs))
    assert np.array_equal(part.simulate(designs, "plain").values, whole.simulate(same, "plain").values)


def test_canonical_stays_inside_and_never_joins_what_differs(toy):
    part = build_simulator("toy", {}, {"b": [4, 6]})  # b = 0, the whole space's representative, is gone
    designs = part.space.from_index(range(part.space.size))
    canonical = part.canonical(designs)
    assert np.array_equal(part.space.validate(canonical), canonical)
    assert np.array_equal(part.simulate(canonical, "plain").values, part.simulate(designs, "plain").values)
    inside = build_simulator("toy", {}, {"b": [0, 6]})
    designs = inside.space.from_index(range(inside.space.size))
    # with mode "off", b = 6 is b = 0: 10 x 2 designs with mode "on", 10 without
    assert len(np.unique(inside.canonical(designs), axis=0)) == 30
