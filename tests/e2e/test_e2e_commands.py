"""The command line as a user types it, on small projects, with everything real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.projects import ProjectFolder

COMMAND = [sys.executable, "-m", "mlvalidate"]
OUT = {"out": {"path": "/opt/ml/processing/output"}}
WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"


def run(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


def stored_runs(project: ProjectFolder) -> list[tuple[str, str]]:
    """Return (name, status) of every run in the project's store."""
    with sqlite3.connect(project.root / ".mlvalidate" / "mlflow.db") as store:
        return sorted(store.execute("select name, status from runs").fetchall())


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def processes_below(folder: Path) -> list[psutil.Process]:
    """Return live processes that name the folder on their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != "zombie" and any(str(folder) in word for word in words):
            found.append(process)
    return found


def declare_two_steps(project: ProjectFolder, second: str) -> None:
    project.write("first.py", WRITE)
    project.write("second.py", second)
    project.declare(
        steps={
            "first": {"script": "first.py", "outputs": OUT},
            "second": {"script": "second.py", "inputs": {"raw": {}}, "outputs": OUT},
        },
        pipelines={"p": {"nodes": ["first", "second"], "edges": {"second.raw": "first.out"}}},
        gates=["findings.error == 0"],
    )


def test_a_pipeline_passes_and_is_recorded(project: ProjectFolder) -> None:
    declare_two_steps(project, WRITE)
    done = run("test-pipeline", "--json", cwd=project.root)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "passed"
    assert [step["status"] for step in result["steps"]] == ["passed", "passed"]
    assert result["run_url"].endswith("workflowType=machine_learning")
    assert result["open_command"] == "mlvalidate ui"
    assert [status for _, status in stored_runs(project)] == ["FINISHED"] * 3


def test_a_failure_is_recorded_and_skips_what_depends_on_it(project: ProjectFolder) -> None:
    declare_two_steps(project, WRITE)
    project.write("first.py", "import sys; sys.exit('no luck')")
    done = run("test-pipeline", cwd=project.root)
    assert done.returncode == 1
    assert "no luck" in done.stdout
    assert "skipped" in done.stdout.lower()
    assert [status for _, status in stored_runs(project)] == ["FAILED", "FAILED"]
    assert "earlier runs" not in done.stdout

    again = run("test-pipeline", "--json", cwd=project.root)
    result = json.loads(again.stdout)
    (issue,) = result["related_issues"]
    assert issue["code"] == "X201"
    assert issue["node"] == result["steps"][0]["node"]
    assert f"X201 in {issue['node']}: seen before in run {issue['seen_in'][0]['run_id']}" in (
        again.stderr
    )


def test_a_script_test_is_one_run(project: ProjectFolder) -> None:
    project.declare_step(WRITE)
    done = run("test-script", "step", cwd=project.root)
    assert done.returncode == 0, done.stderr
    assert [status for _, status in stored_runs(project)] == ["FINISHED"]


def test_secrets_stay_out_of_everything(project: ProjectFolder) -> None:
    secret, key = "correct-horse-battery", "AKIAIOSFODNN7EXAMPLE"
    argument = "argument-not-to-be-seen"
    project.declare_step(
        "import os, sys\nprint(os.environ['DB_PASSWORD'])\n"
        f"print('{key[:10]}' + '{key[10:]}', sys.argv, file=sys.stderr)\n"
        "text = 'a,b\\n' + os.environ['DB_PASSWORD'] + ',1\\n'\n"
        "open('/opt/ml/processing/output/t.csv', 'w').write(text)\n"
        "raise SystemExit('password was ' + os.environ['DB_PASSWORD'])",
        env={"DB_PASSWORD": "${SECRET_FOR_TEST}"},
        args={"api-key": "${OTHER_SECRET}"},
    )
    done = run(
        *("test-script", "step", "--json"),
        cwd=project.root,
        SECRET_FOR_TEST=secret,
        OTHER_SECRET=argument,
    )
    assert done.returncode == 1
    assert "password was ***" in done.stdout
    assert secret not in done.stdout + done.stderr
    state = project.root / ".mlvalidate"
    left = [
        path
        for path in state.rglob("*")
        if path.is_file() and "/ml/" not in str(path) and "call.json" not in path.name
    ]
    assert len(left) > 5
    for path in left:
        content = path.read_bytes()
        assert secret.encode() not in content, path
        assert argument.encode() not in content, path
        assert key.encode() not in content, path


def test_ctrl_c_ends_the_run_in_order(project: ProjectFolder) -> None:
    declare_two_steps(project, "import time\nprint('asleep')\ntime.sleep(100)")
    process = subprocess.Popen([*COMMAND, "test-pipeline"], cwd=project.root, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    logs = project.root / ".mlvalidate" / "runs"
    wait_for(lambda: any("asleep" in p.read_text() for p in logs.glob("*/steps/second/logs/*")))
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "Traceback" not in output + error
    assert sorted(status for _, status in stored_runs(project)) == ["FINISHED", "KILLED", "KILLED"]
    wait_for(lambda: not processes_below(project.root), 10)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["asleep", "preparing"])
def test_sigkill_leaves_no_orphan_and_no_open_run(project: ProjectFolder, moment: str) -> None:
    declare_two_steps(project, "import time\nprint('asleep')\ntime.sleep(100)")
    process = subprocess.Popen([*COMMAND, "test-pipeline", "--quiet"], cwd=project.root)
    runs = project.root / ".mlvalidate" / "runs"
    if moment == "asleep":
        wait_for(lambda: any("asleep" in p.read_text() for p in runs.glob("*/steps/*/logs/*")))
    else:
        # Before its first event a run is nothing that could be recorded.
        wait_for(lambda: any(p.stat().st_size for p in runs.glob("*/journal.jsonl")))
    process.kill()
    process.wait()
    wait_for(lambda: not processes_below(project.root), 60)
    done = run("sync", cwd=project.root)
    assert done.returncode == 0, done.stderr
    statuses = {status for _, status in stored_runs(project)}
    assert "RUNNING" not in statuses
    assert "KILLED" in statuses
    scratch = list(Path(tempfile.gettempdir()).glob(f"mlvalidate-step-{process.pid}-*"))
    if scratch:
        assert run("test-script", "first", "--no-record", cwd=project.root).returncode == 0
    assert not list(Path(tempfile.gettempdir()).glob(f"mlvalidate-step-{process.pid}-*"))


def test_an_unreachable_server_loses_nothing(project: ProjectFolder) -> None:
    declare_two_steps(project, WRITE)
    done = run(
        "test-pipeline", cwd=project.root, MLFLOW_TRACKING_URI="http://user:hunter22@127.0.0.1:9"
    )
    assert done.returncode == 0, done.stderr
    assert "not recorded" in done.stdout
    assert "mlvalidate sync" in done.stdout
    assert "hunter22" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    synced = run("sync", cwd=project.root)
    assert synced.returncode == 0, synced.stderr
    assert [status for _, status in stored_runs(project)] == ["FINISHED"] * 3
    again = run("sync", cwd=project.root)
    assert again.returncode == 0
    assert len(stored_runs(project)) == 3


def test_dry_run_shows_the_plan_and_runs_nothing(project: ProjectFolder) -> None:
    declare_two_steps(project, WRITE)
    done = run("test-pipeline", "--dry-run", cwd=project.root)
    assert done.returncode == 0
    assert "raw <- first.out" in done.stdout
    assert not (project.root / ".mlvalidate" / "runs").exists()


def test_dry_run_masks_what_a_run_masks(project: ProjectFolder) -> None:
    project.declare_step(WRITE, args=["--password", "hunter2hunter2"])
    for words in ((), ("--json",)):
        done = run("test-script", "step", "--dry-run", *words, cwd=project.root)
        assert done.returncode == 0, done.stderr
        assert "hunter2hunter2" not in done.stdout


BAD_INPUT: dict[str, tuple[dict[str, object] | str | None, list[str], str]] = {
    "no project file": (None, ["test-pipeline"], "mlvalidate.yaml"),
    "broken yaml": ("version: 1\nsteps: {a: [", ["test-pipeline"], "mlvalidate.yaml:"),
    "unknown step": ({}, ["test-script", "stpe"], "did you mean 'step'?"),
    "unknown pipeline": ({}, ["test-pipeline", "x"], "there is no pipeline 'x'"),
    "script not there": (
        {"steps": {"step": {"script": "stp.py"}}},
        ["test-script", "step"],
        "stp.py",
    ),
    "interpreter not there": (
        {"steps": {"step": {"script": "step.py", "python": "venv/bin/python"}}},
        ["test-script", "step"],
        "venv/bin/python",
    ),
    "cycle": (
        {
            "steps": {"step": {"script": "step.py", "inputs": {"i": {}}, "outputs": OUT}},
            "pipelines": {"p": {"nodes": ["step"], "edges": {"step.i": "step.out"}}},
        },
        ["test-pipeline"],
        "cycle",
    ),
    "edge to no port": (
        {
            "steps": {"step": {"script": "step.py", "inputs": {"raw": {}}, "outputs": OUT}},
            "pipelines": {
                "p": {"nodes": ["step", {"b": {"step": "step"}}], "edges": {"b.rwa": "step.out"}}
            },
        },
        ["test-pipeline"],
        "did you mean 'raw'?",
    ),
    "not an interpreter": (
        {"steps": {"step": {"script": "step.py", "python": "/bin/true"}}},
        ["test-script", "step"],
        "/bin/true does not start",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_gets_one_clear_message(project: ProjectFolder, case: str) -> None:
    content, words, expected = BAD_INPUT[case]
    project.write("step.py", WRITE)
    if isinstance(content, str):
        project.write("mlvalidate.yaml", content)
    elif content is not None:
        step = {"steps": {"step": {"script": "step.py", "outputs": OUT}}}
        project.declare(**{**step, **content})
    done = run(*words, "--no-record", cwd=project.root)
    assert done.returncode == (3 if case == "not an interpreter" else 2), done.stderr
    assert expected in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stdout + done.stderr


def in_private_mounts(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount things, which nobody else sees."""
    return subprocess.run(
        ["unshare", "-Urm", "sh", "-euc", script],
        cwd=cwd, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


needs_unshare = pytest.mark.skipif(shutil.which("unshare") is None, reason="needs util-linux")


@needs_unshare
def test_a_read_only_disk(project: ProjectFolder) -> None:
    project.declare_step(WRITE)
    command = " ".join([*COMMAND, "test-script", "step", "-C", str(project.root)])
    done = in_private_mounts(
        f"mount --bind {project.root} {project.root}\n"
        f"mount -o remount,bind,ro {project.root}\n{command}",
        project.root,
    )
    assert done.returncode == 3
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr


@needs_unshare
def test_a_full_disk(project: ProjectFolder) -> None:
    project.declare_step(WRITE)
    state = project.root / ".mlvalidate"
    state.mkdir()
    command = " ".join([*COMMAND, "test-script", "step", "-C", str(project.root)])
    done = in_private_mounts(
        f"mount -t tmpfs -o size=64k tmpfs {state}\n"
        f"dd if=/dev/zero of={state}/fill bs=1k count=64 2>/dev/null || true\n{command}",
        project.root,
    )
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@needs_unshare
def test_where_namespaces_are_refused(project: ProjectFolder) -> None:
    project.write("data/in.txt", "21")
    project.write(
        "called.py",
        "import os, pathlib\n"
        "def main(input_paths, output_paths, environ_vars, job_args):\n"
        "    value = int(pathlib.Path(input_paths['raw'], 'in.txt').read_text())\n"
        "    pathlib.Path(input_paths['raw'], 'in.txt').write_text('changed')\n"
        "    result = value * job_args.times + int(environ_vars['PLUS'])\n"
        "    pathlib.Path(output_paths['out'], 'result.txt').write_text(str(result))\n",
    )
    project.write("plain.py", WRITE)
    shell = "cat {inputs.raw}/*.txt > /opt/ml/processing/output/copy.txt; env > $OUT/env.txt"
    project.declare(
        steps={
            "called": {
                "kind": "callable", "script": "called.py", "args": {"times": 2},
                "env": {"PLUS": 1}, "inputs": {"raw": {"sample": "data"}}, "outputs": OUT,
            },
            "shell": {
                "kind": "command", "command": ["sh", "-c", shell],
                "env": {"OUT": "/opt/ml/processing/output"},
                "inputs": {"raw": {}}, "outputs": OUT,
            },
            "plain": {"script": "plain.py", "outputs": OUT},
        },
        pipelines={
            "mapped": {"nodes": ["called", "shell"], "edges": {"shell.raw": "called.out"}},
            "refused": {"nodes": ["called", "plain"]},
        },
    )  # fmt: skip
    tool = " ".join([*COMMAND, "-C", str(project.root), "test-pipeline"])
    # Inside this namespace no further one may be made, as on a machine that refuses them.
    refuse = "echo 0 > /proc/sys/user/max_user_namespaces\n"
    mapped = in_private_mounts(refuse + tool + " mapped --no-record",
                               project.root)  # fmt: skip
    assert mapped.returncode == 0, mapped.stdout + mapped.stderr
    assert "Without a sandbox" in mapped.stdout
    assert (project.root / "data" / "in.txt").read_text() == "21"
    runs = list((project.root / ".mlvalidate" / "runs").iterdir())
    copied = runs[0] / "steps" / "shell" / "ml" / "processing" / "output" / "copy.txt"
    assert copied.read_text() == "43"
    refused = in_private_mounts(refuse + tool + " refused --no-record",
                                project.root)  # fmt: skip
    assert refused.returncode == 3
    assert "plain can't run here" in refused.stderr
    assert "max_user_namespaces" in refused.stderr
