"""Commands that look: what there is, what it can do, what one design scores, what is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.text import Text

from archgym.cli_console import print_table
from archgym.errors import InvalidInput

if TYPE_CHECKING:
    from archgym.core import Simulator
    from archgym.space import Choice

__all__ = ["agents", "describe", "doctor", "envs", "evaluate", "parse_pairs", "schema", "version"]

Environment = Annotated[str, typer.Argument(metavar="ENV", help="A simulator's name or Gymnasium id.")]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="KEY=VALUE", help="What the simulator is built with; may be repeated."),
]


def split_pair(pair: str) -> tuple[str, str]:
    """The two sides of KEY=VALUE.

    Raises:
        InvalidInput: for an argument of another form.
    """
    key, equals, value = pair.partition("=")
    if not equals or not key:
        raise InvalidInput(f"expected KEY=VALUE, got {pair!r}")
    return key, value


def parse_pairs(pairs: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE arguments, values read as YAML (so that 2 is a number and true a boolean).

    Raises:
        InvalidInput: for an argument of another form.
    """
    return {key: _value(text) for key, text in unique_pairs(pairs).items()}


def unique_pairs(pairs: list[str] | None) -> dict[str, str]:
    """KEY=VALUE arguments as words.

    Raises:
        InvalidInput: for an argument of another form, or a key that is given twice.
    """
    found: dict[str, str] = {}
    for key, word in map(split_pair, pairs or []):
        if key in found:
            raise InvalidInput(f"{key} is given twice: {key}={found[key]} and {key}={word}; give it once")
        found[key] = word
    return found


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def build(name: str, options: list[str] | None) -> Simulator:
    """The simulator a command line names."""
    from archgym.restrict import build_simulator

    return build_simulator(name, parse_pairs(options))


def envs() -> None:
    """List the environments: simulators and their Gymnasium ids."""
    from archgym import catalog

    ids = {name: gym_id for gym_id, name in catalog.environments().items()}
    rows = [(name, ids[name], summary) for name, summary in catalog.simulators().items()]
    print_table(("name", "Gymnasium id", "what it is"), rows)


def agents() -> None:
    """List the search agents and their hyper-parameters."""
    from archgym import catalog

    rows = []
    for name, summary in catalog.agents().items():
        model = getattr(catalog.agent_class(name), "Hyper", None)
        fields = getattr(model, "model_fields", {})
        rows.append((name, summary, ", ".join(f"{key} ({field.default})" for key, field in fields.items())))
    print_table(("name", "what it is", "hyper-parameters (default)"), rows)


def describe(env: Environment, option: Options = None) -> None:
    """Describe an environment: parameters, metrics, workloads, objectives."""
    from archgym.enumerate_summary import applicable_objectives

    simulator = build(env, option)
    typer.echo(f"{simulator.name}, version {simulator.version}, {simulator.space.size:,} designs\n")
    parameters = [(p.name, ", ".join(map(str, p.choices)), p.unit, p.doc) for p in simulator.space.parameters]
    print_table(("parameter", "choices", "unit", "about"), parameters)
    better = {"minimize": "smaller", "maximize": "larger", "none": ""}
    metrics = [(m.name, m.unit, better[m.direction], m.doc) for m in simulator.metrics]
    typer.echo()
    print_table(("metric", "unit", "better", "about"), metrics)
    typer.echo()
    for constraint in simulator.space.constraints:
        typer.echo(f"constraint: {constraint.message}")
    typer.echo(f"workloads: {', '.join(simulator.workloads)}")
    typer.echo(f"objectives: {', '.join(goal.name for goal in applicable_objectives(simulator))}")


def evaluate(
    env: Environment,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PARAMETER=VALUE]...", help="The design; every parameter must be given."),
    ] = None,
    workload: Annotated[str, typer.Option("--workload", "-w", help="A registered workload or a trace file.")] = "",
    design: Annotated[str, typer.Option(help="The design as JSON, or @FILE holding it.")] = "",
    option: Options = None,
) -> None:
    """Score one design and print its metrics with their units."""
    from archgym.evaluator import Evaluator
    from archgym.plan import resolve_workload

    simulator = build(env, option)
    if not workload:
        raise InvalidInput(f"give --workload, one of: {', '.join(simulator.workloads)}")
    words = unique_pairs(settings)
    chosen = {**_design(design), **{name: _as_choice(simulator, name, word) for name, word in words.items()}}
    encoded = simulator.space.encode(chosen)
    where = resolve_workload(simulator, workload, Path())
    found, _ = Evaluator(simulator, where).evaluate(encoded.reshape(1, -1))
    if not found.ok[0]:
        raise InvalidInput(f"the design has no numbers: {found.status[0]}: {found.reasons[0]}")
    rows = [(metric.name, f"{found[metric.name][0]:.10g}", metric.unit) for metric in simulator.metrics]
    print_table(("metric", "value", "unit"), rows)


def _design(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except OSError as error:
        raise InvalidInput(f"--design {text}: {error.strerror}") from None
    except ValueError as error:
        raise InvalidInput(f"--design is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidInput('--design must be a mapping such as {"parameter": "value"}')
    return found


def _as_choice(simulator: Simulator, name: str, word: str) -> Choice:
    """The choice a word on the command line means; one that is none goes on as it is, to be refused by name."""
    choices = simulator.space[name].choices
    said = next((choice for choice in choices if str(choice).lower() == word.lower()), None)
    if said is not None:
        return said
    value = _value(word)  # 1 for 1.0, 4.0 for 4
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return next((choice for choice in choices if number and not isinstance(choice, bool) and choice == value), word)


def doctor() -> None:
    """Say what is installed, what is missing, what that would enable, and how to install it."""
    from archgym.doctor import examine

    rows = []
    for finding in examine():
        lack = Text("missing", "red") if finding.required else Text("not installed", "yellow")
        install = "" if finding.version else finding.install
        rows.append((finding.name, finding.version or lack, finding.enables, install))
    print_table(("piece", "found", "enables", "to install"), rows)


def schema() -> None:
    """Print the JSON schema of experiment files, for editors."""
    from archgym.experiment import json_schema

    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("archgym"))
