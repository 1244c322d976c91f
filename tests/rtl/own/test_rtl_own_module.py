"""Modules put together from files: parameters, ports, refusals and stimuli, before anything is synthesised."""

import numpy as np
import pytest
from own_modules import DOT, DOT_MODEL, PAIRS, PAIRS_MODEL, SCALE, SCALE_MODEL, write

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.bench.words import pack, unpack
from archgym.rtl.block import Port
from archgym.rtl.flow.parse import RtlError
from archgym.rtl.flow.safety import UnsafeRtl
from archgym.rtl.own.description import Description
from archgym.rtl.own.module import OwnModule
from archgym.rtl.own.prove import first_point

TEXTS = {"scale": (SCALE, SCALE_MODEL), "pairs": (PAIRS, PAIRS_MODEL), "dot": (DOT, DOT_MODEL)}


def own(folder, name="scale", text=None, model=None, **said):
    rtl, golden = write(folder, name, text or TEXTS[name][0], model or TEXTS[name][1])
    entries = {"name": name, "top": name, "sources": [rtl.name], "golden": golden.name, **said}
    return OwnModule(Description.model_validate(entries), folder)


def dot(folder, **said):
    return own(folder, "dot", ports={name: {"lanes": "LANES", "signed": True} for name in "ab"}
               | {"p": {"signed": True}}, **said)  # fmt: skip


def test_a_module_becomes_a_block(tmp_path):
    module = own(tmp_path, parameters={"W": [6, 4], "GAIN": 5})
    block = module.block
    assert (block.kind, block.signals.clock, block.signals.reset, block.signals.active_low) == (
        "pipeline", "clock", "reset", False,
    )  # fmt: skip
    assert [(p.name, p.choices, p.kind) for p in block.parameters] == [
        ("W", (6, 4), "categorical"), ("GAIN", (5,), "ordinal"),
    ]  # fmt: skip
    assert block.parameters[0].doc == "bits of a number"
    assert block.doc == "Multiplies a number by a gain."
    assert [(p.name, p.width) for p in block.ports({"W": 6, "GAIN": 5})] == [("x", 6), ("y", 10)]
    rows = {"x": np.arange(4)}
    assert block.golden({"W": 6, "GAIN": 5}, rows)["y"].tolist() == [0, 5, 10, 15]


def test_a_model_is_given_the_parameters_that_keep_their_defaults(tmp_path):
    module = own(tmp_path, parameters={"W": [4]})
    assert module.block.golden({"W": 4}, {"x": np.array([2])})["y"].tolist() == [6]


def test_the_rtl_refuses_values_by_its_own_words(tmp_path):
    module = own(tmp_path, parameters={"W": [8, 4]})
    assert module.block.reject({"W": 4}) == ""
    assert "W must be at most 6, got 8" in module.block.reject({"W": 8})
    assert first_point(module) == {"W": 4}
    with pytest.raises(InvalidInput, match=r"scale refuses every point that was tried; W=7: .*at most 6, got 7"):
        first_point(own(tmp_path, parameters={"W": [7, 8]}))


def test_defaults_that_the_rtl_refuses_do_not_matter_where_others_are_given(tmp_path):
    text = SCALE.replace("parameter int W = 4", "parameter int W = 9")
    assert own(tmp_path, text=text, parameters={"W": [8, 3]}).parsed({"W": 3}).ports[2].width == 3
    with pytest.raises(RtlError, match="got 9"):
        own(tmp_path, text=text)


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        ({"parameters": {"w": 4}}, UnknownName, "unknown parameter of scale 'w'; did you mean 'W'"),
        ({"top": "scal"}, UnknownName, "unknown top module 'scal'; did you mean 'scale'"),
        ({"ports": {"z": {}}}, UnknownName, "unknown port of scale 'z'"),
        ({"keep": ["pe"]}, UnknownName, "unknown module to keep 'pe'"),
        ({"sources": ["scael.sv"]}, InvalidInput, "scael.sv"),
        ({"golden": "scale_modle.py"}, InvalidInput, "no such golden model; did you mean"),
        ({"clock": "clk"}, UnknownName, "unknown clock"),
        ({"allow": ["everything"]}, UnknownName, "unknown allowance 'everything'"),
    ],
)
def test_names_that_are_not_there(tmp_path, said, error, message):
    with pytest.raises(error, match=message):
        own(tmp_path, **said)


def test_syntax_errors_have_file_and_line(tmp_path):
    with pytest.raises(RtlError, match=r"^scale.sv:18:\d+: "):
        own(tmp_path, text=SCALE.replace("y <= reset", "y <== reset"))


@pytest.mark.parametrize(
    ("line", "allow"),
    [
        ('initial $system("touch /tmp/owned");', "system"),
        ('initial $readmemh("/etc/passwd", memory);', "files"),
        ('import "DPI-C" function int peek(int a);', "dpi"),
        ("initial $my_pli_task;", "pli"),
    ],
)
def test_rtl_that_reaches_out_is_refused_before_the_model_is_run(tmp_path, line, allow):
    text = SCALE.replace("logic [W-1:0] x_q;", f"logic [W-1:0] x_q; {line}")
    with pytest.raises(UnsafeRtl, match=rf"scale.sv:15:\d+: .* is refused; if you trust it, allow '{allow}'"):
        own(tmp_path, text=text, model="open('ran', 'w')")
    assert not (tmp_path / "ran").exists()


