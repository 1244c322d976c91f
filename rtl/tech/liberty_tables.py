"""Look-up tables of a Liberty library, in uniform units and index order."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.tech.liberty_syntax import Group, words
from archgym.rtl.tech.liberty_units import Units
from archgym.rtl.tech.library_cells import Table, Variable

__all__ = ["Tables"]

_VARIABLES: dict[str, Variable] = {
    "input_net_transition": "input_slew",
    "input_transition_time": "input_slew",
    "total_output_net_capacitance": "load",
    "related_pin_transition": "related_slew",
    "constrained_pin_transition": "constrained_slew",
}
_FIRST = ("input_slew", "related_slew")


@final
class Tables:
    """Reads the tables of one library; equal indices share one array, which keeps the library small."""

    def __init__(self, library: Group, units: Units) -> None:
        self.units = units
        self.templates = {
            words(group.args)[0]: group
            for kind in ("lu_table_template", "power_lut_template")
            for group in library.all(kind)
            if group.args.strip()
        }
        self._arrays: dict[tuple[str, float], NDArray[np.float64]] = {}

    def read(self, parent: Group, kind: str, scale: float, first: Variable = "input_slew") -> Table | None:
        """The table group `kind` of a timing or power group, values times `scale`; None if there is none.

        `first` is what the missing first index of a scalar or of a one-dimensional table means.

        Raises:
            LibertyError: for an unknown template or variable, or sizes that do not match.
        """
        found = parent.all(kind)
        if not found:
            return None
        group = found[-1]
        name = (words(group.args) or ["scalar"])[0]
        template = self.templates.get(name)
        if template is None and name != "scalar":
            raise group.error(f"the template {name!r} is not in the library; templates: {', '.join(self.templates)}")
        names, indices = self._indices(group, template)
        rows = group.argument("values")
        if rows is None:
            raise group.error("the table has no values (...)")
        values = self._floats(group, rows, scale, keep=False)
        shape = tuple(len(index) for index in indices)
        if values.size != int(np.prod(shape)):
            sizes = " x ".join(map(str, shape)) or "1"
            raise group.error(f"{values.size} values, {sizes} expected by the indices")
        return _ordered(names, indices, values.reshape(shape), first)

    def _indices(self, group: Group, template: Group | None) -> tuple[list[Variable], list[NDArray[np.float64]]]:
        names: list[Variable] = []
        indices: list[NDArray[np.float64]] = []
        for axis in ("1", "2", "3"):
            variable = template.values.get(f"variable_{axis}") if template else None
            if variable is None or template is None:
                break
            if variable not in _VARIABLES or axis == "3":
                raise group.error(f"variable_{axis} {variable!r} is not supported; supported: {', '.join(_VARIABLES)}")
            text = group.argument(f"index_{axis}") or template.argument(f"index_{axis}")
            if text is None:
                raise group.error(f"neither the table nor its template has index_{axis}")
            names.append(_VARIABLES[variable])
            indices.append(
                self._floats(group, text, self.units.ff if names[-1] == "load" else self.units.ns, keep=True)
            )
        return names, indices

    def _floats(self, group: Group, text: str, scale: float, *, keep: bool) -> NDArray[np.float64]:
        known = self._arrays.get((text, scale)) if keep else None
        if known is not None:
            return known
        try:
            found = np.array(text.replace('"', " ").replace(",", " ").split(), dtype=np.float64) * scale
        except ValueError as error:
            raise group.error(f"a table needs numbers: {error}") from None
        if not np.isfinite(found).all():
            raise group.error("a table needs finite numbers")
        if keep:
            if found.size == 0 or (np.diff(found) <= 0).any():
                raise group.error(f"an index must ascend, got {text.strip()}")
            self._arrays[text, scale] = found
        return found


def _ordered(
    names: list[Variable], indices: list[NDArray[np.float64]], values: NDArray[np.float64], first: Variable
) -> Table:
    """Slew of the input (or clock) first, load (or slew of the data pin) second."""
    second: Variable = "load" if first == "input_slew" else "constrained_slew"
    zero = np.zeros(1)
    if not names:
        return Table(zero, zero, values.reshape(1, 1), first, second)
    if len(names) == 1:
        if names[0] in _FIRST:
            return Table(indices[0], zero, values.reshape(-1, 1), names[0], second)
        return Table(zero, indices[0], values.reshape(1, -1), first, names[0])
    if names[0] in _FIRST:
        return Table(indices[0], indices[1], values, names[0], names[1])
    return Table(indices[1], indices[0], np.ascontiguousarray(values.T), names[1], names[0])
