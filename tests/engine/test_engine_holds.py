"""What a script can't do, whatever it tries: the promises of the sandbox, one by one."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from pathlib import Path
from textwrap import dedent

import pytest
from engine_processes import processes_with

from mlvalidate.core.results import Status
from tests.projects import ProjectFolder, Ran

WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"
OUT = {"out": {"path": "/opt/ml/processing/output"}}
MEGABYTE = "b'x' * 10**6"


def run_script(project: ProjectFolder, script: str, **step: object) -> Ran:
    project.declare_step(dedent(script), **step)
    return project.run_step()


class TestSandboxHolds:
    """A step can't ..."""

    def test_write_outside_its_folder(self, project: ProjectFolder) -> None:
        (project.root / "kept.txt").write_text("before")
        ran = run_script(
            project,
            f"""
            import os
            for folder in ("/etc", "/usr", "/sys", "/var", os.path.dirname(os.__file__)):
                try:
                    open(folder + "/probe", "w").write("x")
                    print("wrote to", folder)
                except OSError as error:
                    assert error.errno in (13, 30), error
            for path in ("/tmp/probe", "/probe", {str(project.root / "kept.txt")!r}):
                open(path, "w").write("after")
            """
            + WRITE,
        )
        # What lies among the interpreter's packages is copy-on-write, like the project.
        assert ran.result.status is Status.PASSED, ran.stderr()
        assert (project.root / "kept.txt").read_text() == "before"
        for path in ("/etc/probe", "/usr/probe", "/tmp/probe", "/probe"):
            assert not Path(path).exists()
        assert not (Path(os.__file__).parent / "probe").exists()
        assert ran.stdout() == ""

    def test_see_the_folders_of_other_steps(self, project: ProjectFolder) -> None:
        project.write("first.py", WRITE)
        project.write(
            "second.py",
            f"""
            import os
            print(os.listdir({str(project.root / ".mlvalidate")!r}))
            for path in ("/proc/1/root/opt/x", "/opt/ml/processing/input/raw/done.txt"):
                try:
                    open(path, "w").write("changed")
                except OSError as error:
                    print(type(error).__name__)
            """
            + WRITE,
        )
        project.declare(
            steps={
                "first": {"script": "first.py", "outputs": OUT},
                "second": {"script": "second.py", "outputs": OUT, "inputs": {"raw": {}}},
            },
            pipelines={"p": {"nodes": ["first", "second"], "edges": {"second.raw": "first.out"}}},
        )
        ran = project.run_pipeline()
        assert ran.stdout("second").splitlines() == ["[]", "PermissionError"]
        # Its input is a layer: it changed its own view.
        written = ran.folder.step("first").ml / "processing/output/done.txt"
        assert written.read_text() == "x"

    def test_reach_a_listening_socket(self, project: ProjectFolder) -> None:
        with socket.socket() as server, socket.socket(socket.AF_UNIX) as abstract:
            server.bind(("127.0.0.1", 0))
            server.listen()
            server.setblocking(False)
            # A socket without a place in the file system belongs to the network, too.
            name = f"\0mlvalidate-{time.time_ns()}"
            abstract.bind(name)
            abstract.listen()
            ran = run_script(
                project,
                f"""
                import socket
                for family, address in (
                    (socket.AF_INET, ("127.0.0.1", {server.getsockname()[1]})),
                    (socket.AF_UNIX, {name!r}),
                ):
                    try:
                        socket.socket(family).connect(address)
                    except ConnectionRefusedError:
                        print("refused")
                """
                + WRITE,
            )
            with pytest.raises(BlockingIOError):
                server.accept()
        assert ran.stdout().splitlines() == ["refused", "refused"]

    def test_see_credentials_or_the_environment_of_mlvalidate(
        self, project: ProjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path / "home"
        (home / ".aws").mkdir(parents=True)
        (home / ".aws" / "credentials").write_text("[default]")
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "abcdefghijklmnop")
        monkeypatch.setenv("SOMETHING_OF_MINE", "1")
        ran = run_script(
            project,
            f"""
            import os
            seen = str(dict(os.environ))
            for name in os.listdir("/proc"):
                if name.isdigit():
                    try:
                        seen += open("/proc/" + name + "/environ").read()
                    except OSError:
                        continue
            print([word for word in ("abcdefghijklmnop", "SOMETHING_OF_MINE") if word in seen])
            print(os.path.exists({str(home / ".aws")!r}))
            print(os.environ["MODE"], os.environ["RETRIES"], os.environ["PROCESSING_JOB_NAME"])
            """
            + WRITE,
            env={"MODE": "test", "RETRIES": 3},
        )
        assert ran.stdout().splitlines() == ["[]", "False", "test 3 step"]

    def test_leave_processes_behind(self, project: ProjectFolder) -> None:
        marker = f"outlive-{time.time_ns()}"
        ran = run_script(
            project,
            f"""
            import os, subprocess, sys
            code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
            subprocess.Popen([sys.executable, "-c", code, "{marker}"], start_new_session=True)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.execvp(sys.executable, [sys.executable, "-c", code, "{marker}"])
                os._exit(0)
            """
            + WRITE,
        )
        finding = ran.finding("X206")
        assert finding.message.startswith("the script left 2 process(es)")
        assert all(marker in text for text in finding.evidence)
        assert processes_with(marker) == []
        assert ran.result.status is Status.PASSED

    @pytest.mark.parametrize("folder", ["/opt/ml/processing/output", "/tmp", "."])
    def test_fill_the_disk_with_many_files(self, project: ProjectFolder, folder: str) -> None:
        ran = run_script(
            project,
            f"""
            import itertools
            for number in itertools.count():
                open("{folder}/" + str(number), "wb").write({MEGABYTE})
            """,
            disk="20MB",
            workdir="code",
        )
        assert ran.codes[-1] == "X213"
        assert ran.finding("X213").message.endswith("to disk; the limit is 20.0MB")
        assert list(Path(tempfile.gettempdir()).glob(f"mlvalidate-step-{os.getpid()}-*")) == []

    def test_fill_the_disk_with_one_file(self, project: ProjectFolder) -> None:
        ran = run_script(
            project,
            f"""
            with open("/opt/ml/processing/output/x.bin", "wb") as file:
                while True: file.write({MEGABYTE})
            """,
            disk="20MB",
        )
        finding = ran.finding("X213")
        assert finding.message == "the script wrote a file larger than 20.0MB, the limit"
        assert finding.location == f"{project.root}/step.py:3"
        assert ran.codes == ["X213"]
        left = ran.folder.step("step").ml / "processing/output/x.bin"
        assert left.stat().st_size <= 20 * 10**6

    @pytest.mark.parametrize("folder", ["/", "/dev/shm"])
    def test_fill_memory_with_files(self, project: ProjectFolder, folder: str) -> None:
        ran = run_script(
            project,
            f"""
            import time
            try:
                with open("{folder}/x.bin", "wb") as file:
                    while True: file.write({MEGABYTE})
            except OSError:
                time.sleep(60)
            """,
            memory="100MB",
        )
        assert [code for code in ran.codes if code != "F310"] == ["X204"]

    @pytest.mark.parametrize(
        "start",
        [
            "while True: os.fork()",
            "while True: subprocess.Popen(['/bin/sleep', '60'])",
            "while True: threading.Thread(target=time.sleep, args=(60,)).start()",
        ],
    )
    def test_exhaust_pids(self, project: ProjectFolder, start: str) -> None:
        ran = run_script(
            project,
            f"import os, subprocess, threading, time\ntry:\n    {start}\n"
            # The kernel's own limit, where it is reached first.
            "except (OSError, RuntimeError): time.sleep(60)\n",
            processes=100,
        )
        finding = ran.finding("X214")
        assert finding.message.endswith(" processes and threads at once; the limit is 100")
        assert 100 < int(finding.message.split()[3]) <= 1100
        assert ran.codes == ["X214"]
