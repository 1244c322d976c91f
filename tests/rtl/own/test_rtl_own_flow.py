"""Modules of one's own through the whole flow, by the command line; what does not fit, in a sentence."""

import re

import numpy as np
import pytest
import yaml
from command_line import invoke, refused
from own_modules import DOT, DOT_MODEL, PAIRS, PAIRS_MODEL, SCALE, SCALE_MODEL, write

import archgym
from archgym.errors import InvalidInput, MissingDependency, UnknownName
from archgym.rtl.emit.find import best_of
from archgym.rtl.flow import worker
from archgym.rtl.own.module import load_module
from archgym.rtl.own.simulator import EXAMPLE
from archgym.testing import check_simulator


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def env(name, text, model, folder, *options):
    rtl, golden = write(folder, name, text, model)
    return ("rtl", "env", rtl, "--golden", golden, "--effort", "quick", *options)


def test_a_pipeline_from_the_command_line_to_a_search(tmp_path):
    made = env("scale", SCALE, SCALE_MODEL, tmp_path, "--param", "W=3,4", "--param", "GAIN=0b101,7",
               "--clock-ns", "0,2", "--experiment", "scale.yaml")  # fmt: skip
    said = invoke(*made)
    assert "latency: 2 cycles, found by simulation" in said
    for words in (
        "reset, active high",
        "bits of a number",
        "unsigned data",
        "one point, simulated against",
        "area_um2",
    ):
        assert words in said
    assert "warning" not in said
    written = yaml.safe_load((tmp_path / "scale.rtl.yaml").read_text())
    assert written["parameters"] == {"W": [3, 4], "GAIN": [5, 7]}
    assert (written["latency"], written["sources"], written["clocks_ns"]) == (2, ["scale.sv"], [0.0, 2.0])
    # The commands that it names work.
    command = re.search(r"score a design: archgym (evaluate .*)", said)[1].split()
    assert "energy_per_beat_pj" in invoke(*command)
    simulator = archgym.simulator("rtl", description="scale.rtl.yaml")
    assert simulator.space.names == ("W", "GAIN", "clock_ns")
    experiment = tmp_path / "scale.yaml"
    experiment.write_text(experiment.read_text().replace("budget: 60", "budget: 3").replace("seeds: 2", "seeds: 1"))
    invoke("run", experiment, "-q")
    check_simulator(simulator, designs=3)


def test_unsigned_words_of_64_bits(tmp_path, monkeypatch, capsys):
    text = (
        "module word(input logic [63:0] a, input logic [63:0] b, output logic [63:0] y);\nassign y = a ^ b;\nendmodule"
    )
    model = "def golden(p, x): return {'y': x['a'] ^ x['b']}\n"
    # The first directed row is all ones on both inputs.
    line = refused(monkeypatch, capsys, *env("word", text, model.replace("^", "|"), tmp_path))
    assert "port y, beat 0: expected 18446744073709551615, got 0" in line
    assert "one point, simulated against" in invoke(*env("word", text, model, tmp_path))


def test_files_are_not_written_over(tmp_path, monkeypatch, capsys):
    made = env("scale", SCALE, SCALE_MODEL, tmp_path, "--latency", "2")
    description, experiment = tmp_path / "scale.rtl.yaml", tmp_path / "scale.yaml"
    description.write_text("mine")
    line = refused(monkeypatch, capsys, *made)
    assert "scale.rtl.yaml exists; add --force to write over it, or name another file with --out" in line
    experiment.write_text("mine, too")
    line = refused(monkeypatch, capsys, *made, "--out", "other.rtl.yaml", "--experiment", experiment)
    assert "scale.yaml exists; add --force to write over it, or name another file with --experiment" in line
    assert (description.read_text(), experiment.read_text()) == ("mine", "mine, too")
    invoke(*made, "--force", "--experiment", experiment)
    assert "top: scale" in description.read_text()
    assert "budget" in experiment.read_text()


def test_a_best_design_of_another_space_is_refused(tmp_path):
    write(tmp_path, "scale", SCALE, SCALE_MODEL + "LATENCY = 2\n")
    text = "name: scale\ntop: scale\nsources: [scale.sv]\ngolden: scale_model.py\neffort: quick\nclocks_ns: [0]\n"
    description = tmp_path / "own.rtl.yaml"
    description.write_text(text + "parameters: {GAIN: [3, 5], W: 4}\n")
    (tmp_path / "search.yaml").write_text(
        "environment: {name: rtl, options: {description: own.rtl.yaml}}\nworkloads: [random]\n"
        "objectives: [{minimize: area_um2}]\nagents: [random]\nbudget: 1\n"
    )
    invoke("run", "search.yaml", "--out", "run", "-q")
    assert best_of(tmp_path / "run").design["W"] == 4
    for parameters in ("{GAIN: [3, 5]}", "{GAIN: [5, 3], W: 4}"):  # another number of columns; other meanings of them
        description.write_text(text + f"parameters: {parameters}\n")
        with pytest.raises(InvalidInput, match=r"run: was written with .* space fingerprint \w+, now it is \w+: "):
            best_of(tmp_path / "run")


