"""Code blocks of the README and the site run, command lines parse, YAML blocks are valid experiments."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import click
import pytest
import typer
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {"bash", "python", "text", "toml", "yaml"}


def blocks(language: str) -> dict[str, list[str]]:
    """Blocks in one language by page; a block that is a snippet of a file is that file's business."""
    found = {}
    for page in PAGES:
        texts = [text for name, text in FENCE.findall(page.read_text()) if name.split()[:1] == [language]]
        kept = [text for text in texts if "--8<--" not in text]
        if kept:
            found[page.relative_to(ROOT).as_posix()] = kept
    return found


def commands() -> list[str]:
    """Every command line of every shell block; a trailing backslash continues the line, `#` starts a comment."""
    lines = [
        line.strip()
        for texts in blocks("bash").values()
        for text in texts
        for line in text.replace("\\\n", " ").splitlines()
    ]
    return sorted({line for line in lines if line and not line.startswith("#")})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_says_its_language(page):
    assert {name.split()[0] if name.strip() else "" for name, _ in FENCE.findall(page.read_text())} <= LANGUAGES


@pytest.mark.parametrize("page", blocks("python"))
def test_python_blocks_run(page, tmp_path, monkeypatch):
    # One namespace a page: later blocks go on where earlier ones stopped, as a reader would.
    monkeypatch.chdir(tmp_path)
    module = type(sys)("page")
    monkeypatch.setitem(sys.modules, "page", module)
    module.__dict__["__name__"] = "page"
    for text in blocks("python")[page]:
        exec(compile(text, f"<{page}>", "exec"), module.__dict__)


@pytest.mark.parametrize("page", blocks("yaml"))
def test_yaml_blocks_are_experiments(page, tmp_path):
    from archgym.plan import make_plan

    for number, text in enumerate(blocks("yaml")[page]):
        assert isinstance(yaml.safe_load(text), dict)
        file = tmp_path / f"block{number}.yaml"
        file.write_text(text)
        make_plan(file)


def parse_archgym(arguments: list[str]) -> None:
    """Parse without running; raises click.UsageError for a command, option or value that does not exist."""
    from archgym.cli import app

    command: click.Command = typer.main.get_command(app)
    context = command.make_context("archgym", [*arguments], resilient_parsing=not arguments)
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        context = command.make_context(command.name, rest, parent=context)


@pytest.mark.parametrize("line", commands())
def test_command_lines_exist(line):
    words = shlex.split(line, comments=True)
    while words and "=" in words[0]:  # VARIABLE=value command
        words.pop(0)
    assert words[0] in {"archgym", "cd", "git", "make", "pip", "python"}
    if words[0] == "make":
        targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words[1:]) <= set(targets)
    if words[:2] == ["python", "-m"] and words[2].startswith("benchmarks."):
        assert (ROOT / f"{words[2].replace('.', '/')}.py").is_file()
    if words[0] == "archgym":
        parse_archgym(words[1:])


def test_snippets_point_at_files():
    named = {name for page in PAGES for name in re.findall(r'--8<-- "([^":]+)', page.read_text())}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_the_readme_shows_code_on_its_first_screen():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    assert lines.index("```python") < 25


def test_the_readme_tells_the_truth_about_the_spaces():
    import archgym
    from archgym import catalog

    text = (ROOT / "README.md").read_text()
    row = r"^\| `(archgym/\w+-v0)` \| `([a-z-]+)`(?: \(`([a-z-]+)`\))? \| ([\d,]+)(, optimum known)? \|"
    rows = re.findall(row, text, re.MULTILINE)
    assert {gym_id: name for gym_id, name, *_ in rows} == dict(catalog.environments())
    for _, name, space, size, known in rows:
        simulator = archgym.simulator(name, **({"space": space} if space else {}))
        assert f"{simulator.space.size:,}" == size
        enumerated = [workload for workload in simulator.workloads if simulator.enumeration(workload) is not None]
        assert bool(enumerated) is bool(known)


def test_the_readme_shows_the_shortest_agent_whole():
    assert (ROOT / "agents" / "random_search.py").read_text() in (ROOT / "README.md").read_text()
