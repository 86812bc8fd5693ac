"""Evidence for checks and hints, made by hand, and real crashes to test the hints on."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from mlvalidate.checks.evidence import Evidence, PortContent
from mlvalidate.core.contracts import Access, Port, Step
from mlvalidate.core.execution import Note, Outcome
from mlvalidate.core.plan import FileToMake, Origin, PlannedInput, PlannedStep
from mlvalidate.core.results import FileSummary, PortSummary

RAW = "/opt/ml/processing/input/raw"
OUT = "/opt/ml/processing/output/out"


def make_outcome(**changes: object) -> Outcome:
    """An outcome, by default of a script that failed with exit code 1."""
    fields: dict[str, object] = {
        "exit_code": 1,
        "signal": None,
        "stop": None,
        "start_failure": "",
        "duration_s": 1.0,
        "cpu_s": 1.0,
        "peak_rss": 10**6,
        "read_bytes": 0,
        "written_bytes": 0,
        "leftovers": (),
        "changes": (),
        "read_only": (),
        **changes,
    }
    return Outcome(**fields)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Table:
    """A table that an input holds. Without a producer it was generated."""

    port: str
    file: str
    columns: tuple[str, ...]
    producer: str = ""
    declared: tuple[str, ...] = ()


CUSTOMERS = Table("raw", "customers.csv", ("customer_id", "charges", "plan"))


def make_evidence(
    stderr: str = "",
    *tables: Table,
    outcome: Outcome | None = None,
    notes: tuple[Note, ...] = (),
    env: dict[str, str] | None = None,
    network: Access = Access.DENY,
    credentials: Access = Access.DENY,
    without_outputs: bool = False,
    outputs: tuple[PortContent, ...] = (),
    message: str = "",
) -> Evidence:
    """Evidence of a processing step `clean` with script `work.py` and an output `out`."""
    step = Step(
        script="work.py",
        inputs={table.port: Port() for table in tables},
        outputs={} if without_outputs else {"out": Port()},
    )
    planned = PlannedStep(
        node="clean",
        step_name="clean",
        step=step,
        inputs=tuple(
            PlannedInput(
                port=table.port,
                container_path=f"/opt/ml/processing/input/{table.port}",
                origin=Origin.EDGE if table.producer else Origin.SYNTHETIC,
                producer=table.producer,
                output="out" if table.producer else "",
                files=() if table.producer else (FileToMake(name=table.file, dataset="data"),),
            )
            for table in tables
        ),
        python=Path(sys.executable),
        timeout=10,
        memory=10**9,
        network=network,
        credentials=credentials,
        env=env or {},
    )
    inputs = tuple(
        PortSummary(
            port=table.port,
            path=f"/opt/ml/processing/input/{table.port}",
            files=(
                FileSummary(
                    name=table.file,
                    size_bytes=10,
                    digest="d",
                    rows=2,
                    columns=dict.fromkeys(table.columns, "str") if table.columns else None,
                    declared_columns=table.declared,
                ),
            ),
        )
        for table in tables
    )
    return Evidence(
        planned=planned,
        root=Path("/project"),
        outcome=outcome or make_outcome(),
        inputs=inputs,
        outputs=outputs,
        stderr=stderr,
        notes=notes,
        message=message,
        reproduce="mlvalidate test-script clean",
    )


@dataclass(frozen=True)
class Crash:
    """What a real script wrote before it died."""

    script: Path
    stderr: str
    exit_code: int


@dataclass
class CrashSite:
    """Runs scripts for real and keeps their last words."""

    folder: Path
    crashes: dict[str, Crash] = field(default_factory=dict)

    def run_all(self, scripts: dict[str, str]) -> None:
        """Run all scripts under a host that has loaded pandas and friends once."""
        for name, text in scripts.items():
            (self.folder / f"{name}.py").write_text(dedent(text))
        host = Path(__file__).with_name("checks_crash_host.py")
        # Nothing of whoever runs the tests: no credentials, no proxies, no instance metadata.
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AWS_EC2_METADATA_DISABLED": "1",
        }
        subprocess.run([sys.executable, host, self.folder], check=True, env=env, timeout=120)
        for name in scripts:
            path = self.folder / name
            self.crashes[name] = Crash(
                script=path.with_suffix(".py"),
                stderr=path.with_suffix(".err").read_text(),
                exit_code=int(path.with_suffix(".code").read_text()),
            )


def run_alone(folder: Path, text: str, *arguments: str) -> Crash:
    """Run one script in an interpreter of its own."""
    script = folder / "alone.py"
    script.write_text(dedent(text))
    done = subprocess.run(
        [sys.executable, "-I", script, *arguments], capture_output=True, text=True, timeout=60
    )
    return Crash(script, done.stderr, done.returncode)
