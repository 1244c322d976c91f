"""Description files: what is wrong is said with file, line and key."""

import pytest
import yaml

from archgym.errors import InvalidInput
from archgym.rtl.own.description import Description, load_description
from archgym.rtl.own.write import description_text

GOOD = {"name": "a", "top": "a", "sources": ["a.sv"], "golden": "a.py", "parameters": {"W": [4, 8], "N": 2}}


def load(folder, said):
    path = folder / "a.rtl.yaml"
    path.write_text(said if isinstance(said, str) else yaml.safe_dump(said, sort_keys=False))
    return load_description(path)


def test_what_is_written_reads_back(tmp_path):
    said = Description.model_validate({**GOOD, "clocks_ns": [0.0, 1.5], "ports": {"x": {"lanes": "N"}}, "latency": 3})
    assert load(tmp_path, description_text(said)) == said


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {**GOOD, "sorces": []},
            r"a.rtl.yaml:11: sorces: unknown key; did you mean 'sources'\?; allowed: allow, beats",
        ),
        ({**GOOD, "limits": {"second": 3}}, r"limits.second: unknown key; did you mean 'seconds'"),
        ({**GOOD, "ports": {"x": {"lane": 3}}}, r"ports.x.lane: unknown key; did you mean 'lanes'"),
        ({k: v for k, v in GOOD.items() if k != "golden"}, "golden: this key is missing; The golden model"),
        ({**GOOD, "handshake": {"in_valid": "v"}}, "handshake.in_ready: this key is missing; Output: that beat"),
        ({**GOOD, "sources": []}, "sources: the list is empty"),
        ({**GOOD, "sources": "a.sv"}, r"sources: got 'a.sv' \(text\); allowed: a valid list"),
        ({**GOOD, "parameters": {"W": [4, 4]}}, r"parameters: W has a value twice: \[4, 4\]"),
        ({**GOOD, "parameters": {"W": "wide"}}, "parameters.W: got 'wide'"),
        (
            {**GOOD, "parameters": {"W": []}},
            r"parameters.W: got \[\] \(a list\); allowed: a whole number, or a list of at",
        ),
        ({**GOOD, "parameters": {"W": [4, True]}}, r"parameters.W: got \[4, True\] .* allowed: a whole number"),
        ({**GOOD, "ports": {"x": {"lanes": []}}}, r"ports.x.lanes: got \[\]"),
        ({**GOOD, "clocks_ns": [2.0, 1.0]}, r"clocks_ns: periods must ascend, got \[2.0, 1.0\]"),
        ({**GOOD, "clocks_ns": [-1.0]}, "clocks_ns"),
        ({**GOOD, "reset_active": "hi"}, "reset_active: got 'hi'"),
        ({**GOOD, "effort": "max"}, "effort: got 'max'"),
        ({**GOOD, "latency": -1}, "latency: got -1"),
        ("- a\n", "expected a mapping of keys, got a list; needed at least: name, top, sources, golden"),
        ("name: a\nname: b\n", "a.rtl.yaml:2: key 'name' is given twice, first in line 1"),
        ("name: [a\n", "not valid YAML"),
    ],
)
def test_mistakes(tmp_path, said, message):
    with pytest.raises(InvalidInput, match=message):
        load(tmp_path, said)


def test_a_file_that_is_not_there(tmp_path):
    load(tmp_path, GOOD)
    with pytest.raises(InvalidInput, match=r"no such description of RTL; did you mean '.*a.rtl.yaml'"):
        load_description(tmp_path / "b.rtl.yaml")
