"""Options under which designs of environments that synthesise hardware cost seconds, not minutes."""

from __future__ import annotations

from typing import Any

SMALL: dict[str, dict[str, Any]] = {
    "block-dot": {"effort": "quick", "lanes": 4},
    "float-unit": {"effort": "quick"},
    "lut-tensor-core": {"effort": "quick", "largest": 8},
    "rtl": {"effort": "quick"},
    "tensor-engine": {"effort": "quick", "largest": 4},
}
DESIGNS = dict.fromkeys(SMALL, 2)
"""How many designs the suite looks at, where eight take too long."""
