"""MkDocs hooks: pages made from what is registered and declared, so that they cannot disagree with the code.

environments/<name>.md     one page per registered simulator: options, parameters, metrics, workloads, objectives
agents.md                  every registered agent and its hyper-parameters
reference/<module>.md      one page per public module of the framework, from its docstrings
validation/<family>.md     each family's VALIDATION.md
studies/*.md               written by hand; put into the navigation here
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from archgym import catalog
from archgym.core import Simulator
from archgym.errors import ArchGymError
from archgym.objectives import objective, objectives
from archgym.space import DesignSpace

ROOT = Path(__file__).resolve().parents[1]


# What people write code against, in reading order; the other modules are the inside of the faces.
FRONT = (
    "core", "space", "objectives", "catalog", "trial", "result", "evaluator", "env", "vector", "testing", "errors",
    "experiment", "store", "dataset", "hyper", "dialogue", "moves",
)  # fmt: skip


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages into the navigation, before the project's own pages."""
    studies = sorted((ROOT / "docs" / "studies").glob("*.md"))
    sections: list[dict[str, Any]] = [
        {"Environments": [{name: f"environments/{name}.md"} for name in catalog.simulators()]},
        {"Agents": "agents.md"},
        {"Reference": [*reference(FRONT), {"Inside": reference(name for name in modules() if name not in FRONT)}]},
    ]
    if studies:
        sections.insert(0, {"Studies": [f"studies/{page.name}" for page in studies]})
    nav: list[Any] = list(config.nav or [])
    for entry in nav:
        if isinstance(entry, dict) and "Validation" in entry:
            entry["Validation"] = [
                *entry["Validation"],
                *({family: f"validation/{family}.md"} for family in validated()),
            ]
    config.nav = nav[:-1] + sections + nav[-1:]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {f"reference/{name}.md": f"# archgym.{name}\n\n::: archgym.{name}\n" for name in modules()}
    pages |= {f"environments/{name}.md": environment_page(name) for name in catalog.simulators()}
    pages["agents.md"] = agents_page()
    pages |= {f"validation/{family}.md": text for family, text in validated().items()}
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def modules() -> list[str]:
    """Public modules of the framework; a leading underscore is private."""
    return sorted(path.stem for path in (ROOT / "archgym").glob("[a-z]*.py"))


def validated() -> dict[str, str]:
    """Each simulator family's VALIDATION.md, and that of the hardware blocks."""
    found = [*sorted((ROOT / "sims").glob("*/VALIDATION.md")), ROOT / "rtl" / "VALIDATION.md"]
    return {path.parent.name: path.read_text() for path in found}


def reference(names: Iterable[str]) -> list[dict[str, str]]:
    """Navigation entries of reference pages."""
    return [{name: f"reference/{name}.md"} for name in names]


def environment_page(name: str) -> str:
    """What a simulator declares: nothing here is written by hand."""
    simulator = catalog.simulator(name)
    (gym_id,) = [gym_id for gym_id, behind in catalog.environments().items() if behind == name]
    parts = [
        f"# {gym_id}",
        inspect.getdoc(type(simulator)) or "",
        f'Simulator `archgym.simulator("{name}")`, version {simulator.version}; Gymnasium id `{gym_id}`.',
        "## Options",
        table(("option", "default", "what it is"), options(type(simulator))),
        "## Metrics",
        table(
            ("metric", "unit", "better", "what it is"),
            [(f"`{m.name}`", m.unit, BETTER[m.direction], m.doc) for m in simulator.metrics],
        ),
        "## Workloads",
        workload_section(simulator),
        "## Objectives",
        table(("name", "what it stands for"), scorable(simulator)),
    ]
    parts += device_section(simulator)
    for label, doc, variant in spaces(name, simulator):
        parts += [f"## Space {label}".rstrip(), f"{doc[:1].upper()}{doc[1:]}", *space_section(variant)]
    return "\n\n".join(parts) + "\n"


