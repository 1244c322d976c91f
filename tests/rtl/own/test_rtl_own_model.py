"""Golden models of other people: loaded, called and checked, every mistake with its place."""

import time

import numpy as np
import pytest

from archgym.errors import InvalidInput
from archgym.rtl.block import Port
from archgym.rtl.own.model import checked_streams, load_model


def model(folder, text, name="model.py"):
    path = folder / name
    path.write_text(text)
    return load_model(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def golden(p, x):\n    retrun 1\n", r"model.py:2: SyntaxError: invalid syntax"),
        ("import numpy as np\nvalue = np.nothing\n", r"model.py:2: AttributeError: module 'numpy'"),
        ("import no_such_module_anywhere\n", r"model.py:1: ModuleNotFoundError"),
        ("def a():\n    b()\ndef b():\n    1 / 0\na()\n", r"model.py:4: ZeroDivisionError"),
        ("raise SystemExit(3)\n", r"model.py:1: SystemExit: 3"),
        ("def gold(p, x): return {}\n", r"no function golden\(parameters, inputs\); did you mean 'gold'"),
        ("", r"no function golden"),
    ],
)
def test_files_that_are_no_models(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=message):
        model(tmp_path, text)


def test_files_that_are_not_there_or_no_python(tmp_path):
    (tmp_path / "my_model.py").write_text("")
    with pytest.raises(InvalidInput, match=r"no such golden model; did you mean '.*my_model.py'"):
        load_model(tmp_path / "my_modle.py")
    with pytest.raises(InvalidInput, match="a golden model is a Python file"):
        model(tmp_path, "golden = 1", "model.txt")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "loop", ["while True: pass", "while True:\n        try: x = 1\n        except Exception: pass"]
)
def test_a_model_that_does_not_end_is_ended(tmp_path, loop):
    path = tmp_path / "model.py"
    path.write_text(f"def golden(p, x):\n    {loop}\ndef macs(p, x): return 1\n")
    found = load_model(path, seconds=0.2)
    with pytest.raises(InvalidInput, match=r"model.py:[2-5]: golden did not end within 0.2 s; .* raise the limit"):
        found.call("golden", {}, {})
    assert found.call("macs", {}, {}) == 1  # and nothing is left to strike later
    time.sleep(0.3)
    path.write_text(loop.replace("        ", "    "))
    with pytest.raises(InvalidInput, match=r"the file was not read within 0\.2 s"):
        load_model(path, seconds=0.2)


def test_what_a_model_raises_has_its_line(tmp_path):
    found = model(tmp_path, "def golden(p, x):\n    return helper(x)\ndef helper(x):\n    return x['b']\nmacs = 3\n")
    with pytest.raises(InvalidInput, match=r"model.py:4: golden raised KeyError: 'b'"):
        found.call("golden", {}, {"a": 1})
    with pytest.raises(InvalidInput, match="macs must be a function, got 3"):
        found.call("macs", {}, {})


@pytest.mark.parametrize(
    ("text", "latency"),
    [("LATENCY = 3", 3), ("def latency(p): return 2 + p['N']", 7), ("", None)],
)
def test_a_model_may_say_the_latency(tmp_path, text, latency):
    assert model(tmp_path, f"def golden(p, x): pass\n{text}\n").latency({"N": 5}) == latency


@pytest.mark.parametrize("value", ["-1", "1.5", "True", "'2'"])
def test_latencies_that_are_none(tmp_path, value):
    with pytest.raises(InvalidInput, match="latency must be a whole number of at least 0"):
        model(tmp_path, f"def golden(p, x): pass\nLATENCY = {value}\n").latency({})


def test_an_edited_helper_makes_it_another_model(tmp_path):
    (tmp_path / "helper.py").write_text("from deeper import N\n")
    (tmp_path / "deeper.py").write_text("N = 1\n")
    text = "from helper import N\ndef golden(p, x): return N\n"
    first = model(tmp_path, text)
    assert first.call("golden", {}, {}) == 1
    assert model(tmp_path, text).digest == first.digest
    (tmp_path / "unused.py").write_text("")
    assert model(tmp_path, text).digest == first.digest
    (tmp_path / "deeper.py").write_text("N = 2\n")
    assert model(tmp_path, text).digest != first.digest


def test_stimuli_are_found_by_name(tmp_path):
    text = "def golden(p, x): pass\ndef stimulus(p, r, n): pass\ndef stimulus_tone(p, r, n): pass\n"
    assert model(tmp_path, text).stimuli == ("tone",)


Y, LANES, WIDE = Port("y", "out", 4, signed=True), Port("v", "out", 4, lanes=3), Port("w", "out", 64)


@pytest.mark.parametrize(
    ("found", "ports", "message"),
    [
        (None, [Y], "by name, got NoneType"),
        ({"z": [1]}, [Y], "must give values of the ports y by name, got z"),
        ({}, [Y], "got nothing"),
        ({"y": [0.5, 1.0]}, [Y], "y has values of type float64; give whole numbers"),
        ({"y": [8, 0]}, [Y], "8 is no value of y: 4 bits signed, -8 to 7; wrap or saturate"),
        ({"y": [-9, 0]}, [Y], "-9 is no value of y"),
        ({"v": [[-1, 0, 0]] * 2}, [LANES], "-1 is no value of v: 4 bits unsigned, 0 to 15"),
        ({"v": [1, 2]}, [LANES], r"v has the shape \[2\]; \[rows, 3\] is expected"),
        ({"y": [[1, 2], [1, 2]]}, [Y], r"y has the shape \[2, 2\]; \[rows\] is expected"),
        ({"y": [1]}, [Y], "must give 2 rows, one an input row, got y: 1"),
        ({"y": [1, 1], "v": [[1, 1, 1]]}, [Y, LANES], "got y: 2, v: 1"),
        ({"y": [[1, 2], [1]]}, [Y], "y is no array|y has values of type object"),
        ({"w": [2**64, 0]}, [WIDE], "18446744073709551616 is no value of w: 64 bits unsigned"),
    ],
)
def test_values_that_ports_cannot_have(found, ports, message):
    with pytest.raises(InvalidInput, match=message):
        checked_streams("golden", found, ports, 2)


def test_values_that_ports_can_have():
    assert checked_streams("golden", {"y": [True, False]}, [Y])["y"].dtype == np.int64
    assert checked_streams("golden", {"y": [[7], [-8]]}, [Y])["y"].tolist() == [7, -8]
    wide = checked_streams("golden", {"w": np.array([2**64 - 1, 5], np.uint64)}, [WIDE])["w"]
    assert wide.tolist() == [-1, 5]  # the bit pattern, as simulations hold it
    wrapped = np.array([0, 5], np.int64) - 1  # of a model that counts in int64: the same pattern
    assert checked_streams("golden", {"w": wrapped}, [WIDE])["w"].tolist() == [-1, 4]
    assert checked_streams("golden", {"w": [2**63, 0]}, [WIDE])["w"].tolist() == [-(2**63), 0]
