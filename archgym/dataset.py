"""A run as one Parquet file: a row per evaluated design, with units, provenance and schema inside the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.errors import InvalidInput, MissingDependency, StoreError
from archgym.named import NAMED
from archgym.space import Parameter
from archgym.store import Run, Source, TrialRecord, open_run

if TYPE_CHECKING:
    import pyarrow

__all__ = ["FORMAT", "export", "query"]

FORMAT = 1

_FIXED = {  # column -> what it holds; parameters and metrics follow under their own names
    "trial": "number of the search in the experiment",
    "agent": f"search method; {NAMED!r} where the experiment gave the design",
    "design": "the name of a named design",
    "hyper": "the agent's hyper-parameters, JSON",
    "seed": "its seed",
    "workload": "what the simulator ran",
    "objective": "what was searched for",
    "step": "position among the distinct designs the search was charged for, from 0",
    "status": "ok, infeasible, failed or timeout",
    "reason": "why the design has no numbers",
    "cost": "scalar cost the search was ranked by, smaller is better; a named design has none",
    "costs": "cost columns of the objective, smaller is better",
}


def export(path: Path, target: Path) -> int:
    """Write every charged design of a run's trials to a Parquet file; returns the number of rows.

    Raises:
        StoreError: when the run cannot be read or the file not written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with closing(open_run(path)) as run:
        trials = [trial for trial in run.trials if trial.distinct]
        if not trials:
            raise StoreError(f"{path}: nothing was evaluated yet, there is nothing to export")
        schema = _schema(run, run.source(trials[0]))
        partial = target.with_name(target.name + ".partial")  # a file under its own name is always complete
        rows = 0
        try:
            with parquet.ParquetWriter(partial, schema, compression="zstd") as writer:
                for table in _tables(run, trials, schema):
                    writer.write_table(table)
                    rows += table.num_rows
            partial.replace(target)
        except (OSError, pa.ArrowException) as error:
            partial.unlink(missing_ok=True)
            raise StoreError(f"{target}: cannot be written: {error}") from error
        return rows


def query(path: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run SQL over an exported file, which is the table `data`; returns column names and rows.

    Raises:
        MissingDependency: without DuckDB.
        InvalidInput: when the file is missing or the query is wrong.
    """
    try:
        import duckdb
    except ImportError:
        raise MissingDependency("duckdb", "data", "archgym dataset query") from None
    if not path.is_file():
        raise InvalidInput(f"{path}: no such file; make one with: archgym dataset export RUN {path}")
    try:
        with duckdb.connect() as connection:
            connection.read_parquet(str(path)).create_view("data")
            result = connection.execute(sql)
            names = [column[0] for column in result.description or ()]
            return names, result.fetchall()
    except duckdb.Error as error:
        raise InvalidInput(f"{path}: {str(error).splitlines()[0]}") from None


def _schema(run: Run, source: Source) -> pyarrow.Schema:
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    kinds = {"trial": pa.int32(), "seed": pa.int64(), "step": pa.int32(), "cost": pa.float64()}
    kinds |= {"reason": pa.string(), "costs": pa.list_(pa.float64())}
    fields = [pa.field(name, kinds.get(name, text), metadata={"doc": doc}) for name, doc in _FIXED.items()]
    for parameter, name in zip(source.parameters, _own_names(source)[0]):
        about = {"role": "parameter", "unit": parameter.unit, "kind": parameter.kind, "doc": parameter.doc}
        about["choices"] = json.dumps(parameter.choices)
        fields.append(pa.field(name, _arrow_type(parameter), metadata=about))
    for metric, name in zip(source.metrics, _own_names(source)[1]):
        about = {"role": "metric", "unit": metric.unit, "direction": metric.direction, "doc": metric.doc}
        fields.append(pa.field(name, pa.float64(), metadata=about))
    facts = {
        "format": FORMAT,
        "experiment": run.experiment,
        "provenance": run.provenance,
        "sources": [
            {
                "simulator": each.simulator,
                "version": each.version,
                "options": each.options,
                "space_fingerprint": each.space_fingerprint,
                "workload": each.workload,
                "workload_fingerprint": each.workload_fingerprint,
            }
            for each in run.sources.values()
        ],
    }
    return pa.schema(fields, metadata={"archgym": json.dumps(facts)})


def _own_names(source: Source) -> tuple[list[str], list[str]]:
    """Column names of parameters and metrics; one that is taken gets its role in front."""
    parameters = [f"parameter_{p.name}" if p.name in _FIXED else p.name for p in source.parameters]
    taken = {*_FIXED, *parameters}
    return parameters, [f"metric_{m.name}" if m.name in taken else m.name for m in source.metrics]


def _arrow_type(parameter: Parameter) -> pyarrow.DataType:
    import pyarrow as pa

    kinds = {type(choice) for choice in parameter.choices}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else pa.dictionary(pa.int32(), pa.string())


def _tables(run: Run, trials: list[TrialRecord], schema: pyarrow.Schema) -> Iterator[pyarrow.Table]:
    import pyarrow as pa

    for trial in trials:
        source, history = run.source(trial), run.history(trial.id)
        n = len(history)
        columns: dict[str, Any] = {
            "trial": np.full(n, trial.id),
            "agent": [trial.agent] * n,
            "design": [trial.label if trial.named else None] * n,
            "hyper": [None if trial.named else json.dumps(trial.hyper, sort_keys=True)] * n,
            "seed": np.full(n, trial.seed),
            "workload": [trial.workload] * n,
            "objective": [trial.objective or None] * n,
            "step": np.arange(n),
            "status": history.evaluations.status.tolist(),
            "reason": list(history.evaluations.reasons),
            "cost": [None] * n if trial.named else history.scalar,
            "costs": [None] * n if trial.named else history.costs.tolist(),
        }
        parameters, metrics = _own_names(source)
        for column, (parameter, name) in enumerate(zip(source.parameters, parameters)):
            chosen = [parameter.choices[index] for index in history.designs[:, column]]
            textual = pa.types.is_dictionary(schema.field(name).type)
            columns[name] = [str(choice) for choice in chosen] if textual else chosen
        for column, name in enumerate(metrics):
            columns[name] = pa.array(history.evaluations.values[:, column], from_pandas=True)  # NaN becomes null
        yield pa.table([pa.array(columns[f.name]).cast(f.type) for f in schema], schema=schema)
