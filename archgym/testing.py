"""Conformance suites for people who write simulators and agents: call them from a test of your own.

from archgym.testing import check_agent, check_simulator
check_simulator(MySimulator())
check_agent(MyAgent)
"""

from __future__ import annotations

from archgym._check_agent import check_agent
from archgym._check_simulator import check_simulator

__all__ = ["check_agent", "check_simulator"]
