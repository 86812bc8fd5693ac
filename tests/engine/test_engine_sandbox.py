"""What a script sees of the machine, and what it can't do to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from mlvalidate.core.results import Status
from tests.projects import ProjectFolder

WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"


def report(project: ProjectFolder, code: str, **step: object) -> object:
    """Run a script that leaves an answer in its output; return the answer."""
    script = (
        "import json, os, sys\n"
        f"{code}\n"
        "json.dump(answer, open('/opt/ml/processing/output/answer.json', 'w'))\n"
    )
    project.declare_step(script, **step)
    ran = project.run_step()
    assert ran.result.status is Status.PASSED, (ran.result.all_findings, ran.stderr())
    path = ran.folder.step("step").ml / "processing/output/answer.json"
    return json.loads(path.read_text())


def test_private_folders_are_empty_and_writable(project: ProjectFolder) -> None:
    home = Path.home()
    answer = report(
        project,
        f"answer = []\nfor folder in ('/tmp', '/var/tmp', {str(home)!r}, '/dev/shm'):\n"
        "    open(folder + '/.probe', 'w').write('x')\n"
        "    answer.append(os.path.exists(folder + '/.ssh'))",
    )
    assert answer == [False, False, False, False]
    assert not Path("/tmp/.probe").exists()
    assert not (home / ".probe").exists()


def test_the_project_is_copy_on_write_and_the_change_is_a_finding(project: ProjectFolder) -> None:
    project.write("settings.txt", "before")
    project.declare_step(
        "open('settings.txt', 'w').write('after')\nopen('new.txt', 'w').write('x')\n" + WRITE,
        workdir="code",
    )
    ran = project.run_step()
    assert ran.finding("F310").location in (f"{project.root}/step.py:{line}" for line in (1, 2))
    assert (project.root / "settings.txt").read_text() == "before"
    assert not (project.root / "new.txt").exists()
    finding = ran.finding("F310")
    assert set(finding.evidence) == {
        f"{project.root}/new.txt",
        f"{project.root}/settings.txt",
    }
    assert ran.result.status is Status.PASSED


def test_other_runs_are_invisible(project: ProjectFolder) -> None:
    state = project.root / ".mlvalidate"
    state.mkdir()
    (state / "mlflow.db").write_text("secret")
    answer = report(project, f"answer = os.listdir({str(state)!r})")
    assert answer == []


def test_credentials_are_passed_on_when_allowed(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token-to-pass")
    project.declare_step(
        "import os; print(os.environ['AWS_SESSION_TOKEN'][::-1])\n" + WRITE, credentials="allow"
    )
    ran = project.run_step()
    assert ran.stdout().strip() == "a-token-to-pass"[::-1]


def test_network_is_refused_and_noticed(project: ProjectFolder) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        project.declare_step(
            dedent(f"""
            import socket
            for address in (("127.0.0.1", {port}), ("192.0.2.1", 80), ("example.com", 443)):
                try:
                    socket.create_connection(address, timeout=2)
                    print("connected", address)
                except OSError:
                    pass
            """)
            + WRITE
        )
        ran = project.run_step()
    assert ran.stdout() == ""
    finding = ran.finding("X207")
    assert "192.0.2.1:80" in finding.message
    assert "example.com:443" in finding.message
    assert finding.location == f"{project.root}/step.py:5"


def test_network_is_there_when_allowed(project: ProjectFolder) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        project.declare_step(
            f"import socket\nsocket.create_connection(('127.0.0.1', {port}))\n{WRITE}",
            network="allow",
        )
        ran = project.run_step()
    assert ran.codes == []


def test_loopback_works_inside(project: ProjectFolder) -> None:
    answer = report(
        project,
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(server.getsockname())\n"
        "answer = client.getpeername()[0]",
    )
    assert answer == "127.0.0.1"


def test_no_process_of_the_machine_is_visible(project: ProjectFolder) -> None:
    answer = report(project, "answer = sorted(int(n) for n in os.listdir('/proc') if n.isdigit())")
    assert answer == [1, 2]


def test_the_sandbox_cannot_be_undone(project: ProjectFolder) -> None:
    answer = report(
        project,
        "import ctypes\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "answer = [libc.umount2(b'/opt/ml', 2), libc.mount(b'none', b'/mnt', b'tmpfs', 0, None)]\n"
        "caps = [l for l in open('/proc/self/status') if l.startswith('CapEff')]\n"
        "answer.append(int(caps[0].split()[1], 16))",
    )
    assert answer == [-1, -1, 0]


def test_home_is_hidden_but_the_interpreter_in_it_works(
    project: ProjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text("[default]")
    monkeypatch.setenv("HOME", str(home))
    environment = home / "environments" / "one"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", "--symlinks", environment], check=True
    )
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "only_here.py").write_text("VALUE = 42\n")
    answer = report(
        project,
        f"import only_here\nanswer = [only_here.VALUE, sorted(os.listdir({str(home)!r}))]",
        python=str(environment / "bin" / "python"),
    )
    assert answer == [42, ["environments"]]


def test_credentials_are_hidden_when_the_project_is_the_home_folder(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project.root))
    (project.root / ".aws").mkdir()
    (project.root / ".aws" / "credentials").write_text("[default]")
    answer = report(project, "answer = os.listdir(os.path.expanduser('~/.aws'))")
    assert answer == []


def test_pip_is_noted_and_not_executed(project: ProjectFolder) -> None:
    project.declare_step(
        dedent("""
        import subprocess, sys, os
        subprocess.check_call([sys.executable, "-m", "pip", "install", "one==1"])
        subprocess.check_call(["pip3", "install", "-q", 'two["x"]'])
        os.system("pip install three && conda install four")
        from pip._internal import main
        main(["install", "five"])
        """)
        + WRITE
    )
    ran = project.run_step()
    finding = ran.finding("X208")
    assert finding.evidence == (
        "pip install one==1",
        "pip3 install -q two[ x ]",
        "pip install three",
        "conda install four",
        "pip install five",
    )
    assert ran.result.status is Status.PASSED


def test_a_sitecustomize_of_the_interpreter_still_runs(
    project: ProjectFolder, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "sitecustomize.py").write_text("import builtins; builtins.CUSTOM = 7\n")
    answer = report(project, "answer = CUSTOM", python=str(environment / "bin" / "python"))
    assert answer == 7


def test_writes_below_opt_ml_outside_ports_are_found(project: ProjectFolder) -> None:
    project.declare_step(
        "import os; os.makedirs('/opt/ml/processing/ouput')\n"
        "open('/opt/ml/processing/ouput/x.csv', 'w').write('a')\n" + WRITE
    )
    finding = project.run_step().finding("F305")
    assert finding.evidence == ("/opt/ml/processing/ouput/x.csv",)
    assert finding.location == f"{project.root}/step.py:2"


@pytest.mark.skipif(os.getuid() != 0, reason="only root maps to root")
def test_root_stays_root_without_powers(project: ProjectFolder) -> None:
    assert report(project, "answer = os.getuid()") == 0


def test_other_runs_are_invisible_below_the_code_folder_as_well(project: ProjectFolder) -> None:
    project.write("train.py", "import os; print(os.listdir('/opt/ml/code/.mlvalidate'))")
    project.declare(steps={"step": {"kind": "training", "script": "train.py"}})
    ran = project.run_step()
    assert ran.stdout() == "[]\n"


def test_the_stand_ins_survive_a_path_of_the_step(project: ProjectFolder) -> None:
    project.declare_step(
        f"import os; os.system('pip install x'); {WRITE}", env={"PATH": "/usr/bin:/bin"}
    )
    assert project.run_step().finding("X208").evidence == ("pip install x",)


def test_a_write_where_the_working_folder_is_gone_is_left_alone(project: ProjectFolder) -> None:
    project.declare_step(
        "import os\nos.mkdir('/tmp/gone')\nos.chdir('/tmp/gone')\nos.rmdir('/tmp/gone')\n"
        "try: open('x.txt', 'w')\nexcept FileNotFoundError as error: print(error.filename)\n"
        + WRITE
    )
    assert project.run_step().stdout() == "x.txt\n"
