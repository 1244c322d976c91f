"""A test file run as a script without the compiler: same numbers, bounds checked, every line seen by coverage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def interpreted(file: str, *arguments: str) -> Any:
    """What the file prints (`answer`) when Numba compiles nothing."""
    shared = [path for path in sys.path if Path(path).name == "shared"]  # what pytest's pythonpath brought in
    folders = [*shared, *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-W", "error", file, *arguments],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answer(numbers: Callable[..., Any]) -> None:
    """Print the numbers of the case that the command line names."""
    sys.stdout.write(json.dumps(numbers(*sys.argv[1:])))
