"""What a contract can allow a step beyond its sandbox: hosts, folders, variables."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mlvalidate import api
from mlvalidate.core.contracts import Network
from mlvalidate.core.errors import UsageError
from mlvalidate.core.findings import Severity
from mlvalidate.core.results import Status
from tests.projects import ProjectFolder

WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"


class TestNetwork:
    def test_recorded_connections_are_made_and_noted(self, project: ProjectFolder) -> None:
        with socket.socket() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            server.bind(("127.0.0.1", 0))
            server.listen()
            udp.bind(("127.0.0.1", 0))
            project.declare_step(
                "import socket\n"
                f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))\n"
                "for host in ('192.0.2.1', '192.0.2.1', '192.0.2.2'):\n"
                "    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
                "        s.sendto(b'x', (host, 9))\n"
                "try: socket.getaddrinfo(b'model-hub.invalid', 443)\n"
                "except OSError: pass\n" + WRITE,
                network="record",
            )
            ran = project.run_step()
        assert ran.result.status is Status.PASSED, ran.stderr()
        finding = ran.finding("X215")
        assert finding.severity is Severity.INFO
        assert finding.location == f"{project.root}/step.py:5"
        expected = ("192.0.2.1:9", "192.0.2.2:9", "model-hub.invalid:443")
        assert ran.step.hosts == expected
        assert finding.message == f"the script reached for {', '.join(expected)}"
        assert ran.codes == ["X215"]

    def test_a_host_that_is_asked_often_is_noted_once_a_line(self, project: ProjectFolder) -> None:
        project.declare_step(
            "import socket\n"
            "for _ in range(1200):\n"
            "    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
            "        try: s.sendto(b'x', ('192.0.2.1', 9))\n"
            "        except OSError: pass\n" + WRITE
        )
        ran = project.run_step()
        assert ran.finding("X207").evidence == (f"192.0.2.1:9 from {project.root}/step.py:4",)
        notes = ran.folder.step("step").harness / "notes.jsonl"
        assert notes.read_text().count('"network"') == 1

    def test_allowed_connections_are_no_finding(self, project: ProjectFolder) -> None:
        project.declare_step(
            "import socket\nsocket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 9))\n"
            + WRITE,
            network="allow",
        )
        ran = project.run_step()
        assert ran.codes == []
        assert ran.step.hosts == ("192.0.2.1:9",)

    def test_the_plan_says_so(self, project: ProjectFolder) -> None:
        project.declare_step(WRITE, network="record")
        plan = api.plan_script(project.load(), "step")
        assert plan.steps[0].network is Network.RECORD


class TestWrites:
    @pytest.fixture
    def shared(self, tmp_path: Path) -> Path:
        folder = tmp_path / "shared"
        folder.mkdir()
        (folder / "before.txt").write_text("before")
        return folder

    def test_what_is_written_there_stays(self, project: ProjectFolder, shared: Path) -> None:
        (project.root / "cache").mkdir()
        (project.root / "link").symlink_to(shared)
        project.declare_step(
            f"open('{shared}/before.txt', 'a').write(' and after')\n"
            f"open('{project.root}/link/new.txt', 'w').write('x')\n"
            f"open('{project.root}/cache/new.txt', 'w').write('x')\n" + WRITE,
            writes=["link", "cache"],
        )
        ran = project.run_step()
        assert ran.codes == [], ran.stderr()
        assert (shared / "before.txt").read_text() == "before and after"
        assert (shared / "new.txt").exists()
        assert (project.root / "cache" / "new.txt").exists()

    def test_nothing_around_it_can_be_written(self, project: ProjectFolder, shared: Path) -> None:
        project.declare_step(
            f"open('{shared.parent}/beside.txt', 'w').write('x')\n" + WRITE, writes=[str(shared)]
        )
        project.run_step()
        assert not (shared.parent / "beside.txt").exists()

    def test_the_plan_names_them(self, project: ProjectFolder, shared: Path) -> None:
        project.declare_step(WRITE, writes=[str(shared)])
        assert api.plan_script(project.load(), "step").steps[0].writes == (shared,)

    @pytest.mark.parametrize(
        ("folder", "reason"),
        [
            ("missing", "there is no such folder"),
            ("/", "it holds the project's folder"),
            (".", "it holds the project's folder"),
            ("~", "it holds your home folder"),
            (".mlvalidate/runs", "it is part of"),
            ("/proc/sys", "it is part of /proc"),
            ("link", "it holds the project's folder"),
        ],
    )
    def test_folders_that_are_not_to_give(
        self,
        project: ProjectFolder,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        folder: str,
        reason: str,
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        (tmp_path / "home").mkdir()
        (project.root / ".mlvalidate" / "runs").mkdir(parents=True)
        (project.root / "link").symlink_to("/")
        project.declare_step(WRITE, writes=[folder])
        with pytest.raises(UsageError, match=reason):
            api.plan_script(project.load(), "step")
        # Contracts can be compared with scripts all the same.
        api.check(project.load(), ["step"])


class TestPassEnv:
    def test_values_reach_the_script_and_nothing_else(
        self, project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REGISTRY", "registry-of-mine")
        monkeypatch.setenv("STAGE", "from-the-shell")
        project.write(
            "step.py",
            "import os\n"
            "print(os.environ['REGISTRY'], os.environ['REGISTRY'][::-1], os.environ['STAGE'])\n"
            + WRITE,
        )
        step = {
            "script": "step.py",
            "env": {"STAGE": "declared"},
            "pass_env": ["STAGE"],
            "outputs": {"out": {"path": "/opt/ml/processing/output"}},
        }
        project.declare(defaults={"pass_env": ["REGISTRY"]}, steps={"step": step})
        ran = project.run_step()
        assert ran.stdout() == f"*** {'registry-of-mine'[::-1]} declared\n"
        assert ran.finding("X212").file == "stdout.log"
        assert ran.result.steps[0].env == {"STAGE": "declared"}
        kept = [path for path in (project.root / ".mlvalidate").rglob("*") if path.is_file()]
        assert not [path for path in kept if b"registry-of-mine" in path.read_bytes()]

    def test_one_that_is_not_set(
        self, project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project.declare_step(WRITE, pass_env=["HUB_TOKN"])
        with pytest.raises(UsageError, match="`pass_env` of step step names HUB_TOKN") as caught:
            api.plan_script(project.load(), "step")
        assert caught.value.hint == "export HUB_TOKN=..., or take it out of `pass_env`"
        monkeypatch.setenv("HUB_TOKEN", "x")
        with pytest.raises(UsageError) as caught:
            api.plan_script(project.load(), "step")
        assert caught.value.hint == "did you mean 'HUB_TOKEN'?"
        api.check(project.load(), ["step"])