def test_a_stream_with_names_of_its_own(tmp_path):
    said = invoke(*env("pairs", PAIRS, PAIRS_MODEL, tmp_path))
    assert "pairs: stream" in said
    simulator = archgym.simulator("rtl", description="pairs.rtl.yaml")
    found = simulator.simulate(np.zeros((1, 1), dtype=np.int32), "random").as_dict(0)
    assert found["beats_per_cycle"] == pytest.approx(1.0, rel=0.02)
    assert found["flops"] == 11
    assert "tops_per_w" not in found


def test_a_combinational_module_with_lanes(tmp_path):
    made = env("dot", DOT, DOT_MODEL, tmp_path, "--lanes", "a=LANES", "--lanes", "b=LANES",
               "--signed", "a", "--signed", "b", "--signed", "p")  # fmt: skip
    assert "2 x 4 bits, signed data" in invoke(*made)
    found = archgym.simulator("rtl", description="dot.rtl.yaml").simulate(np.zeros((1, 1), dtype=np.int32), "random")
    numbers = found.as_dict(0)
    assert (numbers["flops"], numbers["latency_cycles"], numbers["macs_per_cycle"]) == (0, 0, pytest.approx(2.0))
    assert numbers["latency_ns"] == numbers["critical_path_ns"]
    assert numbers["energy_per_beat_pj"] == pytest.approx(2 * numbers["energy_per_mac_pj"], rel=0.01)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (SCALE_MODEL, ["--latency", "3"], "with a latency of 2 cycles instead of 3 they agree: say --latency 2"),
        (SCALE_MODEL.replace("* para", "+ para"), [], "the netlist disagrees with the golden model: .*, port y, beat "),
        (SCALE_MODEL.replace("* para", "+ para"), [], "no latency from 0 to 64 makes them agree; clock clock, reset r"),
        (SCALE_MODEL, ["--reset-active", "low"], "no latency from 0 to 64 makes them agree; .*reset reset, active low"),
        (SCALE_MODEL.replace('"y"', '"Y"'), [], "golden must give values of the ports y by name, got Y"),
        (SCALE_MODEL.replace('"x"', '"xx"'), [], "scale_model.py:3: golden raised KeyError: 'xx'"),
    ],
)
def test_models_that_disagree(tmp_path, monkeypatch, capsys, model, options, message):
    line = refused(monkeypatch, capsys, *env("scale", SCALE, model, tmp_path, *options))
    assert re.search(message, line), line
    assert not (tmp_path / "scale.rtl.yaml").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("def macs(p, x): return 'many'\n", r"scale_model.py: macs must give a number of at least 0, got 'many'"),
        ("def macs(p, x): return -1\n", r"macs must give a number of at least 0, got -1"),
        (
            "import numpy as np\ndef stimulus(p, rng, n): return {'x': np.zeros(0, np.int64)}\n",
            "stimulus gave no rows; it must give at least one",
        ),
    ],
)
def test_models_that_give_nonsense(tmp_path, monkeypatch, capsys, more, message):
    line = refused(monkeypatch, capsys, *env("scale", SCALE, SCALE_MODEL + more, tmp_path))
    assert re.search(message, line), line


LOOP = "module ring(input logic a, output logic y);\n  logic b;\n  assign b = ~(a & y);\n  assign y = b;\nendmodule\n"
SAME = "def golden(p, x): return {'y': x['a']}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--param", "w=3"], "unknown parameter of scale 'w'; did you mean 'W'"),
        (
            ["--param", "W=9,10"],
            "scale refuses every point that was tried; W=9: the RTL refuses it: .*at most 6, got 9",
        ),
        (["--param", "W"], "--param 'W' is not NAME=VALUE,VALUE"),
        (["--param", "W=a"], "--param W=a: 'a' is no whole number"),
        (["--param", "W=3", "--param", "W=4"], "--param W is given twice"),
        (["--param", "W=3,3"], "--parameters: .*W has a value twice"),
        (["--top", "scael"], "unknown top module 'scael'; did you mean 'scale'"),
        (["--clock-ns", "fast"], "--clock-ns 'fast' is no list of periods"),
        (["--lanes", "x"], "--lanes 'x' is not PORT=N"),
        (["--lanes", "x=3"], "port x has 4 bits, which are not 3 lanes"),
        (["--clock-ns", "-1"], r"--clock-ns: .*, got -1"),
        (["--clock-ns", "1,1"], r"--clock-ns: periods must ascend, got \[1.0, 1.0\]$"),
        (["--out", "nowhere/x.rtl.yaml"], "--out nowhere/x.rtl.yaml: there is no folder .*nowhere; make it first"),
        (["--include", "nowhere"], "--include nowhere: there is no folder .*nowhere"),
        (["--experiment", "."], "--experiment .: is a folder; name a file in it"),
        (["--clock", "none", "--latency", "2"], "latency = 2, but scale has no clock; leave it out"),
        (["--effort", "most"], "--effort: .*'most'"),
        (["--technology", "generic54"], "unknown technology 'generic54'; did you mean 'generic45'"),
        (["--cells", "10"], r"\d+ cells are over the limit of 10"),
        (["--seconds", "0.01"], "scale at its defaults is timeout"),
        (["--golden", "nowhere.py"], "no such golden model"),
    ],
)
def test_command_lines_that_do_not_fit(tmp_path, monkeypatch, capsys, options, message):
    line = refused(monkeypatch, capsys, *env("scale", SCALE, SCALE_MODEL, tmp_path, *options))
    assert re.search(message, line), line


