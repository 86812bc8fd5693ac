"""Scripts that misbehave: each gets its verdict, none leaves anything behind."""

from __future__ import annotations

import time

import pytest
from engine_processes import processes_with

from mlvalidate.core.results import Status
from tests.projects import ProjectFolder, Ran

WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"


def run_script(project: ProjectFolder, script: str, **step: object) -> Ran:
    project.declare_step(script, **step)
    return project.run_step()


def test_kills_itself(project: ProjectFolder) -> None:
    ran = run_script(project, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert ran.codes == ["X202"]
    assert ran.step.signal == "SIGKILL"
    assert ran.finding("X202").message == "the script was killed by SIGKILL"


def test_segfaults(project: ProjectFolder) -> None:
    ran = run_script(project, "import ctypes; ctypes.string_at(0)")
    assert ran.step.signal == "SIGSEGV"
    assert ran.codes == ["X202"]


def test_helpers_that_end_by_themselves_are_no_finding(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(.02)'])\n" + WRITE,
    )
    assert ran.codes == []


def test_ignores_sigterm(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready')\ntime.sleep(60)",
        timeout="1s",
    )
    assert ran.codes == ["X203"]
    assert ran.step.signal == "SIGKILL"
    assert ran.finding("X203").message == "the script was still running after 1.00s"
    assert ran.finding("X203").evidence == ("ready",)


def test_sleeps_for_ever_and_tidies_up_on_sigterm(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('tidy'), sys.exit(0)))\n"
        "time.sleep(60)",
        timeout=1,
    )
    assert ran.codes == ["X203"]
    assert ran.stdout() == "tidy\n"
    assert ran.result.status is Status.FAILED


def test_prints_200_megabytes(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import sys\nprint('first line')\nblock = ('x' * 99 + '\\n') * 10_000\n"
        "for _ in range(200): sys.stdout.write(block)\nprint('last line')\n" + WRITE,
    )
    assert ran.codes == ["X209"]
    log = ran.stdout()
    assert 9_900_000 < len(log) < 10_100_000
    assert log.startswith("first line\n")
    assert log.endswith("last line\n")
    assert "[mlvalidate: 190MB left out here]" in log
    assert ran.finding("X209").message == "190MB of stdout were left out of the log"


def test_allocates_without_end(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "blocks = []\nwhile True: blocks.append(bytearray(b'x' * 10_000_000))",
        memory="200MB",
    )
    assert ran.codes == ["X204"]
    assert 180 < ran.step.usage.peak_rss_mb < 400
    assert ran.step.signal == "SIGKILL"


def test_children_that_allocate_together(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import multiprocessing, time\n"
        "def work(n):\n    block = bytearray(b'x' * 100_000_000); time.sleep(30)\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('fork').Pool(4) as pool: pool.map(work, range(4))",
        memory="250MB",
    )
    assert ran.codes == ["X204"]


def test_forked_workers_that_share_memory_are_within_the_limit(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import os, time\nblock = bytearray(b'x') * 120_000_000\n"
        "pids = []\n"
        "for _ in range(4):\n"
        "    pid = os.fork()\n"
        "    if pid == 0: time.sleep(.4); os._exit(0)\n"
        "    pids.append(pid)\n"
        "for pid in pids: os.waitpid(pid, 0)\n" + WRITE,
        memory="250MB",
    )
    assert ran.codes == []


def test_exits_early_with_success(project: ProjectFolder) -> None:
    ran = run_script(project, "import sys\nprint('nothing to do')\nsys.exit(0)\n" + WRITE)
    assert ran.codes == ["F306"]
    assert ran.finding("F306").evidence == ("nothing to do",)


def test_exits_without_flushing(project: ProjectFolder) -> None:
    ran = run_script(project, "import os\nprint('seen all the same')\nos._exit(0)")
    assert ran.codes == ["F306"]
    assert ran.stdout() == "seen all the same\n"


