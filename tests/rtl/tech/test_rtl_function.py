"""Liberty's Boolean expressions against Python's own operators."""

from __future__ import annotations

from itertools import product

import pytest

from archgym.errors import InvalidInput
from archgym.rtl.tech.function import names_in, sense_of, truth_table

CASES = {
    "A": lambda a, b, c: a,
    "!A": lambda a, b, c: not a,
    "A'": lambda a, b, c: not a,
    "A''": lambda a, b, c: a,
    "A B": lambda a, b, c: a and b,
    "A*B+C": lambda a, b, c: (a and b) or c,
    "A | B & C": lambda a, b, c: a or (b and c),
    "(A+B) C'": lambda a, b, c: (a or b) and not c,
    "A^B^C": lambda a, b, c: a ^ b ^ c,
    "A ^ B & C": lambda a, b, c: (a ^ b) and c,  # ^ binds more tightly than &
    "!(A&B)|!C": lambda a, b, c: not (a and b) or not c,
    "!A B": lambda a, b, c: (not a) and b,
    "(!((A B)+C))": lambda a, b, c: not ((a and b) or c),
    "1": lambda a, b, c: True,
    "0": lambda a, b, c: False,
    "A&1|0": lambda a, b, c: a,
}


@pytest.mark.parametrize("expression", CASES)
def test_truth_tables_are_those_of_the_operators(expression):
    found = truth_table(expression, ("A", "B", "C"))
    for c, b, a in product((False, True), repeat=3):
        row = a + 2 * b + 4 * c
        assert found >> row & 1 == CASES[expression](a, b, c), (a, b, c)


@pytest.mark.parametrize(
    ("expression", "pin", "sense"),
    [("A&B", "A", "positive"), ("!(A&B)", "B", "negative"), ("A^B", "A", "non"), ("(A&!S)|(B&S)", "S", "non")],
)
def test_unateness(expression, pin, sense):
    assert sense_of(expression, pin) == sense


def test_names_are_listed_once_in_order():
    assert names_in("(B&!A)|B|S[3]|1") == ("B", "A", "S[3]")


@pytest.mark.parametrize("expression", ["A &", "(A", "A)", "A # B", "D", "", "* A"])
def test_what_cannot_be_read_is_refused(expression):
    with pytest.raises(InvalidInput, match="Liberty expression"):
        truth_table(expression, ("A", "B"))
