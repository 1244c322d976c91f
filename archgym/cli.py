"""The `archgym` command. Expected errors are one line on stderr and exit status 2; libraries load when needed."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from archgym.cli_console import console
from archgym.cli_data import dataset, enumerate_command, validate
from archgym.cli_inspect import agents, describe, doctor, envs, evaluate, schema, version
from archgym.cli_lazy import LazyGroup
from archgym.cli_trace import trace
from archgym.errors import ArchGymError
from archgym.interrupt import Interrupted

__all__ = ["app", "main"]

INTERRUPTED = 130  # the shell's convention: 128 + SIGINT

app = typer.Typer(
    name="archgym",
    cls=LazyGroup,
    help="A gym for hardware design-space exploration: simulators, search agents, experiments, reports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Directory = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, such as runs/quickstart.")]


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The experiment, YAML.")],
    out: Annotated[Path | None, typer.Option(help="Run directory; runs/<file name> by default.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over, removing what a run stored there.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at a time; all cores by default.")] = None,
    reuse: Annotated[
        list[Path] | None,
        typer.Option(help="Run or enumeration directory that answers for the simulator; may be repeated."),
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Build the report at the end.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Run an experiment, or continue it where it stopped."""
    from archgym.progress import Display
    from archgym.runner import default_directory, run_experiment

    directory = default_directory(file) if out is None else out
    target = None if quiet else console()
    try:
        run_experiment(file, directory, fresh=fresh, workers=workers, reuse=reuse or (), display=Display(target))
    except Interrupted as stop:
        where = "" if out is None else f" --out {out}"
        typer.echo(f"{stop}; continue with: archgym run {file}{where}", err=True)
        _leave(INTERRUPTED)
    failed = _conclude(directory, target)
    if report:
        _build_report(directory, target)
    elif target is not None:
        target.print(f"report: archgym report {directory}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


def _conclude(directory: Path, target: Console | None) -> bool:
    """Show the summary; whether a trial failed."""
    from archgym.store import open_run
    from archgym.summary import run_tables

    with closing(open_run(directory)) as found:
        trials = found.trials
        if target is not None:
            for table in run_tables(found):
                target.print(table)
    failed = [trial for trial in trials if trial.state == "failed"]
    for trial in failed[:10]:
        where = f"{trial.label} on {trial.workload}"
        where += "" if trial.named else f" for {trial.objective}, seed {trial.seed}"
        typer.echo(f"warning: trial {trial.id} ({where}) failed: {trial.reason}", err=True)
    if failed:
        typer.echo(f"warning: {len(failed)} of {len(trials)} trials failed; run again to retry them", err=True)
    return bool(failed)


@app.command()
def report(
    directory: Directory,
    out: Annotated[Path | None, typer.Option(help="Where it goes; RUN/report by default.")] = None,
) -> None:
    """Write a run's report: one HTML page that works offline, and its figures as PNG."""
    _build_report(directory, console(), out)


def _build_report(directory: Path, target: Console | None, out: Path | None = None) -> None:
    from archgym.report import build

    page = build(directory, out)
    if target is not None:
        target.print(f"report written: {page}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def compare(
    directories: Annotated[list[Path], typer.Argument(metavar="RUN...", help="One or more run directories.")],
) -> None:
    """Put the final bests of one or more runs, and what their named designs reach, side by side."""
    from archgym.store import open_run
    from archgym.summary import comparison_tables, run_tables

    with ExitStack() as stack:
        runs = [stack.enter_context(closing(open_run(directory))) for directory in directories]
        for table in run_tables(runs[0]) if len(runs) == 1 else comparison_tables(runs):
            console().print(table)


app.command()(envs)
app.command()(agents)
app.command()(describe)
app.command()(evaluate)
app.command("enumerate")(enumerate_command)
app.command()(validate)
app.command()(doctor)
app.command()(schema)
app.command()(version)
app.add_typer(dataset, name="dataset")
app.add_typer(trace, name="trace")


def _leave(status: int) -> NoReturn:
    raise typer.Exit(status)


# Typer has a copy of Click inside, older versions use Click itself: the base of their errors is reached through one.
_CommandLineError: type[Exception] = next(
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException"
)


def main() -> None:
    """Entry point of the console script."""
    warnings.showwarning = _warn
    try:
        # Standing alone, Typer shows what is wrong with the command line in a box of several lines.
        status = app(prog_name="archgym", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except ArchGymError as error:
        typer.echo("error: " + " ".join(str(error).split()), err=True)
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except _CommandLineError as error:
        _explain(error)
        sys.exit(2)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a full or read-only disk outside the store
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"error: {where}{error.strerror or error}", err=True)
        sys.exit(2)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning as a line of its own, without the place in the code that Python shows developers."""
    typer.echo("warning: " + " ".join(str(message).split()), err=True)


def _explain(error: Any) -> None:
    """What is wrong with the command line, in one line that says where to read on."""
    message = " ".join(error.format_message().split())
    if type(error).__name__ == "NoArgsIsHelpError":  # the help was asked for by giving nothing, and has been shown
        return
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "archgym"
    typer.echo(f"error: {message.rstrip('.')}; see: {path} --help", err=True)