def test_deletes_its_inputs(project: ProjectFolder) -> None:
    project.write("data/in.csv", "a\n1\n")
    ran = run_script(
        project,
        "import os\nos.remove('/opt/ml/processing/input/raw/in.csv')\n" + WRITE,
        inputs={"raw": {"sample": "data"}},
    )
    assert (project.root / "data" / "in.csv").read_text() == "a\n1\n"
    assert ran.codes == ["F304"]
    assert ran.finding("F304").evidence == ("deleted: /opt/ml/processing/input/raw/in.csv",)


def test_replaces_its_input_folder(project: ProjectFolder) -> None:
    project.write("data/sub/in.csv", "a\n1\n")
    ran = run_script(
        project,
        "import os, shutil\nfolder = '/opt/ml/processing/input/raw/sub'\n"
        "shutil.rmtree(folder)\nos.mkdir(folder)\n" + WRITE,
        inputs={"raw": {"sample": "data"}},
    )
    assert ran.finding("F304").evidence == ("deleted: /opt/ml/processing/input/raw/sub/",)


def test_adding_to_an_input_is_no_finding(project: ProjectFolder) -> None:
    project.write("data/in.csv", "a\n1\n")
    ran = run_script(
        project,
        "open('/opt/ml/processing/input/raw/unpacked.txt', 'w').write('x')\n" + WRITE,
        inputs={"raw": {"sample": "data"}},
    )
    assert ran.codes == []


def test_changes_folder_and_environment(project: ProjectFolder) -> None:
    ran = run_script(
        project, "import os\nos.chdir('/')\nos.environ.clear()\nos.umask(0o777)\n" + WRITE
    )
    assert ran.result.status is Status.PASSED
    ran.folder.step("step").ml.joinpath("processing/output/done.txt").chmod(0o600)


def test_closes_its_streams(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import os, sys, time\nsys.stdout.close(); sys.stderr.close(); os.close(1); os.close(2)\n"
        "time.sleep(.2)\n" + WRITE,
    )
    assert ran.codes == []


def test_writes_binary_to_stderr(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import os, sys\nos.write(2, bytes(range(256)) * 4)\n"
        "os.write(2, b'\\x1b[31mred\\x1b[0m\\r\\0')\nsys.exit(3)",
    )
    assert ran.codes == ["X201"]
    assert ran.step.exit_code == 3


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("os.symlink('/etc/passwd', out + 'users.txt')", "is a link to /etc/passwd"),
        ("os.symlink('../../..', out + 'up')", "is a link to ../../.."),
        ("os.mkfifo(out + 'pipe')", "is no regular file"),
    ],
)
def test_outputs_that_can_not_be_passed_on(project: ProjectFolder, code: str, problem: str) -> None:
    ran = run_script(project, f"import os\nout = '/opt/ml/processing/output/'\n{code}\n{WRITE}")
    assert problem in ran.finding("F308").message
    assert ran.result.status is Status.FAILED


def test_a_pipe_instead_of_the_failure_message(project: ProjectFolder) -> None:
    ran = run_script(project, f"import os\nos.mkfifo('/opt/ml/output/message')\n{WRITE}")
    assert ran.step.message == ""
    assert ran.result.status is Status.PASSED


def test_fork_bomb_ends_with_the_step(project: ProjectFolder) -> None:
    marker = f"bomb-{time.time_ns()}"
    ran = run_script(
        project,
        f"""
        import subprocess, sys, time
        code = "import time; time.sleep(60)"
        for _ in range(40):
            subprocess.Popen([sys.executable, "-S", "-c", code, "{marker}"])
        time.sleep(60)
        """,
        timeout="2s",
    )
    assert ran.codes == ["X203"]
    assert processes_with(marker) == []


def test_destroys_its_harness(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import shutil, socket\nshutil.rmtree('/opt/mlvalidate', ignore_errors=True)\n"
        "try: socket.create_connection(('192.0.2.1', 9), 1)\n"
        "except OSError: pass\n" + WRITE,
    )
    assert ran.result.status is Status.PASSED
