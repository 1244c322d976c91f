"""`python -m archgym`."""

from __future__ import annotations

from archgym.cli import main

if __name__ == "__main__":
    main()
