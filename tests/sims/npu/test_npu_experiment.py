"""A network of one's own in an experiment file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from archgym.plan import make_plan
from archgym.sims.npu.networks import network


def test_a_file_with_sizes_behind_it_is_looked_for_beside_the_experiment(tmp_path: Path, monkeypatch) -> None:
    folder, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    weight = helper.make_tensor("w", TensorProto.FLOAT, [32, 16], np.zeros(512, np.float32))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 32])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="product")
    onnx.save(helper.make_model(helper.make_graph([node], "one", inputs, outputs, [weight])), folder / "own.onnx")
    file = folder / "study.yaml"
    file.write_text(
        "environment: npu\nworkloads: ['own.onnx:batch=4']\n"
        "objectives: [{minimize: latency_ns}]\nagents: [random]\nbudget: 1\n",
        "utf-8",
    )
    monkeypatch.chdir(elsewhere)
    (planned,) = {trial.workload for trial in make_plan(file).trials}
    assert planned == f"{folder / 'own.onnx'}:batch=4"
    (layer,) = network(planned)
    assert layer.batch * layer.m == 4
    assert (layer.k, layer.n) == (32, 16)


def test_a_file_behind_what_it_is_for_is_looked_for_beside_the_experiment(tmp_path: Path, monkeypatch) -> None:
    folder, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "batch.csv").write_text("seq_len\n100\n200\n", "utf-8")
    file = folder / "study.yaml"
    file.write_text(
        "environment: neupims\nworkloads: ['gpt3-7b:batch.csv']\n"
        "objectives: [{maximize: tokens_per_s}]\nagents: [random]\nbudget: 1\n",
        "utf-8",
    )
    monkeypatch.chdir(elsewhere)
    (planned,) = {trial.workload for trial in make_plan(file).trials}
    assert planned == f"gpt3-7b:{folder / 'batch.csv'}"
