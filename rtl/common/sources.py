"""Source files of the primitives, for the blocks that use them."""

from __future__ import annotations

__all__ = ["MULTIPLIER", "STREAM", "common"]


def common(*names: str) -> tuple[str, ...]:
    """Files of the primitives of these names."""
    return tuple(f"common/{name}.sv" for name in names)


MULTIPLIER = common(
    "booth_encoder", "ent_encoder", "ent_selects", "operand_encoder", "booth_terms", "operand_terms", "csa_tree",
    "csa_accumulator", "accumulator", "product",
)  # fmt: skip
"""Everything from operands to products and their accumulation."""

STREAM = common("stream_register", "spill_register")
