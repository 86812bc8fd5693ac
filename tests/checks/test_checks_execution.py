"""How a script ended: X2xx, on real runs."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from checks_evidence import make_evidence, make_outcome

from mlvalidate.checks.execution import (
    CHECKS,
    LogShortened,
    NetworkUsed,
    NotStarted,
    ScriptFailed,
    ScriptKilled,
    signal_name,
)
from mlvalidate.checks.registry import judge_step
from mlvalidate.core.contracts import Access, Network
from mlvalidate.core.execution import Note, Stop
from mlvalidate.core.findings import Severity
from mlvalidate.core.results import Status
from tests.projects import ProjectFolder, Ran

WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"


def run_script(project: ProjectFolder, script: str, **step: object) -> Ran:
    project.declare_step(script, **step)
    return project.run_step()


def test_a_good_script_has_no_findings(project: ProjectFolder) -> None:
    ran = run_script(project, WRITE)
    assert ran.result.all_findings == ()
    assert ran.result.status is Status.PASSED


class TestScriptFailed:
    """X201."""

    def test_an_exception(self, project: ProjectFolder) -> None:
        ran = run_script(project, "import os\n\nos.environ['MODEL']\n")
        finding = ran.finding("X201")
        assert finding.message == "KeyError: 'MODEL'"
        assert finding.location == f"{project.root}/step.py:3"
        assert finding.hint == "the variable MODEL is not set: add it to `env` of step step"
        assert (finding.step, finding.severity) == ("step", Severity.ERROR)
        assert (finding.port, finding.file, finding.column) == (None, None, None)
        assert finding.observed_in is None
        assert finding.evidence == ()
        assert finding.reproduce.startswith("mlvalidate test-script step")
        assert ran.codes == ["X201"]

    def test_an_exception_without_a_message(self, project: ProjectFolder) -> None:
        assert run_script(project, "assert False").finding("X201").message == "AssertionError"

    def test_an_exit_code(self, project: ProjectFolder) -> None:
        ran = run_script(
            project, "import sys\nfor n in 'abcde': print(n, file=sys.stderr)\nsys.exit(7)"
        )
        finding = ran.finding("X201")
        assert finding.message == "the script ended with exit code 7"
        assert finding.evidence == ("c", "d", "e")
        assert (finding.location, finding.hint) == (None, "")

    def test_an_exit_code_with_the_last_words_on_stdout(self, project: ProjectFolder) -> None:
        ran = run_script(project, "print('no rows left')\nraise SystemExit(1)")
        assert ran.finding("X201").evidence == ("no rows left",)

    def test_the_message_for_sagemaker(self, project: ProjectFolder) -> None:
        ran = run_script(
            project, "open('/opt/ml/output/message', 'w').write('no rows')\nraise SystemExit(1)"
        )
        assert ran.finding("X201").evidence == ("no rows",)

    def test_a_logged_exception_with_what_came_after(self, project: ProjectFolder) -> None:
        ran = run_script(
            project,
            "import logging, sys\ntry:\n    {}['a']\nexcept KeyError:\n"
            "    logging.exception('failed')\nlogging.error('giving up')\nsys.exit(1)",
        )
        finding = ran.finding("X201")
        assert finding.message == "KeyError: 'a'"
        assert finding.location == f"{project.root}/step.py:3"
        assert finding.evidence == ("ERROR:root:giving up",)

    def test_a_syntax_error(self, project: ProjectFolder) -> None:
        ran = run_script(project, "x = 1\ndef f(:\n")
        finding = ran.finding("X201")
        assert finding.message.startswith("SyntaxError: ")
        assert finding.location == f"{project.root}/step.py:2"

    def test_a_callable_step(self, project: ProjectFolder) -> None:
        ran = run_script(
            project,
            "def main(input_paths, output_paths, environ_vars, job_args):\n"
            "    raise ValueError('x')",
            kind="callable",
        )
        finding = ran.finding("X201")
        assert finding.message == "ValueError: x"
        assert finding.location == f"{project.root}/step.py:2"

    def test_a_relative_import_in_a_callable_step(self, project: ProjectFolder) -> None:
        finding = run_script(project, "from .other import x\n", kind="callable").finding("X201")
        assert finding.message.startswith("ImportError: attempted relative import")
        assert finding.hint.startswith("run it as a module")
        assert finding.location == f"{project.root}/step.py:1"

    def test_a_read_only_place(self, project: ProjectFolder) -> None:
        finding = run_script(project, "open('/etc/x', 'w')").finding("X201")
        assert finding.hint == "write below /opt/ml/processing/output, or to /tmp"

    def test_an_input_file_of_another_name(self, project: ProjectFolder) -> None:
        project.write("data/real.csv", "a\n1\n")
        ran = run_script(
            project,
            "open('/opt/ml/processing/input/raw/reel.csv')",
            inputs={"raw": {"sample": "data/real.csv"}},
        )
        finding = ran.finding("X201")
        assert finding.port == "raw"
        assert finding.hint.endswith("has no 'reel.csv': did you mean 'real.csv'?")

    def test_a_refused_connection(self, project: ProjectFolder) -> None:
        ran = run_script(
            project, "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=2)"
        )
        hint = "the network is refused: set `network: allow` in step step"
        assert ran.finding("X201").hint == hint
        assert ran.codes == ["X201", "X207"]

    def test_a_long_message_is_shortened(self) -> None:
        evidence = make_evidence(
            'Traceback (most recent call last):\n  File "x.py", line 1, in f\nValueError: '
            + "x" * 5000
        )
        (finding,) = ScriptFailed().run(evidence)
        assert len(finding.message) == 1000


class TestScriptKilled:
    """X202."""

    @pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL", "SIGTERM"])
    def test_a_signal(self, project: ProjectFolder, name: str) -> None:
        ran = run_script(
            project,
            f"import os, signal\nprint('last', flush=True)\nos.kill(os.getpid(), signal.{name})",
        )
        finding = ran.finding("X202")
        assert finding.message == f"the script was killed by {name}"
        assert finding.evidence == ("last",)
        assert ("PYTHONFAULTHANDLER" in finding.hint) is (name in ("SIGSEGV", "SIGABRT"))
        assert ("out of memory" in finding.hint) is (name == "SIGKILL")
        assert ran.codes == ["X202"]

    def test_a_keyboard_interrupt_of_its_own(self, project: ProjectFolder) -> None:
        ran = run_script(project, "raise KeyboardInterrupt")
        assert ran.finding("X202").message == "the script was killed by SIGINT"
        assert ran.codes == ["X202"]

    def test_not_when_mlvalidate_did_it(self) -> None:
        for exit_code, number in ((None, 9), (1, None)):
            outcome = make_outcome(exit_code=exit_code, signal=number, stop=Stop.TIMEOUT)
            assert list(ScriptKilled().run(make_evidence(outcome=outcome))) == []
            assert list(ScriptFailed().run(make_evidence(outcome=outcome))) == []

    def test_names_of_signals(self) -> None:
        assert (signal_name(11), signal_name(200)) == ("SIGSEGV", "signal 200")


def test_x203_timeout(project: ProjectFolder) -> None:
    ran = run_script(
        project, "import time\nprint('waiting', flush=True)\ntime.sleep(60)", timeout="300ms"
    )
    finding = ran.finding("X203")
    assert finding.message == "the script was still running after 300ms"
    assert finding.hint == "raise `timeout` of step step if this is expected"
    assert finding.evidence == ("waiting",)
    assert (finding.step, finding.severity) == ("step", Severity.ERROR)
    assert ran.codes == ["X203"]


def test_x204_memory() -> None:
    outcome = make_outcome(exit_code=None, signal=9, stop=Stop.MEMORY, peak_rss=3 * 10**9)
    (finding,) = judge_step(make_evidence(outcome=outcome))
    assert (finding.code, finding.severity) == ("X204", Severity.ERROR)
    assert finding.message == "the script used 3.0GB of memory; the limit is 1.0GB"
    assert finding.hint == "raise `memory` of step clean if the instance has it"


def test_x213_disk() -> None:
    stopped = {"exit_code": None, "signal": 9, "stop": Stop.DISK}
    (much,) = judge_step(make_evidence(outcome=make_outcome(**stopped, disk_bytes=12 * 10**9)))
    assert much.message == "the script wrote 12.0GB to disk; the limit is 10.0GB"
    assert much.hint == "raise `disk` of step clean if it needs as much"
    (full,) = judge_step(make_evidence(outcome=make_outcome(**stopped, disk_bytes=10**6)))
    assert full.message == "the script was ended after 1.0MB: the disk is nearly full"
    assert full.hint == "make room on this machine"
    assert (much.code, full.code) == ("X213", "X213")
    killed = make_outcome(exit_code=None, signal=int(signal.SIGXFSZ))
    (file,) = judge_step(make_evidence(outcome=killed))
    assert file.message == "the script wrote a file larger than 10.0GB, the limit"


def test_x214_processes() -> None:
    outcome = make_outcome(exit_code=None, signal=9, stop=Stop.PROCESSES, peak_tasks=4001)
    (finding,) = judge_step(make_evidence(outcome=outcome))
    assert (finding.code, finding.severity) == ("X214", Severity.ERROR)
    assert finding.message == (
        "the script had 4001 processes and threads at once; the limit is 4000"
    )


def test_x205_not_started(project: ProjectFolder) -> None:
    project.declare(
        steps={"step": {"kind": "command", "command": ["no-such-program"], "outputs": {"out": {}}}}
    )
    ran = project.run_step()
    finding = ran.finding("X205")
    assert finding.message.startswith("the script did not start: ")
    assert "no-such-program" in finding.message
    assert finding.hint == "check the step's `python` or `command`"
    assert ran.codes == ["X205"]
    assert list(NotStarted().run(make_evidence())) == []


def test_x206_processes_left(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n" + WRITE,
    )
    finding = ran.finding("X206")
    assert finding.severity is Severity.WARNING
    assert finding.message == "the script left 1 process(es) running, which were killed"
    assert len(finding.evidence) == 1
    assert "time.sleep(60)" in finding.evidence[0]
    assert ran.result.status is Status.PASSED


def test_x206_is_not_about_what_a_limit_killed() -> None:
    outcome = make_outcome(stop=Stop.TIMEOUT, exit_code=None, leftovers=("python x",))
    assert [f.code for f in judge_step(make_evidence(outcome=outcome))] == ["X203"]


class TestNetworkRefused:
    """X207."""

    NOTES = tuple(
        Note("network", f"host{n}.com:443", f"/project/work.py:{n}") for n in (1, 2, 3, 4, 1)
    )

    def judge(self, *notes: Note, network: Access = Access.DENY) -> list[str]:
        outcome = make_outcome(exit_code=0)
        evidence = make_evidence(outcome=outcome, notes=notes, network=network)
        return [f.message for f in judge_step(evidence) if f.code == "X207"]

    def test_attempts(self) -> None:
        evidence = make_evidence(outcome=make_outcome(exit_code=0), notes=self.NOTES)
        (finding,) = judge_step(evidence)
        assert finding.message == (
            "the script tried to reach host1.com:443, host2.com:443, host3.com:443 and 1 more, "
            "which was refused"
        )
        assert (finding.code, finding.severity) == ("X207", Severity.WARNING)
        assert finding.location == "/project/work.py:1"
        assert len(finding.evidence) == 4
        assert finding.hint == "set `network: allow` in the step if it needs the network"

    def test_not_where_it_is_allowed(self) -> None:
        assert self.judge(*self.NOTES, network=Access.ALLOW) == []

    def test_other_notes_do_not_count(self) -> None:
        assert self.judge(Note("pip", "pip install x", "")) == []


def test_x215_network_used() -> None:
    notes = (
        Note("network", "hub.example:443", "/p/work.py:3"),
        Note("network", "192.0.2.1:443", "/p/work.py:3"),
    )
    (finding,) = NetworkUsed().run(make_evidence(notes=notes, network=Network.RECORD))
    assert (finding.code, finding.severity) == ("X215", Severity.INFO)
    assert finding.message == "the script reached for hub.example:443, 192.0.2.1:443"
    assert finding.location == "/p/work.py:3"
    assert list(NetworkUsed().run(make_evidence(notes=notes, network=Network.ALLOW))) == []


def test_x208_installation(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        "import subprocess, sys\n"
        "for _ in 'ab':\n"
        "    subprocess.run([sys.executable, '-m', 'pip', 'install', 'thing==1'], check=True)\n"
        + WRITE,
    )
    finding = ran.finding("X208")
    assert finding.severity is Severity.WARNING
    assert finding.hint.startswith("install what is needed into /")
    assert len(finding.evidence) == 1
    assert "install thing==1" in finding.evidence[0]
    assert ran.result.status is Status.PASSED


def test_x209_log_shortened(project: ProjectFolder) -> None:
    project.write("step.py", "for n in range(3000): print('x' * 9)\n" + WRITE)
    project.declare(
        defaults={"log_limit": 10000},
        steps={
            "step": {"script": "step.py", "outputs": {"out": {"path": "/opt/ml/processing/output"}}}
        },
    )
    ran = project.run_step()
    finding = ran.finding("X209")
    assert finding.severity is Severity.INFO
    assert finding.file == "stdout.log"
    assert finding.message == "20.0kB of stdout were left out of the log"
    assert ran.result.status is Status.PASSED
    assert list(LogShortened().run(make_evidence())) == []


def test_x212_secret_printed(project: ProjectFolder) -> None:
    project.write("step.py", "import os, sys\nprint('a', os.environ['TOKEN'])\n" + WRITE)
    step = {"script": "step.py", "outputs": {"out": {"path": "/opt/ml/processing/output"}}}
    project.declare(steps={"step": {**step, "env": {"TOKEN": "of-the-shop"}}})
    ran = project.run_step()
    finding = ran.finding("X212")
    assert (finding.severity, finding.file) == (Severity.WARNING, "stdout.log")
    assert ran.codes == ["X212"]
    assert "a ***" in ran.stdout()
    project.write("step.py", "import os\nprint('a', len(os.environ['TOKEN']))\n" + WRITE)
    assert project.run_step().codes == []


class TestFailureDespiteSuccess:
    """X210."""

    SCRIPT = (
        "open('/opt/ml/output/failure', 'w').write('diverged')\n"
        "open('/opt/ml/model/m', 'w').write('x')\n"
    )

    def declare(self, project: ProjectFolder, script: str) -> Ran:
        return run_script(project, script, kind="training", outputs={"model": {}})

    def test_a_failure_message(self, project: ProjectFolder) -> None:
        ran = self.declare(project, self.SCRIPT)
        finding = ran.finding("X210")
        assert (finding.severity, finding.evidence) == (Severity.WARNING, ("diverged",))
        assert finding.hint.startswith("end with a non-zero exit code")
        assert ran.step.message == "diverged"

    def test_not_when_the_job_fails(self, project: ProjectFolder) -> None:
        ran = self.declare(project, self.SCRIPT + "raise SystemExit(1)")
        assert ran.codes == ["X201"]
        assert ran.finding("X201").evidence == ("diverged",)

    def test_not_for_the_exit_message_of_a_processing_job(self, project: ProjectFolder) -> None:
        ran = run_script(project, "open('/opt/ml/output/message', 'w').write('fine')\n" + WRITE)
        assert ran.codes == []
        assert ran.step.message == "fine"


def test_checks_of_outputs_are_silent_when_the_script_failed(project: ProjectFolder) -> None:
    assert run_script(project, "raise SystemExit(1)").codes == ["X201"]


def test_a_traceback_that_is_only_logged_is_a_warning(project: ProjectFolder) -> None:
    """X211."""
    project.declare_step(
        "import logging\ntry: {}['x']\nexcept KeyError: logging.exception('oh')\n"
        "open('/opt/ml/processing/output/x', 'w').write('x')\n"
    )
    ran = project.run_step()
    finding = ran.finding("X211")
    assert finding.message == "the script ended with exit code 0 after KeyError: 'x'"
    assert finding.location == f"{project.root}/step.py:2"
    assert ran.result.status is Status.PASSED


def test_every_code_of_the_family_is_tested() -> None:
    text = Path(__file__).read_text()
    assert [check.code for check in CHECKS if check.code not in text.upper()] == []
