"""Workers: crashes, errors, hangs and the end of the parent, for real."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archgym.errors import MissingDependency
from archgym.rtl.flow import scratch
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.messages import logic_loop, out_of_memory, tool_message
from archgym.rtl.flow.worker import Steps, Worker

LIMITS = Limits(seconds=60)
HANG = "exec -q -- sleep 600"


@pytest.fixture
def process():
    made = Worker()
    yield made
    made.close()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Killed but not collected by init yet counts as ended.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def ends(pid, seconds=10.0):
    limit = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < limit:
        time.sleep(0.05)
    return not alive(pid)


def sleepers(folder):
    """Processes whose working directory is below a folder."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if str(folder) in where(entry)]


def where(entry):
    try:
        return str((entry / "cwd").readlink())
    except OSError:  # it ended meanwhile
        return ""


def test_commands_run_in_the_folder_and_are_logged(process, tmp_path):
    found = process.run(["design -reset", "write_rtlil out.il"], tmp_path, LIMITS)
    assert (found.status, found.reason) == ("ok", "")
    assert found.cpu_s > 0
    assert (tmp_path / "out.il").exists()
    assert ">> write_rtlil out.il" in (tmp_path / "log.txt").read_text()


def test_an_error_of_the_tool_is_its_sentence_and_the_next_job_runs(process, tmp_path):
    found = process.run(["read_verilog gone.v"], tmp_path, LIMITS)
    assert found.status == "failed"
    assert "`gone.v'" in found.reason
    assert process.run(["design -reset"], tmp_path, LIMITS).status == "ok"


def test_a_crash_is_named_and_the_next_job_runs(process, tmp_path):
    # The tool's process gets the signal that a fault in it would raise.
    found = process.run(["exec -q -- kill -SEGV $PPID"], tmp_path, LIMITS)
    assert (found.status, found.reason) == ("failed", "Yosys ended with SIGSEGV in 'exec'")
    assert process.run(["design -reset"], tmp_path, LIMITS).status == "ok"


def test_a_hang_is_stopped_with_everything_it_started(process, tmp_path):
    began = time.monotonic()
    found = process.run([HANG], tmp_path, Limits(seconds=0.5))
    assert found.status == "timeout"
    assert found.reason == "no result within 0.5 s; raise the limit of seconds if it is worth more"
    assert time.monotonic() - began < 30
    assert all(ends(pid) for pid in sleepers(tmp_path))
    assert process.run(["design -reset"], tmp_path, LIMITS).status == "ok"


def test_a_worker_that_was_killed_is_replaced(process, tmp_path):
    process.run(["design -reset"], tmp_path, LIMITS)
    process._process.kill()
    process._process.wait()
    assert process.run(["design -reset"], tmp_path, LIMITS).status == "ok"


def test_jobs_do_not_see_each_other(process, tmp_path):
    (tmp_path / "a.v").write_text("module a(input x, output y); assign y = x; endmodule\n")
    assert process.run(["read_verilog a.v"], tmp_path, LIMITS).status == "ok"
    found = process.run(["hierarchy -check -top a"], tmp_path, LIMITS)
    assert (found.status, found.reason) == ("failed", "Module `a' not found!")


def test_branches_go_on_from_the_same_place_and_the_first_to_fail_ends_the_job(process, tmp_path):
    (tmp_path / "a.v").write_text("module a(input x, output y); assign y = x; endmodule\n")
    good = Steps(("rename a b", "write_rtlil b.il"))
    steps = Steps(("read_verilog a.v",), (good, Steps(("rename a c", "write_rtlil c.il"))))
    assert process.run(steps, tmp_path, LIMITS).status == "ok"
    assert "module \\b" in (tmp_path / "b.il").read_text()
    assert "module \\c" in (tmp_path / "c.il").read_text()
    bad = Steps(("read_verilog a.v",), (Steps(("hierarchy -top gone",)), Steps(("write_rtlil late.il",))))
    assert process.run(bad, tmp_path, LIMITS).reason == "Module `gone' not found!"
    assert not (tmp_path / "late.il").exists()
    (tmp_path / "log.txt").unlink()
    killed = Steps((), (Steps(("exec -q -- kill -SEGV $PPID",)),))
    assert process.run(killed, tmp_path, LIMITS).reason.startswith("Yosys ended with SIGSEGV")


PARENT = """
import sys, pathlib
from archgym.rtl.flow import scratch
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.worker import worker
with scratch.folder() as folder, worker() as process:
    print(folder, flush=True)
    process.run(["exec -q -- sleep 600"], folder, Limits())
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes through /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_parent_leaves_no_process_and_no_scratch(tmp_path, monkeypatch, how):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    folder = Path(parent.stdout.readline().strip())
    limit = time.monotonic() + 60
    while len(sleepers(folder)) < 2 and time.monotonic() < limit:  # Yosys and the program it runs
        time.sleep(0.05)
    running = sleepers(folder)
    assert len(running) >= 2
    parent.send_signal(how)
    parent.wait(30)
    parent.stdout.close()
    assert all(ends(pid) for pid in running)
    if how == signal.SIGINT:
        assert not folder.parent.exists()
    monkeypatch.setattr(scratch.tempfile, "tempdir", None)
    scratch.clean()
    assert not folder.parent.exists()
    monkeypatch.undo()
    scratch.tempfile.tempdir = None


def test_folders_of_running_processes_stay():
    with scratch.folder() as mine:
        other = subprocess.run(
            [sys.executable, "-c", "from archgym.rtl.flow import scratch; scratch.process_folder()"], check=True
        )
        assert other.returncode == 0
        assert mine.is_dir()
    assert not mine.exists()


def test_without_yosys_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("archgym.rtl.flow.worker.find_spec", lambda _name: None)
    with pytest.raises(
        MissingDependency, match=r"synthesis needs pyosys; install it with: pip install 'archgym\[rtl\]'"
    ):
        Worker().run(["design -reset"], tmp_path, LIMITS)


def test_messages():
    assert tool_message("a\nERROR: first\nERROR: second\n") == "first (and 1 more)"
    log = "/x/y/mac.sv:4: ERROR: bad thing \nERROR: Design elaboration failed; see full log for details\n"
    assert tool_message(log) == "mac.sv:4: bad thing"
    assert tool_message("all well") == ""
    assert out_of_memory("terminate called after throwing an instance of 'std::bad_alloc'")
    assert logic_loop("Executing CHECK pass\nfine\n") == ""
