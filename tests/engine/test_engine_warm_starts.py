"""When a script is forked from a server, when it is not, and that no server outlives its run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from mlvalidate import api
from mlvalidate.core.plan import ColdReason
from mlvalidate.engine.fork_server import NoServerError, start_root
from mlvalidate.engine.import_tree import arrange, stages
from tests.projects import ProjectFolder, Ran

NOTHING = {"out": {"path": "/opt/ml/processing/output", "required": False}}
TALK = "print('imported', module.VALUE)\n"


@pytest.fixture
def packages(project: ProjectFolder) -> Path:
    """The folder of the packages of an interpreter of its own, `.venv/bin/python`."""
    command = [sys.executable, "-m", "venv", "--without-pip", str(project.root / ".venv")]
    subprocess.run(command, check=True)
    (found,) = (project.root / ".venv/lib").glob("python*/site-packages")
    return found


def run(project: ProjectFolder, script: str, **step: object) -> Ran:
    project.declare_step(script, **{"outputs": NOTHING, **step})
    return project.run_step()


def run_with_module(
    project: ProjectFolder, packages: Path, module: str, script: str = TALK, **step: object
) -> Ran:
    (packages / "odd.py").write_text(dedent(module))
    return run(project, "import odd as module\n" + script, python=".venv/bin/python", **step)


def declare_twice(project: ProjectFolder, script: str, **step: object) -> None:
    project.write("step.py", script)
    nodes = {name: {"step": "step"} for name in "ab"}
    declared = {"script": "step.py", "outputs": NOTHING, **step}
    project.declare(steps={"step": declared}, pipelines={"all": {"nodes": nodes}})


def reason_of(ran: Ran) -> tuple[ColdReason, str] | None:
    return ran.step.cold and (ran.step.cold.reason, ran.step.cold.detail)


def test_a_module_is_imported_once_for_all_scripts(project: ProjectFolder, packages: Path) -> None:
    (packages / "odd.py").write_text("import os\nVALUE = os.getpid()\n")
    script = "import odd\nprint(odd.VALUE)\n"
    step = {"script": "step.py", "outputs": NOTHING, "python": ".venv/bin/python"}
    project.write("step.py", script)
    project.declare(
        steps={"step": step},
        pipelines={"all": {"nodes": {"a": {"step": "step"}, "b": {"step": "step"}}}},
    )
    warm, cold = (project.run_pipeline(cache=False, cold=cold) for cold in (False, True))
    assert warm.stdout("a") == warm.stdout("b")
    assert warm.stdout("a") != cold.stdout("a")
    assert [step.cold for step in warm.result.steps] == [None, None]


@pytest.mark.parametrize(
    ("module", "detail"),
    [
        ("print('hello')", "an import prints something"),
        ("import os; os.write(2, b'x')", "an import prints something"),
        (
            "from threading import Event, Thread; Thread(target=Event().wait, daemon=True).start()",
            "an import starts a thread",
        ),
        ("import subprocess; subprocess.run(['true'])", "an import starts a process"),
        ("import os\nif os.fork() == 0: os._exit(0)\nos.wait()", "an import starts a process"),
        (
            "import signal; signal.signal(signal.SIGUSR2, print)",
            "an import changes the handling of signals",
        ),
        ("import sys; sys.path.append('/elsewhere')", "an import changes sys.path"),
        ("import os; os.chdir('/tmp')", "an import changes the working folder"),
        ("KEPT = open('/dev/null')", "an import leaves a file open"),
        (
            "import socket\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError: pass",
            "an import looks up a name",
        ),
        ("import mlflow_lookalike, matplotlib", "matplotlib is not fit for it"),
        ("import not_there", "importing odd fails: ModuleNotFoundError"),
    ],
)
def test_what_each_script_has_to_import_itself(
    project: ProjectFolder, packages: Path, module: str, detail: str
) -> None:
    for name in ("matplotlib", "mlflow_lookalike"):
        (packages / f"{name}.py").touch()
    ran = run_with_module(project, packages, f"{module}\nVALUE = 1\n")
    assert reason_of(ran) == (ColdReason.MODULE, detail)
    expected = [] if "fails" not in detail else ["X201"]
    assert [code for code in ran.codes if code.startswith("X2")] == expected


def test_no_module_writes_to_this_machine(
    project: ProjectFolder, packages: Path, tmp_path: Path
) -> None:
    target = tmp_path / "written"
    module = f"open({str(target)!r}, 'w').close()\nVALUE = 1\n"
    ran = run_with_module(project, packages, module)
    assert ran.stdout() == "imported 1\n"
    assert reason_of(ran) == (ColdReason.MODULE, f"an import writes {target}")
    assert not target.exists()


def test_settings_of_the_user_are_read_by_the_script_itself(
    project: ProjectFolder, packages: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".oddrc").write_text("secret")
    module = """
        import os
        path = os.path.expanduser("~/.oddrc")
        VALUE = open(path).read() if os.path.exists(path) else "no settings"
    """
    ran = run_with_module(project, packages, module)
    assert ran.stdout() == "imported no settings\n"
    assert reason_of(ran) == (ColdReason.MODULE, f"an import reads {tmp_path}/.oddrc")


def test_a_variable_that_a_module_has_read(project: ProjectFolder, packages: Path) -> None:
    module = "import os; VALUE = os.environ.get('ODD_MODE', 'usual')"
    ran = run_with_module(project, packages, module)
    assert (ran.stdout(), reason_of(ran)) == ("imported usual\n", None)
    ran = run_with_module(project, packages, module, env={"OTHER": "x"})
    assert (ran.stdout(), reason_of(ran)) == ("imported usual\n", None)
    ran = run_with_module(project, packages, module, env={"ODD_MODE": "new"})
    assert (ran.stdout(), reason_of(ran)) == (
        "imported new\n",
        (ColdReason.ENVIRONMENT, "ODD_MODE"),
    )
    setting = "import os\nos.environ['ODD_MODE'] = 'late'\n" + TALK
    ran = run_with_module(project, packages, module, setting)
    assert reason_of(ran) == (ColdReason.ENVIRONMENT, "ODD_MODE")


def test_a_module_that_copies_the_environment(project: ProjectFolder, packages: Path) -> None:
    module = "import os; VALUE = dict(os.environ).get('ODD_MODE')"
    ran = run_with_module(project, packages, module, env={"ODD_MODE": "x"})
    assert ran.stdout() == "imported x\n"
    assert reason_of(ran) is not None


def test_what_a_module_sets_in_the_environment_is_kept(
    project: ProjectFolder, packages: Path
) -> None:
    module = "import os; os.environ.setdefault('ODD_SET', 'by the module'); VALUE = 1"
    script = "import os, subprocess\nprint(os.environ['ODD_SET'])\nsubprocess.run(['env'])\n"
    ran = run_with_module(project, packages, module, script)
    assert reason_of(ran) is None
    assert ran.stdout().startswith("by the module\n")
    assert "ODD_SET=by the module\n" in ran.stdout()


def test_a_module_of_the_project_with_the_name_of_an_imported_one(
    project: ProjectFolder, packages: Path
) -> None:
    (packages / "helping.py").write_text("NAME = 'installed'\n")
    project.write("helping.py", "NAME = 'own'\n")
    ran = run_with_module(project, packages, "from helping import NAME as VALUE")
    assert ran.stdout() == "imported own\n"
    assert reason_of(ran) == (ColdReason.SHADOWED, "helping")


def test_a_path_that_the_script_makes_importable(project: ProjectFolder, packages: Path) -> None:
    (packages / "helping.py").write_text("NAME = 'installed'\n")
    project.write("vendored/helping.py", "NAME = 'vendored'\n")
    (packages / "odd.py").write_text("from helping import NAME as VALUE\n")
    script = """
        import os, sys
        sys.path.insert(0, os.path.join(os.path.dirname(__file__), "vendored"))
        import odd
        print(odd.VALUE)
    """
    ran = run(project, script, python=".venv/bin/python")
    assert ran.stdout() == "vendored\n"
    assert reason_of(ran) == (ColdReason.SHADOWED, "helping")


@pytest.mark.parametrize(
    ("script", "step", "reason", "detail"),
    [
        ("", {"env": {"OMP_NUM_THREADS": "1"}}, ColdReason.ENVIRONMENT, "OMP_NUM_THREADS"),
        ("", {"env": {"TZ": "Asia/Tokyo"}}, ColdReason.ENVIRONMENT, "TZ"),
        ("import os\nos.environ['MKL_X'] = '1'", {}, ColdReason.ENVIRONMENT, "MKL_X"),
        ("import os\nos.environ.update(A='1', LD_X='2')", {}, ColdReason.ENVIRONMENT, "LD_X"),
        (
            "import os\nfor name in 'ab':\n    os.environ[name] = '1'",
            {},
            ColdReason.ENVIRONMENT,
            "what the script sets",
        ),
        ("", {"network": "allow"}, ColdReason.NETWORK, ""),
        (
            "import torch",
            {},
            ColdReason.MODULE,
            "torch has to be imported by the script itself",
        ),
        (
            "if __name__ == '__main__':\n    import ray.data",
            {},
            ColdReason.MODULE,
            "ray has to be imported by the script itself",
        ),
    ],
)
def test_reasons_in_the_plan(
    project: ProjectFolder, script: str, step: dict[str, object], reason: ColdReason, detail: str
) -> None:
    project.declare_step(script, **step)
    (planned,) = api.plan_script(project.load(), "step").steps
    assert planned.cold is not None
    assert (planned.cold.reason, planned.cold.detail) == (reason, detail)


def test_other_reasons_in_the_plan(project: ProjectFolder) -> None:
    project.write("step.py", "")
    steps = {
        "plain": {"script": "step.py", "outputs": NOTHING},
        "command": {"kind": "command", "command": ["true"], "outputs": NOTHING},
    }
    project.declare(steps=steps)
    loaded = project.load()
    plain = api.plan_script(loaded, "plain")
    assert plain.steps[0].cold is None
    asked = api.plan_script(loaded, "plain", api.Options(cold=True))
    assert asked.steps[0].cold is not None
    assert asked.steps[0].cold.reason is ColdReason.ASKED
    assert asked.command.endswith(" --cold")
    command = api.plan_script(loaded, "command").steps[0].cold
    assert command is not None
    assert command.reason is ColdReason.COMMAND


def test_forks_draw_different_random_numbers(project: ProjectFolder) -> None:
    script = """
        import random, uuid
        import numpy
        print(random.random(), numpy.random.rand(), uuid.uuid4())
        print(numpy.random.default_rng().random())
    """
    declare_twice(project, script)
    ran = project.run_pipeline()
    assert [step.cold for step in ran.result.steps] == [None, None]
    first, second = ran.stdout("a").split(), ran.stdout("b").split()
    assert len(first) == 4
    assert not set(first) & set(second)


def test_a_server_that_has_ended_says_so(tmp_path: Path) -> None:
    settings: dict[str, object] = {"host_name": "x", "hidden": [], "visible": [], "unfit": []}
    server = start_root(Path(sys.executable), {"PATH": os.environ["PATH"]}, settings)
    server.await_ready()
    grown = server.grow(["wave"])
    grown.await_ready()
    assert "wave" in grown.loaded.modules
    server.close()
    server.dispose()
    status, write = os.pipe()
    with pytest.raises(NoServerError, match="ended"):
        for _ in range(50):
            # The kernel ends it a moment later.
            grown.run(b"", write)
            time.sleep(0.05)
    grown.dispose()
    os.close(status)
    os.close(write)


def test_nothing_outlives_a_killed_mlvalidate(project: ProjectFolder) -> None:
    marker = f"marker-{time.time_ns()}"
    script = "import sys, time\nimport numpy\nprint('ready', flush=True)\ntime.sleep(120)\n"
    project.declare_step(script, outputs=NOTHING, args=[marker])
    command = [sys.executable, "-m", "mlvalidate", "test-script", "step", "--no-record", "-C"]
    process = subprocess.Popen(
        [*command, str(project.root)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    logs = project.root / ".mlvalidate" / "runs"
    wait_until(
        lambda: any("ready" in log.read_text() for log in logs.glob("*/steps/*/logs/stdout.log"))
    )
    below = psutil.Process(process.pid).children(recursive=True)
    assert any(marker in " ".join(child.cmdline()) for child in below)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not [child for child in below if child.is_running()])


def wait_until(holds: object) -> None:
    deadline = time.monotonic() + 60
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_shared_imports_come_first() -> None:
    wanted = [("x", "pandas"), ("pandas", "numpy"), ("numpy", "pandas", "y"), ()]
    arranged = arrange(wanted)
    assert arranged == {
        ("x", "pandas"): ("pandas", "x"),
        ("pandas", "numpy"): ("pandas", "numpy"),
        ("numpy", "pandas", "y"): ("pandas", "numpy", "y"),
        (): (),
    }
    assert stages(list(arranged.values())) == {
        ("pandas",): (),
        ("pandas", "x"): ("pandas",),
        ("pandas", "numpy"): ("pandas",),
        ("pandas", "numpy", "y"): ("pandas", "numpy"),
    }
