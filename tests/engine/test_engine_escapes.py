"""Scripts that try to reach what is not theirs, or to break mlvalidate itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlvalidate.core.errors import UsageError
from mlvalidate.core.results import Status
from tests.projects import ProjectFolder

WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"
OUT = {"out": {"path": "/opt/ml/processing/output"}}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "secret"
    folder.mkdir()
    (folder / "s.csv").write_text("word\nhidden-word\n")
    return folder


@pytest.mark.parametrize(
    "code",
    [
        "os.rmdir('/opt/ml/processing/output'); os.symlink({s!r}, '/opt/ml/processing/output')",
        "os.rename('/opt/ml/processing', '/opt/ml/gone'); os.mkdir('/opt/ml/x')\n"
        "os.symlink({p!r}, '/opt/ml/processing')",
    ],
)
def test_a_link_in_place_of_an_output_leads_nowhere(
    project: ProjectFolder, secret: Path, code: str
) -> None:
    (secret / "output").mkdir()
    (secret / "output" / "s.csv").write_text("word\nhidden-word\n")
    project.write("first.py", "import os\n" + code.format(s=str(secret), p=str(secret)))
    project.write(
        "second.py", "import os\nprint(os.listdir('/opt/ml/processing/input/raw'))\n" + WRITE
    )
    project.declare(
        steps={
            "first": {"script": "first.py", "outputs": OUT},
            "second": {"script": "second.py", "inputs": {"raw": {}}, "outputs": OUT},
        },
        pipelines={"p": {"nodes": ["first", "second"], "edges": {"second.raw": "first.out"}}},
    )
    ran = project.run_pipeline()
    assert "reached through a link" in ran.finding("F308").message
    assert ran.result.status is Status.FAILED
    assert "hidden-word" not in ran.result.model_dump_json()
    assert not any("s.csv" in path.name for path in ran.folder.root.rglob("*"))


@pytest.mark.parametrize("code", ["os.symlink({s!r}, '/opt/ml/model')", "pass"])
def test_a_model_folder_that_is_gone_or_a_link_is_not_packed(
    project: ProjectFolder, secret: Path, code: str
) -> None:
    project.write("train.py", "import os\nos.rmdir('/opt/ml/model')\n" + code.format(s=str(secret)))
    step = {"kind": "training", "script": "train.py", "outputs": {"model": {}}}
    project.declare(steps={"step": step})
    ran = project.run_step()
    assert ran.result.status is Status.FAILED
    assert not (ran.folder.step("step").outputs / "model").exists()


def test_the_kernel_and_its_terminals_are_out_of_reach(project: ProjectFolder) -> None:
    project.declare_step(
        "import os\n"
        "for path in ('/proc/sys/kernel/core_pattern', '/proc/sys/vm/overcommit_memory'):\n"
        "    try: os.open(path, os.O_WRONLY); print(path)\n"
        "    except OSError: pass\n"
        "print(sorted(os.listdir('/dev/pts')), os.path.exists('/dev/sda'))\n"
        "import pty; pty.openpty()\n"
        "open('/dev/null', 'w').write('x'); os.urandom(4); open('/dev/stdout', 'w').write('ok')\n"
        + WRITE
    )
    ran = project.run_step()
    assert ran.codes == []
    assert ran.stdout() == "['ptmx'] False\nok"


@pytest.mark.skipif(not os.access("/var/lib", os.W_OK), reason="needs a folder below /var/lib")
def test_sockets_of_daemons_are_out_of_reach(project: ProjectFolder) -> None:
    with tempfile.TemporaryDirectory(dir="/var/lib") as folder, socket.socket(socket.AF_UNIX) as s:
        s.bind(f"{folder}/sock")
        s.listen()
        project.declare_step(
            "import socket\n"
            f"try: socket.socket(socket.AF_UNIX).connect('{folder}/sock'); print('reached')\n"
            "except FileNotFoundError: print('no')\n" + WRITE
        )
        assert project.run_step().stdout() == "no\n"


@pytest.mark.parametrize("place", ["/tmp", "/opt/ml/processing/output"])
def test_a_deep_tree_of_folders(project: ProjectFolder, place: str) -> None:
    project.declare_step(
        f"import os\nos.chdir('{place}')\n"
        "for _ in range(1500): os.mkdir('d'); os.chdir('d')\n" + WRITE
    )
    ran = project.run_step()
    assert ran.codes == ([] if place == "/tmp" else ["F308"])
    left = Path(tempfile.gettempdir()).glob(f"mlvalidate-step-{os.getpid()}-*")
    assert list(left) == []
    # pytest's own cleaning up can't follow either.
    subprocess.run(["rm", "-rf", ran.folder.root], check=True)


def test_a_sparse_file_of_terabytes(project: ProjectFolder) -> None:
    script = "open('/opt/ml/processing/output/x.bin', 'w').truncate(2 * 10**12)"
    project.declare_step(script)
    assert project.run_step().codes == ["X213"]
    project.declare_step(script, disk="3TB")
    ran = project.run_step()
    assert ran.codes == []
    assert ran.step.outputs[0].files[0].digest.startswith("~")


@pytest.mark.parametrize(
    ("code", "codes"),
    [
        ("open(b'/opt/\\xff\\xfe.txt', 'w').write('x')", ["F310"]),
        ("import signal; os.kill(os.getppid(), signal.SIGINT)", []),
        (
            "open('/opt/mlvalidate/notes.jsonl', 'a').write("
            '\'{"kind": "pip", "detail": [], "location": ""}\\n\')',
            [],
        ),
    ],
)
def test_odd_things_are_no_error_of_ours(
    project: ProjectFolder, code: str, codes: list[str]
) -> None:
    project.declare_step(f"import os\n{code}\n{WRITE}")
    assert project.run_step().codes == codes


def test_an_error_whose_key_is_no_text(project: ProjectFolder) -> None:
    project.declare_step(
        "class K:\n    def __repr__(self): return '{[]: 1}'\nraise KeyError(K())\n"
    )
    assert project.run_step().codes == ["X201"]


def test_a_step_that_ended_in_time_has_not_timed_out(project: ProjectFolder) -> None:
    project.declare_step(
        "import subprocess, time\nsubprocess.Popen(['sleep', '9'])\ntime.sleep(2)\n" + WRITE,
        timeout=4,
    )
    # Whether the limit or the end of the grace kills the sleep first does not matter.
    assert "X203" not in project.run_step().codes


def test_credentials_are_there_when_they_are_allowed(
    project: ProjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]")
    project.declare_step(
        f"import os; print(os.listdir('{tmp_path}/.aws'))\n{WRITE}", credentials="allow"
    )
    assert project.run_step().stdout() == "['config']\n"


def test_files_without_a_byte_are_nothing(project: ProjectFolder) -> None:
    project.declare_step("open('/opt/ml/processing/output/f.csv', 'w')")
    assert project.run_step().codes == ["F306"]


def test_a_name_with_brackets(project: ProjectFolder) -> None:
    project.declare_step(
        "open('/opt/ml/processing/output/data[1].csv', 'w').write('x')",
        outputs={"out": {"path": "/opt/ml/processing/output", "files": {"data[1].csv": "file"}}},
    )
    assert project.run_step().codes == []


def test_a_question_to_pip_on_the_path_has_an_empty_answer(project: ProjectFolder) -> None:
    project.declare_step(
        "import subprocess\nprint(subprocess.check_output(['pip', 'freeze']))\n" + WRITE
    )
    ran = project.run_step()
    assert ran.codes == []
    assert ran.stdout() == "b''\n"


def test_an_impossible_variable_says_so(project: ProjectFolder) -> None:
    project.declare_step(WRITE, env={"A=B": "x"})
    assert "illegal environment variable name" in project.run_step().finding("X205").message


@pytest.fixture
def two_samples(project: ProjectFolder) -> Iterator[ProjectFolder]:
    for name in "ab":
        project.write(f"data/{name}/part-0.csv", f"x\n{ord(name)}\n")
    column = {"x": {"type": "integer"}}
    project.write("step.py", WRITE)
    project.declare(
        datasets={name: {"sample": f"data/{name}", "columns": column} for name in "ab"},
        steps={
            "step": {
                "script": "step.py",
                "inputs": {"raw": {"files": {"a*.csv": "a", "b*.csv": "b"}}},
                "outputs": OUT,
            },
            "twins": {
                "script": "step.py",
                "inputs": {"raw": {"files": {"*.csv": "a", "?*.csv": "b"}}},
                "outputs": OUT,
            },
        },
    )
    yield project
    assert (project.root / "data/a/part-0.csv").read_text() == "x\n97\n"


def test_samples_of_the_same_name_do_not_overwrite_each_other(two_samples: ProjectFolder) -> None:
    from mlvalidate.core.plan import DataSource

    ran = two_samples.run_step(data=DataSource.SAMPLE)
    assert [file.name for file in ran.step.inputs[0].files] == ["apart-0.csv", "bpart-0.csv"]
    with pytest.raises(UsageError, match="two files named part-0"):
        two_samples.run_step("twins", data=DataSource.SAMPLE)


def test_secrets_among_listed_arguments_are_masked(project: ProjectFolder) -> None:
    project.declare_step(
        "import sys; print(sys.argv)\n" + WRITE,
        args=["--password", "hunter2hunter2", "--api-key=abcd1234efgh", "--sort-key", "customer"],
    )
    ran = project.run_step()
    assert "hunter2hunter2" not in ran.stdout() + ran.folder.journal.read_text()
    assert "abcd1234efgh" not in ran.stdout() + ran.folder.journal.read_text()
    assert "customer" in ran.stdout()


def test_signals_are_what_they_were(project: ProjectFolder) -> None:
    project.declare_step(
        "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n"
        + WRITE
    )
    assert project.run_step().stdout() == "True\n"
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
