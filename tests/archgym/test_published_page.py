"""The page about published figures shows what its experiment prints."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from archgym import cli

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_shows_what_its_experiment_prints(tmp_path):
    page = (ROOT / "docs" / "howto" / "published.md").read_text(encoding="utf-8")
    assert '--8<-- "experiments/dram_scheduling.yaml"' in page
    (shown,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    command = ["run", str(ROOT / "experiments" / "dram_scheduling.yaml"), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.output
    printed = [line.rstrip() for line in result.output.splitlines()]
    start = printed.index("named designs")
    assert printed[start : start + len(shown.splitlines())] == [line.rstrip() for line in shown.splitlines()]
