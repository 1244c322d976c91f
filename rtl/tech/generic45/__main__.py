"""Write the embedded library: python -m archgym.rtl.tech.generic45 [FILE]."""

from __future__ import annotations

import sys
from pathlib import Path

from archgym.rtl.tech.generic45.write import liberty

if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "generic45.lib"
    target.write_text(liberty(), encoding="utf-8", newline="\n")