BETTER = {"minimize": "smaller", "maximize": "larger", "none": ""}


def beside(simulator: Simulator, module: str, attribute: str) -> dict[str, Any]:
    """A table in the simulator's folder: `attribute` of the module `module`; empty where there is none."""
    name = f"{type(simulator).__module__.rpartition('.')[0]}.{module}"
    if importlib.util.find_spec(name) is None:
        return {}
    found = getattr(importlib.import_module(name), attribute, {})
    return dict(found) if isinstance(found, Mapping) else {}  # a family without such a table may use the name otherwise


def workload_section(simulator: Simulator) -> str:
    """Workloads, with their descriptions where the family gives them."""
    docs = beside(simulator, "workloads", "WORKLOADS")
    rows = [(f"`{name}`", getattr(docs.get(name), "doc", "")) for name in simulator.workloads]
    return table(("workload", "what it is"), rows)


def device_section(simulator: Simulator) -> list[str]:
    """Devices with the sources of their numbers, where the family has some."""
    devices = beside(simulator, "devices", "DEVICES")
    rows = [(f"`{name}`", "<br>".join(device.sources)) for name, device in devices.items()]
    return ["## Devices", table(("device", "where its numbers are from"), rows)] if rows else []


def spaces(name: str, simulator: Simulator) -> Iterable[tuple[str, str, DesignSpace]]:
    """Every space the family offers by name, or the one it has."""
    known = beside(simulator, "space", "SPACES")
    if not known:
        return [("", "", simulator.space)]
    return [(f"`{each}`", f"{doc}.", catalog.simulator(name, space=each).space) for each, doc in known.items()]


def space_section(space: DesignSpace) -> list[str]:
    """Size, parameters and rules of one space."""
    rows = [
        (f"`{p.name}`", p.group, p.kind, ", ".join(str(choice) for choice in p.choices), p.unit, p.doc)
        for p in space.parameters
    ]
    rules = "\n".join(f"- {constraint.message}" for constraint in space.constraints)
    return [
        f"{space.size:,} designs, {len(space)} parameters, fingerprint `{space.fingerprint}`.",
        table(("parameter", "group", "kind", "choices", "unit", "what it is"), rows),
        *([f"Rules:\n\n{rules}"] if rules else []),
    ]


def options(simulator: type[Simulator]) -> list[tuple[str, str, str]]:
    """Keyword options of a simulator, their defaults and what its docstring says of them."""
    constructor = inspect.getdoc(simulator.__init__) or ""
    sections = griffe.Docstring(constructor, parser="google", parser_options={"warnings": False}).parse()
    said = {item.name: item.description for s in sections if s.kind.value == "parameters" for item in s.value}
    return [
        (f"`{p.name}`", f"`{p.default!r}`", said.get(p.name, ""))
        for p in inspect.signature(simulator).parameters.values()
        if p.kind in {p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD}
    ]


def scorable(simulator: Simulator) -> list[tuple[str, str]]:
    """Registered objectives that this simulator's metrics can answer."""
    found = []
    for name in objectives():
        goal = objective(name)
        try:
            goal.check(simulator.metrics)
        except ArchGymError:
            continue
        found.append((f"`{name}`", ", ".join(f"`{label}`" for label in goal.labels)))
    return found


def agents_page() -> str:
    """Every registered agent with its hyper-parameters."""
    parts = ["# Agents", "Every one searches the same space for the same objective at the same budget."]
    for name in catalog.agents():
        agent: Any = catalog.agent_class(name)
        module = inspect.getmodule(agent)
        paper = (inspect.getdoc(module) or "").split("\n\n")[0] if module else ""
        rows = [
            (f"`{key}`", f"`{field.default!r}`", field.description or "")
            for key, field in agent.Hyper.model_fields.items()
        ]
        parts += [f"## {name}", " ".join(paper.split()), inspect.getdoc(agent) or ""]
        parts.append(table(("hyper-parameter", "default", "meaning"), rows) if rows else "No hyper-parameters.")
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; `|` inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
