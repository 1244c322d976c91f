"""What the agents share: the ask/tell driver, hyper-parameters, the order of several costs, small moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from archgym import catalog
from archgym.dialogue import Dialogue
from archgym.errors import AgentMisuse, InvalidInput, UnknownName
from archgym.moves import repair, step
from archgym.objectives import PENALTY
from archgym.space import Constraint, DesignSpace, Parameter
from archgym.tradeoff import Tradeoff


def space_of(*cardinalities, constraints=()):
    return DesignSpace([Parameter(f"p{i}", tuple(range(c))) for i, c in enumerate(cardinalities)], constraints)


def rows(*designs):
    return np.array(designs, dtype=np.int32)


# -- Dialogue ---------------------------------------------------------------------------------------------------------


def recorder(batches, received):
    """Yields the given batches and keeps what comes back."""
    for batch in batches:
        received.append((yield batch))
    while True:
        yield batches[-1]


@given(st.lists(st.integers(1, 9), min_size=20, max_size=40), st.data())
def test_a_search_never_sees_how_its_batches_were_cut(sizes, data):
    batches = [rows(*[(i, j) for j in range(count)]) for i, count in enumerate((5, 1, 8))]
    received = []
    dialogue = Dialogue(recorder(batches, received))
    for n in sizes:
        asked = dialogue.ask(n)
        assert 1 <= len(asked) <= n
        told = asked[: data.draw(st.integers(0, len(asked)))]
        dialogue.tell(told, told.sum(axis=1, keepdims=True).astype(float))
    while len(received) < 3:
        asked = dialogue.ask(64)
        dialogue.tell(asked, asked.sum(axis=1, keepdims=True).astype(float))
    for batch, costs in zip(batches, received, strict=True):
        assert costs.tolist() == [[float(a + b)] for a, b in batch]


def test_a_design_wanted_twice_is_asked_once_and_answered_twice():
    received = []
    dialogue = Dialogue(recorder([rows((1, 2), (3, 4), (1, 2))], received))
    asked = dialogue.ask(10)
    assert asked.tolist() == [[1, 2], [3, 4]]
    dialogue.tell(asked, np.array([[7.0], [8.0]]))
    assert received[0].tolist() == [[7.0], [8.0], [7.0]]


def test_costs_are_copied():
    received = []
    dialogue = Dialogue(recorder([rows((0,), (1,))], received))
    costs = np.array([[5.0]])
    dialogue.tell(dialogue.ask(1), costs)
    costs[:] = -1.0
    dialogue.tell(dialogue.ask(1), np.array([[6.0]]))
    assert received[0].tolist() == [[5.0], [6.0]]


def test_misuse_is_refused_with_the_fix():
    dialogue = Dialogue(recorder([rows((0,), (1,), (2,))], []))
    with pytest.raises(InvalidInput, match="at least 1, got 0"):
        dialogue.ask(0)
    first = dialogue.ask(2)
    with pytest.raises(AgentMisuse, match=r"agent\.tell\(designs, evaluations, costs\)"):
        dialogue.ask(2)
    with pytest.raises(AgentMisuse, match=r"did not propose: \[9\]"):
        dialogue.tell(rows((9,)), np.array([[1.0]]))
    for wrong in (np.array([1.0, 2.0]), np.array([[1.0]]), np.array([[1.0], [np.nan]])):
        with pytest.raises(InvalidInput, match=r"finite costs of shape \[2, k\]"):
            dialogue.tell(first, wrong)


# -- hyper-parameters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hyper", "message"),
    [
        ("genetic", {"popluation": 10}, "unknown hyper-parameter of genetic 'popluation'; did you mean 'population'?"),
        ("random", {"x": 1}, "unknown hyper-parameter of random 'x'; allowed: none"),
        ("ant-colony", {"evaporation": 0.0}, "evaporation of ant-colony: Input should be greater than 0, got 0.0"),
        ("annealing", {"cycle": "long"}, "cycle of annealing: .*integer.*, got 'long'"),
        ("cma-es", {"sigma": float("nan")}, "sigma of cma-es: .*, got nan"),
        ("ppo", {"formulation": "seq"}, "formulation of ppo: .*'design' or 'sequential', got 'seq'"),
    ],
)
def test_bad_hyper_parameters_are_refused_in_one_line(name, hyper, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        catalog.agent(name, space_of(3, 3), **hyper)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, UnknownName) == message.startswith("unknown")


@pytest.mark.parametrize("name", sorted(catalog.agents()))
def test_every_hyper_parameter_is_described(name):
    fields = catalog.agent_class(name).Hyper.model_fields
    assert all(field.description for field in fields.values())


# -- Tradeoff ---------------------------------------------------------------------------------------------------------


def test_one_cost_is_its_own_score():
    costs = np.array([[3.0], [-1.0], [PENALTY * 2]])
    assert Tradeoff().score(costs, np.ones(1)).tolist() == [3.0, -1.0, PENALTY * 2]


def test_scores_of_two_costs_by_hand():
    tradeoff = Tradeoff()
    tradeoff.see(np.array([[0.0, 100.0], [2.0, 300.0], [4.0, 200.0]]))  # lows (0, 100), means (2, 200)
    # Scaled rows: (0, 2) and (1, 0); weighted by (0.5, 0.5): maxima 1 and 0.5, sums 1 and 0.5, times 0.05.
    scores = tradeoff.score(np.array([[0.0, 300.0], [2.0, 100.0]]), np.array([0.5, 0.5]))
    assert scores == pytest.approx([1.05, 0.525])


def test_the_inside_of_a_concave_front_wins_under_some_weights():
    angle = np.linspace(0.0, np.pi / 2, 9)
    front = np.column_stack([np.sin(angle), np.cos(angle)])
    tradeoff = Tradeoff()
    tradeoff.see(front)
    weights = [np.array([w, 1.0 - w]) for w in np.linspace(0.001, 0.999, 400)]
    assert {int(np.argmin(front @ w)) for w in weights} == {0, 8}  # a weighted sum only ever chooses the two ends
    assert {int(np.argmin(tradeoff.score(front, w))) for w in weights} >= {0, 2, 3, 4, 5, 6, 8}


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=8), st.floats(0, 1))
def test_infeasible_rows_stay_last_and_in_order(costs, weight):
    good = np.array(costs)
    bad = PENALTY * np.array([[1.0, 1.0], [1.5, 1.5], [4.0, 4.0]])
    tradeoff = Tradeoff()
    tradeoff.see(np.vstack([good, bad]))
    both = np.vstack([good, bad])
    for table in (
        tradeoff.score(both, np.array([weight, 1.0 - weight]))[:, None],
        tradeoff.bounded(both),
    ):
        assert np.isfinite(table).all()
        worst, *penalised = table[: len(good)].max(axis=0), *table[len(good) :]
        for lower, higher in zip([worst, *penalised], penalised, strict=False):
            assert (higher > lower).all()


def test_penalties_are_bounded_by_one_spread_and_a_tenth():
    tradeoff = Tradeoff()
    tradeoff.see(np.array([[10.0], [30.0]]))
    bounded = tradeoff.bounded(np.array([[30.0], [PENALTY], [PENALTY * 1e200]]))
    assert bounded.ravel() == pytest.approx([30.0, 32.0, 52.0])  # 30 + 20 * (0.1 + violation / (1 + violation))


# -- moves ------------------------------------------------------------------------------------------------------------


def test_a_step_reaches_each_neighbour_equally_often():
    space = space_of(3, 1, 2)
    rng = np.random.default_rng(0)
    found = [tuple(step(space, rows((0, 0, 0))[0], rng)) for _ in range(4000)]
    counts = {design: found.count(design) for design in set(found)}
    # The parameter first (2 of 3 can change), then its other choices: 1/4, 1/4 and 1/2.
    assert set(counts) == {(1, 0, 0), (2, 0, 0), (0, 0, 1)}
    assert counts[0, 0, 1] == pytest.approx(2000, abs=150)
    assert counts[1, 0, 0] == pytest.approx(1000, abs=120)


def test_a_step_in_a_space_of_one_design_stays():
    assert step(space_of(1, 1), rows((0, 0))[0], np.random.default_rng(0)).tolist() == [0, 0]


def diagonal(columns):
    return columns["p0"] == columns["p1"]


def test_steps_and_repairs_are_feasible_also_where_no_single_change_is():
    space = space_of(4, 4, 3, constraints=[Constraint("p0 equals p1", diagonal)])
    isolated = space_of(4, 4, constraints=[Constraint("p0 equals p1", diagonal)])
    rng = np.random.default_rng(0)
    assert all(space.feasible(step(space, rows((1, 1, 0))[0], rng)[None]) for _ in range(50))
    assert all(isolated.feasible(step(isolated, rows((1, 1))[0], rng)[None]) for _ in range(50))
    given_rows = rows((0, 1, 2), (2, 2, 2), (3, 0, 1))
    repaired = repair(space, given_rows, rng)
    assert space.feasible(repaired).all()
    assert repaired[1].tolist() == [2, 2, 2]  # what is feasible is kept
    assert (repaired[[0, 2]] != given_rows[[0, 2]]).sum(axis=1).tolist() == [1, 1]  # one change is enough here
