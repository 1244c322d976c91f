"""The design space against brute force: itertools, Python integers and plain dictionaries."""

from __future__ import annotations

import itertools
import math

import numpy as np
import optuna
import pytest
from hypothesis import assume, given, strategies as st

from archgym.errors import InvalidInput, UnknownName
from archgym.space import Constraint, DesignSpace, Parameter

KINDS = {
    "categorical": lambda n: tuple(f"c{i}" for i in range(n)),
    "ordinal": lambda n: tuple(2**i for i in range(n)),
    "boolean": lambda _: (False, True),
}


@st.composite
def parameters(draw, max_choices=5):
    kind = draw(st.sampled_from(list(KINDS)))
    choices = KINDS[kind](draw(st.integers(1, max_choices)))
    return kind, choices, draw(st.sampled_from(["", "cpu", "memory"]))


@st.composite
def spaces(draw, max_parameters=5, max_choices=5):
    parts = draw(st.lists(parameters(max_choices), min_size=1, max_size=max_parameters))
    return DesignSpace(
        [Parameter(f"p{i}", choices, kind, group=group) for i, (kind, choices, group) in enumerate(parts)]
    )


def product(space):
    """Every design, by itertools: last parameter fastest."""
    return [list(d) for d in itertools.product(*[range(len(p.choices)) for p in space.parameters])]


@given(spaces(), st.integers(1, 40), st.data())
def test_enumerate_is_the_product_in_order_from_anywhere(space, chunk, data):
    everything = product(space)
    assert space.size == len(everything)
    parts = list(space.enumerate(chunk))
    assert all(0 < len(part) <= chunk for part in parts)
    assert np.concatenate(parts).tolist() == everything
    start = data.draw(st.integers(0, space.size - 1))
    assert np.concatenate(list(space.enumerate(chunk, start))).tolist() == everything[start:]


@given(spaces())
def test_index_is_the_position_in_the_enumeration(space):
    everything = product(space)
    assert space.to_index(np.array(everything)) == list(range(space.size))
    assert space.from_index(range(space.size)).tolist() == everything
    assert space.from_index([]).shape == (0, len(space))


@given(st.lists(st.integers(2, 1000), min_size=8, max_size=14), st.data())
def test_index_is_exact_beyond_64_bits(counts, data):
    space = DesignSpace([Parameter(f"p{i}", tuple(range(n)), "ordinal") for i, n in enumerate(counts)])
    assume(space.size > 2**63)
    assert space.size == math.prod(counts)
    index = data.draw(st.integers(0, space.size - 1) | st.sampled_from([0, 2**63 - 1, 2**63, space.size - 1]))
    design = space.from_index([index])
    assert design.dtype == np.int32
    assert space.to_index(design) == [index]
    rest, expected = index, []  # mixed radix, by hand
    for count in reversed(counts):
        rest, digit = divmod(rest, count)
        expected.insert(0, digit)
    assert design[0].tolist() == expected


def test_index_out_of_range_is_refused():
    space = DesignSpace([Parameter("a", (1, 2)), Parameter("b", (1, 2, 3))])
    for wrong in (-1, 6):
        with pytest.raises(InvalidInput, match=f"flat index {wrong} is out of range; allowed: 0 to 5"):
            space.from_index([wrong])


@given(spaces(), st.integers(0, 20), st.integers(0, 9))
def test_decode_and_encode_are_inverse(space, n, seed):
    designs = space.sample(n, np.random.default_rng(seed))
    assert designs.shape == (n, len(space))
    decoded = space.decode(designs)
    for row, plain in zip(designs, decoded, strict=True):
        assert plain == {p.name: p.choices[i] for p, i in zip(space.parameters, row, strict=True)}
        assert all(type(value) in {str, int, bool} for value in plain.values())  # JSON-able: no NumPy scalars
        assert space.decode(row) == plain
        assert np.array_equal(space.encode(plain), row)
    assert np.array_equal(space.encode(decoded), designs)
    columns = space.columns(designs)
    assert all(columns[name].tolist() == [plain[name] for plain in decoded] for name in space.names)


