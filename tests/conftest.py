"""What every test runs under: the same random examples in CI, one thread for torch, no display, Ctrl-C heard."""

from __future__ import annotations

import os
import signal

# Before anything imports matplotlib or torch: no display, and one thread (two workers already fill two cores).
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that starts us in the background ignores Ctrl-C on our behalf, and children would inherit that; tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from hypothesis import HealthCheck, settings

# No deadline: the first example compiles kernels. In CI the examples are the same every time.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