def test_lanes_may_depend_on_a_parameter(tmp_path):
    module = dot(tmp_path, parameters={"LANES": [2, 3]})
    assert module.block.kind == "combinational"
    assert [(p.name, p.width, p.lanes, p.signed) for p in module.ports({"LANES": 3})] == [
        ("a", 4, 3, True), ("b", 4, 3, True), ("p", 12, 1, True),
    ]  # fmt: skip
    rows = module.block.stimulus({"LANES": 3}, np.random.default_rng(0), 500)
    assert rows["a"].shape == (500, 3)
    assert (rows["a"].min(), rows["a"].max()) == (-8, 7)
    corners = module.block.corners({"LANES": 3})
    assert {-8, 7} <= set(corners["a"].ravel().tolist())


def test_ports_that_cannot_be_divided_so(tmp_path):
    module = own(tmp_path, "dot", parameters={"LANES": [1, 2]}, ports={"a": {"lanes": 3}})
    assert "port a has 4 bits, which are not 3 lanes of equal width" in module.block.reject({"LANES": 1})
    wide = own(tmp_path, "dot", parameters={"LANES": 32})
    assert "port a has values of 128 bits; at most 64 are supported: divide it into lanes" in wide.block.reject(
        {"LANES": 32}
    )
    with pytest.raises(UnknownName, match=r"parameter .lanes of a. 'LANE'; did you mean 'LANES'"):
        own(tmp_path, "dot", ports={"a": {"lanes": "LANE"}}).ports({})


def test_small_combinational_modules_are_tried_on_every_vector(tmp_path):
    text = (
        "module tiny(input logic [3:0] a, input logic signed [2:0] b, output logic [3:0] y);\nassign y = a;\nendmodule"
    )
    module = own(tmp_path, "tiny", text=text, model="def golden(p, x): return {'y': x['a']}")
    rows = module.block.corners({})
    assert len(set(zip(rows["a"].tolist(), rows["b"].tolist(), strict=True))) == len(rows["a"]) == 2**7


WORDS = (
    "module words(input logic [63:0] a, input logic [63:0] b, output logic [63:0] y, output logic most);\n"
    "assign y = a ^ b;\nassign most = a > b;\nendmodule"
)
WORDS_MODEL = "def golden(p, x): return {'y': x['a'] ^ x['b'], 'most': x['a'] > x['b']}"


def test_unsigned_words_of_64_bits_are_given_as_such(tmp_path):
    module = own(tmp_path, "words", text=WORDS, model=WORDS_MODEL + "\ndef macs(p, x): return x['a'].max()")
    held = {"a": np.array([-1, 5]), "b": np.array([1, 7])}  # 2^64 - 1 above 1, 5 below 7
    found = module.block.golden({}, held)
    assert (found["y"].tolist(), found["most"].tolist()) == ([-2, 2], [1, 0])
    assert module.block.macs({}, held) == 2.0**64
    corners = module.block.corners({})
    assert set(zip(corners["a"].tolist(), corners["b"].tolist(), strict=True)) >= {(-1, -1), (-1, 0), (0, -1), (1, 0)}
    drawn = module.block.golden({}, module.block.stimulus({}, np.random.default_rng(0), 100))
    assert 20 < drawn["most"].sum() < 80


def test_benches_hold_unsigned_words_of_64_bits_as_patterns():
    port, values = Port("a", "in", 64, lanes=2), np.array([[-1, 5], [-(2**63), 0]])
    vectors = pack(port, values)
    assert vectors == [5 * 2**64 + 2**64 - 1, 2**63]  # lane 0 in the lowest bits
    assert unpack(port, vectors).tolist() == values.tolist()


def test_folders_of_include_files_must_be_there(tmp_path):
    with pytest.raises(InvalidInput, match=r"include: there is no folder .*nowhere"):
        own(tmp_path, include=["nowhere"])


def test_a_models_own_stimuli_are_workloads(tmp_path):
    text = SCALE_MODEL + (
        "def stimulus(p, rng, n): return {'x': rng.integers(0, 2, n)}\n"
        "def stimulus_ones(p, rng, n): return {'x': [1] * n}\n"
        "def stimulus_wrong(p, rng, n): return {'x': [99] * n}\n"
    )
    module = own(tmp_path, model=text)
    assert module.workloads == ("random", "ones", "wrong")
    drawn = module.workload("random").lanes(module.block, {}, 4)
    assert [len(each["x"]) for each in drawn] == [64, 128, 64, 128]
    assert set(drawn[0]["x"].tolist()) == {0, 1}
    assert set(module.workload("ones").lanes(module.block, {}, 1)[0]["x"].tolist()) == {1}
    with pytest.raises(InvalidInput, match=r"scale_model.py: stimulus_wrong: 99 is no value of x: 4 bits unsigned"):
        module.workload("wrong").lanes(module.block, {}, 1)
    with pytest.raises(UnknownName, match="unknown workload 'one'; did you mean 'ones'"):
        module.workload("one")


def test_edited_rtl_and_included_files_make_it_another_module(tmp_path):
    (tmp_path / "inc").mkdir()
    header = tmp_path / "inc" / "gain.svh"
    header.write_text("`define EXTRA 1\n")
    text = '`include "gain.svh"\n' + SCALE.replace("* GAIN", "* (GAIN + `EXTRA - 1)")
    prints = [own(tmp_path, text=text, include=["inc"]).block.fingerprint for _ in range(2)]
    header.write_text("`define EXTRA 2\n")
    prints.append(own(tmp_path, text=text, include=["inc"]).block.fingerprint)
    assert prints[0] == prints[1] != prints[2]
    with pytest.raises(UnsafeRtl, match=r'`include "gain.svh" names no file that was given'):
        own(tmp_path, text=text)