@given(spaces(max_parameters=4), st.integers(0, 99))
def test_neighbours_are_the_designs_one_change_away(space, seed):
    base = space.sample(1, np.random.default_rng(seed))[0]
    expected = [d for d in product(space) if sum(a != b for a, b in zip(d, base)) == 1]
    assert sorted(space.neighbours(base).tolist()) == sorted(expected)
    assert space.neighbours(base).shape == (len(expected), len(space))


SMALL = DesignSpace(
    [Parameter("x", (0, 1, 2, 3), "ordinal"), Parameter("y", (0, 1, 2, 3), "ordinal")],
    [
        Constraint("x + y is odd", lambda c: (c["x"] + c["y"]) % 2 == 1),
        Constraint("x is at most y", lambda c: c["x"] <= c["y"]),
    ],
)
ALLOWED = [[x, y] for x in range(4) for y in range(4) if (x + y) % 2 and x <= y]


def test_constraints_hold_everywhere():
    everything = np.array(product(SMALL), dtype=np.int32)
    assert [d for d, ok in zip(everything.tolist(), SMALL.feasible(everything)) if ok] == ALLOWED
    assert np.concatenate(list(SMALL.enumerate(3))).tolist() == ALLOWED
    assert SMALL.size == 16  # the full product: what a flat index counts
    drawn = SMALL.sample(500, np.random.default_rng(0))
    assert sorted(set(map(tuple, drawn.tolist()))) == sorted(map(tuple, ALLOWED))
    assert SMALL.neighbours(np.array([0, 1])).tolist() == [[0, 3]]
    assert SMALL.violations(np.array([3, 1])) == ("x + y is odd", "x is at most y")
    assert SMALL.violations(np.array([0, 2])) == ("x + y is odd",)
    assert SMALL.violations(np.array([0, 1])) == ()


def test_sampling_is_uniform_over_feasible_designs():
    drawn = SMALL.sample(6000, np.random.default_rng(1))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == len(ALLOWED)
    expected = 6000 / len(ALLOWED)
    chi_squared = float(((counts - expected) ** 2 / expected).sum())
    assert chi_squared < 15.1  # 99 % quantile of chi-squared with 5 degrees of freedom
    assert np.array_equal(SMALL.sample(9, np.random.default_rng(5)), SMALL.sample(9, np.random.default_rng(5)))


def test_contradicting_constraints_are_reported_instead_of_sampling_for_ever():
    space = DesignSpace([Parameter("x", (0, 1))], [Constraint("never", lambda c: c["x"] > 5)])
    with pytest.raises(InvalidInput, match="no feasible design among 64,000 samples; constraints: never"):
        space.sample(1, np.random.default_rng(0))


@given(spaces())
def test_every_choice_is_reachable_through_every_encoding(space):
    everything = {tuple(d) for d in product(space)}
    action = space.to_gymnasium()
    assert action.nvec.tolist() == [len(p.choices) for p in space.parameters]
    assert all(action.contains(np.array(d, dtype=action.dtype)) for d in everything)
    reached = {name: set() for name in space.names}
    for name, distribution in space.to_optuna().items():
        if isinstance(distribution, optuna.distributions.CategoricalDistribution):
            reached[name] = set(distribution.choices)
        else:
            reached[name] = set(range(distribution.low, distribution.high + 1, distribution.step))
    for column, (name, found) in enumerate(reached.items()):
        assert found == {d[column] for d in everything}
        ordered = space[name].kind == "ordinal"
        assert isinstance(space.to_optuna()[name], optuna.distributions.IntDistribution) == ordered


@given(spaces(), spaces())
def test_fingerprints_agree_exactly_when_the_spaces_do(a, b):
    def shape(space):
        return [(p.name, p.choices, [type(c) for c in p.choices], p.kind) for p in space.parameters]

    assert (a.fingerprint == b.fingerprint) == (shape(a) == shape(b))
    assert len(a.fingerprint) == 16


