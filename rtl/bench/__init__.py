"""Benches: any block, from its description alone, simulated by cocotb against its golden model.

`run.run` is one bench (one block at one parameter point), `suite.run_suite` many of them with coverage and mutants.
"""
