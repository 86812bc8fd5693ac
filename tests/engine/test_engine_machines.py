"""Machines and projects that are not like the one this was written on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from mlvalidate import api
from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.plan import SandboxChoice
from mlvalidate.core.results import Status
from mlvalidate.engine.sandbox import Sandboxing
from tests.projects import ProjectFolder

WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"
COMMAND = [sys.executable, "-m", "mlvalidate", "test-script", "step", "--no-record"]
OTHER_PYTHON = Path("/usr/bin/python3")

needs_unshare = pytest.mark.skipif(shutil.which("unshare") is None, reason="needs util-linux")


@pytest.mark.skipif(
    not OTHER_PYTHON.exists() or Path(sys.base_prefix) == Path("/usr"),
    reason="needs a second interpreter",
)
def test_an_interpreter_that_is_not_ours_while_ours_is_hidden(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(Path(sys.base_prefix).parent))
    project.declare_step(f"import sys; print(sys.executable)\n{WRITE}", python=str(OTHER_PYTHON))
    ran = project.run_step()
    assert ran.codes == []
    assert ran.stdout().strip() == str(OTHER_PYTHON)


def test_a_shim_that_only_finds_the_interpreter(project: ProjectFolder) -> None:
    shim = project.write("shim/python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    shim.chmod(0o755)
    project.declare_step(f"import sys; print(sys.executable)\n{WRITE}", python="shim/python")
    assert project.run_step().stdout().strip() == sys.executable


def test_layers_in_memory(project: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mlvalidate.engine.sandbox.detect_sandboxing", lambda: Sandboxing(layers_in_memory=True)
    )
    project.write("data/in.txt", "x")
    project.declare_step(
        "import os\nopen('/opt/ml/processing/input/raw/in.txt', 'a').write('more')\n"
        f"open('here.txt', 'w').write('x')\nassert os.listdir('{project.root}/.mlvalidate') == []\n"
        + WRITE,
        inputs={"raw": {"sample": "data"}},
        workdir="code",
    )
    ran = project.run_step()
    assert ran.codes == ["F304", "F310"]
    assert (project.root / "data" / "in.txt").read_text() == "x"


@pytest.fixture
def in_shared_memory() -> Iterator[ProjectFolder]:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield ProjectFolder(Path(folder))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs /dev/shm")
def test_a_project_in_shared_memory(in_shared_memory: ProjectFolder) -> None:
    in_shared_memory.declare_step(WRITE)
    assert in_shared_memory.run_step().codes == []


@pytest.mark.parametrize(
    "name", ["with space", "co,mma:colon", "quo'te\"", "ünïcode", "back\\slash"]
)
def test_odd_folder_names(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    project = ProjectFolder(root)
    project.write("data/in.txt", "x")
    project.declare_step(
        "import os; print(os.listdir('/opt/ml/processing/input/raw'))\n" + WRITE,
        inputs={"raw": {"sample": "data"}},
    )
    ran = project.run_step()
    assert ran.codes == []
    assert ran.stdout() == "['in.txt']\n"


def test_a_project_behind_a_link(project: ProjectFolder, tmp_path: Path) -> None:
    project.declare_step(WRITE)
    link = tmp_path / "link"
    link.symlink_to(project.root)
    assert ProjectFolder(link).run_step().codes == []


def in_private_mounts(script: str, root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "-Urm", "sh", "-euc", script],
        cwd=root, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@needs_unshare
@pytest.mark.parametrize(
    "mounts",
    [
        # The flags of the hidden mount are not those of the one on top.
        "mount -t tmpfs -o nodev tmpfs /mnt; mount -t tmpfs -o noexec,nosuid tmpfs /mnt",
        # As in a container: the kernel then refuses a fresh /proc.
        "mount -t tmpfs tmpfs /proc/sys/fs",
    ],
)
def test_mounts_of_other_machines(project: ProjectFolder, mounts: str) -> None:
    project.declare_step(
        dedent("""
        import multiprocessing, os
        def work(n):
            return n + 1
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(pool.map(work, [1, 2]))
            open("/opt/ml/processing/output/done.txt", "w").write("x")
        """)
    )
    done = in_private_mounts(f"{mounts}\n{' '.join(COMMAND)} --json", project.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"findings": []' in done.stdout


@needs_unshare
def test_a_mount_inside_the_project(project: ProjectFolder) -> None:
    (project.root / "volume").mkdir()
    project.declare_step("open('cache.txt', 'w')\n" + WRITE, workdir="code")
    done = in_private_mounts(
        f"mount -t tmpfs tmpfs {project.root}/volume\n{' '.join(COMMAND)}", project.root
    )
    assert done.returncode == 1
    assert "something is mounted in it" in done.stdout


def test_the_name_of_the_machine_resolves(project: ProjectFolder) -> None:
    project.declare_step(
        "import socket; print(socket.gethostname(), socket.gethostbyname('algo-1'))\n" + WRITE
    )
    assert project.run_step().stdout() == "algo-1 127.0.0.1\n"


def test_an_optional_input_that_nobody_gives(project: ProjectFolder) -> None:
    project.declare_step(
        "import os; print(os.path.exists('/opt/ml/processing/input/extra'))\n" + WRITE,
        inputs={"extra": {"required": False}},
    )
    assert project.run_step().stdout() == "False\n"


def test_working_folders(project: ProjectFolder) -> None:
    project.write("code/step.py", f"import os; print(os.getcwd())\n{WRITE}")
    project.write("code/__init__.py", "")
    out = {"out": {"path": "/opt/ml/processing/output"}}
    script = {"script": "code/step.py", "outputs": out}
    steps = {
        "processing": (script, "/"),
        "beside": ({**script, "workdir": "code"}, f"{project.root}/code"),
        "somewhere": ({**script, "workdir": "/opt/ml/processing/output"}, None),
        "training": ({**script, "kind": "training"}, f"{project.root}/code"),
        "module": ({"module": "code.step", "code_root": ".", "outputs": out}, str(project.root)),
    }
    project.declare(steps={name: step for name, (step, _) in steps.items()})
    for name, (_, expected) in steps.items():
        ran = project.run_step(name)
        assert ran.result.status is Status.PASSED, ran.result.all_findings
        assert ran.stdout(name).strip() == (expected or "/opt/ml/processing/output")


def test_what_is_written_to_the_root_folder_is_thrown_away(project: ProjectFolder) -> None:
    project.declare_step(
        "import os\nos.makedirs('/data/out')\nopen('/data/out/x.csv', 'w').write('x')\n"
        "open('model', 'w').write('x')\n" + WRITE
    )
    ran = project.run_step()
    assert ran.finding("F310").evidence == ("/model", "/data/out/x.csv")
    assert not Path("/data/out/x.csv").exists()
    assert not Path("/model").exists()


def test_the_code_is_where_sagemaker_puts_it(project: ProjectFolder) -> None:
    project.declare_step(
        "import os; print(sorted(os.listdir('/opt/ml/processing/input/code')))\n" + WRITE
    )
    assert "step.py" in project.run_step().stdout()


def test_links_inside_an_output(project: ProjectFolder) -> None:
    project.declare_step(
        "import os\nos.chdir('/opt/ml/processing/output')\nos.mkdir('v1')\n"
        "open('v1/a.txt', 'w').write('abc')\nos.symlink('v1', 'latest')\n"
        "os.symlink('/opt/ml/processing/output/v1/a.txt', 'b.txt')\n"
        "os.symlink('c.txt', 'c.txt')\n"
    )
    ran = project.run_step()
    assert ran.finding("F308").file == "c.txt"
    files = {file.name: file.size_bytes for file in ran.step.outputs[0].files}
    assert files == {"b.txt": 3, "c.txt": 0, "v1/a.txt": 3}


def test_a_name_that_is_not_utf8(project: ProjectFolder) -> None:
    project.declare_step("open(b'/opt/ml/processing/output/\\xff.csv', 'w').write('a\\n1\\n')")
    ran = project.run_step()
    assert ran.finding("F308").message == "output out: \\xff.csv has a name that is not UTF-8"


def test_questions_to_pip_are_answered(project: ProjectFolder) -> None:
    project.declare_step(
        "import subprocess, sys\n"
        "print(subprocess.check_output([sys.executable, '-m', 'pip', 'list', '--format=json']))\n"
        + WRITE
    )
    ran = project.run_step()
    assert ran.codes == []
    assert ran.stdout() == "b'[]\\n'\n"


def test_a_logger_that_may_be_left_out(project: ProjectFolder) -> None:
    project.declare_step(
        "def main(input_paths, output_paths, environ_vars, job_args, logger=None):\n"
        "    (logger or print)('said')\n"
        "    open(output_paths['out'] + '/x', 'w').write('x')\n",
        kind="callable",
    )
    assert project.run_step().stdout() == "said\n"


def test_plan_and_run_use_the_same_interpreter(project: ProjectFolder) -> None:
    project.declare_step(WRITE)
    loaded = project.load()
    assert api.plan_script(loaded, "step").steps[0].python == Path(sys.executable)


class TestWithoutSandbox:
    """`--sandbox none`, where there could be one."""

    def declare(self, project: ProjectFolder, body: str) -> None:
        project.declare_step(
            "def main(input_paths, output_paths, environ_vars, job_args):\n"
            f"    import os, time\n    {body}\n"
            "    open(output_paths['out'] + '/done.txt', 'w').write('x')\n",
            kind="callable",
        )

    def test_the_run_warns_of_it(self, project: ProjectFolder, tmp_path: Path) -> None:
        self.declare(project, f"open('{tmp_path}/left.txt', 'w').write('x')")
        ran = project.run_step(sandbox=SandboxChoice.NONE)
        assert ran.codes == []
        assert (tmp_path / "left.txt").exists()
        (note,) = ran.result.notes
        assert note.startswith("Without a sandbox (none was wanted): ")
        assert "--sandbox none" in ran.result.command

    def test_the_environment_can_choose(
        self, project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.declare(project, "pass")
        monkeypatch.setenv("MLVALIDATE_SANDBOX", "none")
        assert api.plan_script(project.load(), "step").sandbox_refusal == "none was wanted"
        auto = api.Options(sandbox=SandboxChoice.AUTO)
        assert api.plan_script(project.load(), "step", auto).sandbox_refusal == ""
        monkeypatch.setenv("MLVALIDATE_SANDBOX", "docker")
        with pytest.raises(UsageError, match="MLVALIDATE_SANDBOX is 'docker'") as caught:
            api.plan_script(project.load(), "step")
        assert caught.value.hint == "it can be auto, none"

    def test_a_plan_is_executed_as_it_was_made(
        self, project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.declare(project, "print(os.path.exists('/opt/ml'))")
        loaded = project.load()
        plan = api.plan_script(loaded, "step")
        monkeypatch.setenv("MLVALIDATE_SANDBOX", "none")
        result = api.execute(loaded, plan, record=False)
        logs = api.run_folder(loaded, result).step("step").stdout
        assert logs.read_text() == "True\n"

    def test_steps_that_need_one_say_so(self, project: ProjectFolder) -> None:
        project.declare_step(WRITE)
        with pytest.raises(InfrastructureError, match="step can't run here") as caught:
            project.run_step(sandbox=SandboxChoice.NONE)
        assert caught.value.hint.startswith("leave out --sandbox none and MLVALIDATE_SANDBOX. ")

    def test_limits_hold(self, project: ProjectFolder) -> None:
        fill = (
            "for n in range(10**6): open(f\"{output_paths['out']}/{n}\", 'wb').write(b'x' * 10**6)"
        )
        project.declare_step(
            f"def main(input_paths, output_paths, environ_vars, job_args):\n    {fill}\n",
            kind="callable",
            disk="20MB",
        )
        assert project.run_step(sandbox=SandboxChoice.NONE).codes == ["X213"]