def test_fingerprint_sees_each_change_and_no_documentation():
    def build(name="a", choices=(1, 2), kind="categorical", rules=(), doc="", group="", swap=False):
        parts = [Parameter(name, choices, kind, doc=doc, group=group), Parameter("z", (0, 1))]
        return DesignSpace(parts[::-1] if swap else parts, [Constraint(r, lambda c: c["z"] == 0) for r in rules])

    changed = [
        build(),
        build(name="b"),
        build(choices=(2, 1)),
        build(choices=(1, 2, 3)),
        build(choices=("1", "2")),
        build(choices=(1.0, 2.0)),
        build(kind="ordinal"),
        build(rules=["r"]),
        build(rules=["s"]),
        build(swap=True),
    ]
    assert len({space.fingerprint for space in changed}) == len(changed)
    assert build(doc="words", group="g").fingerprint == build().fingerprint


def test_groups_are_in_order_of_first_appearance():
    space = DesignSpace(
        [Parameter("a", (1,), group="m"), Parameter("b", (1,), group="c"), Parameter("d", (1,), group="m")]
    )
    assert space.groups == {"m": (0, 2), "c": (1,)}
    assert list(space.groups) == ["m", "c"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[0, 4]], "design 0: index 4 of y is out of range; allowed: 0 to 3"),
        ([[0, 0], [-1, 0]], "design 1: index -1 of x is out of range; allowed: 0 to 3"),
        ([[0, 0, 0]], r"designs must be integers of shape \[n, 2\], got int64 of shape \(1, 3\)"),
        ([[0.0, 1.0]], "got float64"),
        ([[[0, 1]]], "designs must be integers"),
        ([[0, 2**40]], "index 1099511627776 of y is out of range"),
    ],
)
def test_designs_that_are_none_are_refused(wrong, message):
    with pytest.raises(InvalidInput, match=message):
        SMALL.validate(wrong)


def test_validate_gives_int32_rows():
    found = SMALL.validate(np.array([1, 2], dtype=np.uint8))
    assert (found.dtype, found.tolist()) == (np.int32, [[1, 2]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("p", ()), "choices must be non-empty and distinct"),
        (("p", ("a", "a")), "choices must be non-empty and distinct"),
        (("p", (2, 1), "ordinal"), "ordinal choices must be ascending numbers"),
        (("p", ("a", "b"), "ordinal"), "ordinal choices must be ascending numbers"),
        (("p", (False, True), "ordinal"), "ordinal choices must be ascending numbers"),
        (("p", (True, False), "boolean"), r"boolean choices must be \(False, True\)"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=f"parameter 'p': {message}"):
        Parameter(*arguments)


def test_spaces_that_make_no_sense_are_refused():
    with pytest.raises(InvalidInput, match="parameters with distinct names"):
        DesignSpace([])
    with pytest.raises(InvalidInput, match="parameters with distinct names"):
        DesignSpace([Parameter("a", (1,)), Parameter("a", (2,))])


def test_misspelt_names_and_values_are_met_with_the_nearest():
    space = DesignSpace([Parameter("Scheduler", ("Fifo", "FrFcfs")), Parameter("on", (False, True), "boolean")])
    with pytest.raises(UnknownName, match="unknown parameter 'Schedular'; did you mean 'Scheduler'"):
        space.encode({"Schedular": "Fifo", "on": True})
    with pytest.raises(UnknownName, match="unknown value of Scheduler 'FrFcfc'; did you mean 'FrFcfs'"):
        space.encode({"Scheduler": "FrFcfc", "on": True})
    with pytest.raises(InvalidInput, match="design lacks on; give every one of: Scheduler, on"):
        space.encode({"Scheduler": "Fifo"})
    with pytest.raises(UnknownName, match="unknown value of on '1'"):
        space.encode({"Scheduler": "Fifo", "on": 1})  # 1 == True in Python, but it is no boolean
    assert space["on"].index(True) == 1
    assert repr(space) == "DesignSpace(Scheduler, on; size=4)"