def test_rtl_that_cannot_be_built(tmp_path, monkeypatch, capsys):
    line = refused(monkeypatch, capsys, *env("ring", LOOP, SAME, tmp_path))
    assert re.search("ring at its defaults is failed: .*loop", line), line
    line = refused(monkeypatch, capsys, *env("broken", "module broken(input logic a;\n", SAME, tmp_path))
    assert line.startswith("error: broken.sv:1:"), line
    latch = "module hold(input logic e, input logic a, output logic y);\n  always_latch if (e) y = a;\nendmodule\n"
    line = refused(monkeypatch, capsys, *env("hold", latch, SAME, tmp_path))
    assert "latches" in line
    both = SCALE + SCALE.replace("module scale", "module other")
    line = refused(monkeypatch, capsys, *env("scale", both, SCALE_MODEL, tmp_path))
    assert "2 modules that no other instantiates" in line


def test_a_missing_tool_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    def absent(*_arguments, **_named):
        raise MissingDependency("pyosys", "rtl", "synthesising RTL")

    monkeypatch.setattr(worker, "worker", absent)
    monkeypatch.setattr("archgym.rtl.flow.synth.worker", absent)
    made = env("scale", SCALE.replace("GAIN = 3", "GAIN = 11"), SCALE_MODEL, tmp_path)
    assert "synthesising RTL needs pyosys; install it with: pip install 'archgym[rtl]'" in refused(
        monkeypatch, capsys, *made
    )


def test_refused_points_and_disagreeing_ones_are_statuses_not_ends(tmp_path):
    wrong = SCALE_MODEL.replace('["GAIN"]', '["GAIN"] + (parameters["W"] == 4)')
    invoke(*env("scale", SCALE, wrong, tmp_path, "--param", "W=3,4,8", "--clock-ns", "0"))
    simulator = archgym.simulator("rtl", description="scale.rtl.yaml")
    found = simulator.simulate(np.array([[0, 0], [1, 0], [2, 0]], dtype=np.int32), "random")
    assert found.status.tolist() == ["ok", "failed", "infeasible"]
    assert "the netlist disagrees with the golden model" in found.reasons[1]
    assert "W must be at most 6, got 8" in found.reasons[2]
    with pytest.raises(UnknownName, match="unknown workload 'rand'; did you mean 'random'"):
        simulator.simulate(np.zeros((0, 2), dtype=np.int32), "rand")
    with pytest.raises(UnknownName, match="unknown effort"):
        archgym.simulator("rtl", effort="max")
    with pytest.raises(InvalidInput, match="no such description of RTL"):
        archgym.simulator("rtl", description="skale.rtl.yaml")


def test_the_default_filters_as_the_textbook_says():
    """y[n] = sum of C(Taps-1, k) x[n-k], straight from the definition."""
    module = load_module(EXAMPLE)
    rng = np.random.default_rng(0)
    for taps in (3, 9):
        p = {"Width": 8, "Taps": taps, "Form": 0, "Pipeline": 0}
        x = module.block.stimulus(p, rng, 40)["x_i"].tolist()
        row = [1]
        for _ in range(taps - 1):  # Pascal's triangle
            row = [a + b for a, b in zip([0, *row], [*row, 0], strict=True)]
        y = [sum(c * x[n - k] for k, c in enumerate(row) if n >= k) for n in range(40)]
        assert module.block.golden(p, {"x_i": np.array(x)})["y_o"].tolist() == y


def test_the_default_environment_works_in_every_form():
    simulator = archgym.simulator("rtl", effort="quick")
    assert simulator.space.size == 3 * 4 * 3 * 2 * 18
    base = {"Width": 8, "Taps": 3, "Pipeline": 1, "clock_ns": 2.0}
    rows = np.stack([simulator.space.encode({**base, "Form": form}) for form in (0, 1, 2)])
    found = simulator.simulate(rows, "tone")
    assert found.status.tolist() == ["ok"] * 3, found.reasons
    assert found["latency_cycles"].tolist() == [3.0] * 3
    assert found["macs_per_cycle"] == pytest.approx([3.0] * 3)
    # Transposed, no samples are kept but one: its registers are the products and sums of 10 bits.
    assert found["flops"][2] <= 8 + 3 * 10 + 3 * 10
    noise = simulator.simulate(rows[:1], "random")
    assert noise["power_mw"][0] > found["power_mw"][0]  # a tone moves fewer bits than noise
