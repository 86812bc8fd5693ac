"""The parts of a record that need no store: series, datasets, notes, circumstances."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tracking_builders import START, make_plan, make_result, make_step

from mlvalidate.core.events import SampleTaken
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.results import FileSummary, PortSummary, Status
from mlvalidate.tracking.context import run_context
from mlvalidate.tracking.datasets import dataset_uses
from mlvalidate.tracking.note import run_report, step_report
from mlvalidate.tracking.series import thin_out, usage_series


def sample(at: float, cpu_s: float) -> SampleTaken:
    return SampleTaken(at=at, node="a", rss_mb=10, cpu_s=cpu_s, processes=1)


def test_cpu_is_the_share_since_the_sample_before() -> None:
    samples = [sample(START + 1, 0.5), sample(START + 2, 2.5), sample(START + 2, 2.5)]
    # A worker that nobody waited for takes its time with it.
    samples.append(sample(START + 3, 1.0))
    cpu = [m for m in usage_series(START, samples) if m.key == "system/process_cpu_percent"]
    assert [point.value for point in cpu] == [50.0, 200.0, 0.0]
    assert [point.step for point in cpu] == [0, 1, 2]


def test_thinning_keeps_the_order_and_every_peak() -> None:
    points = [(float(n), 1.0) for n in range(10_007)]
    points[7001] = (7001.0, 99.0)
    thin = thin_out(points)
    assert len(thin) == 1000
    assert thin == sorted(thin)
    assert (7001.0, 99.0) in thin
    assert thin_out(points[:1000]) == points[:1000]


def table(name: str, digest: str, kind: str = "int64") -> FileSummary:
    return FileSummary(name=name, size_bytes=1, digest=digest, columns={"a": kind}, rows=3)


def test_a_table_that_is_read_and_written_unchanged_is_one_dataset() -> None:
    port = PortSummary(port="p", path="/opt/ml/p", files=(table("x.csv", "same"),))
    step = make_step(0, "a", inputs=(port,), outputs=(port, port))
    (use,) = dataset_uses(step)
    assert use.context == "input,output"
    assert use.name == "p/x.csv"
    assert json.loads(use.profile) == {"num_rows": 3, "size_bytes": 1}


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("int64", "long"),
        ("Int32", "integer"),
        ("uint8", "integer"),
        ("float64", "double"),
        ("float32", "float"),
        ("double[pyarrow]", "double"),
        ("boolean", "boolean"),
        ("datetime64[ns, UTC]", "datetime"),
        ("date32[day]", "datetime"),
        ("category", "string"),
        ("object", "string"),
    ],
)
def test_types_of_columns(kind: str, stored: str) -> None:
    port = PortSummary(port="p", path="/opt/ml/p", files=(table("x.csv", "d", kind),))
    (use,) = dataset_uses(make_step(0, "a", inputs=(port,), outputs=()))
    assert json.loads(use.schema)["mlflow_colspec"][0]["type"] == stored


def test_report_holds_the_worst_findings_first_and_not_all(tmp_path: Path) -> None:
    infos = [Finding(code="X2", severity=Severity.INFO, message=f"i{n}") for n in range(30)]
    step = make_step(0, "train", Status.FAILED)
    step = step.model_copy(update={"findings": (*infos, *step.findings)})
    report = run_report(make_result(make_plan(tmp_path, ("train",)), [step]))
    lines = [line for line in report.splitlines() if line.startswith("- ")]
    assert lines[0] == (
        "- **X201** error train: exit code 1 \\| \\<b\\>bold\\</b\\> "
        "(`scripts/train.py:12`) _Look at \\`stderr\\`._"
    )
    assert lines[1].startswith("- **G601** warning")
    assert len(lines) == 21
    assert lines[-1] == "- and 12 more in `result.json`"


def test_report_of_a_step() -> None:
    report = step_report(make_step(0, "train", message="out of luck"), "mlvalidate test `x`")
    assert report == (
        "**PASSED** · step train (processing, `scripts/train.py`) · 4.00s · no findings\n\n"
        "out of luck\n\n"
        "Reproduce: `mlvalidate test 'x'`\n"
    )


@pytest.mark.parametrize(
    ("environ", "name", "url"),
    [
        (
            {"GITLAB_CI": "true", "CI": "true", "CI_JOB_URL": "https://g/1"},
            "GitLab CI",
            "https://g/1",
        ),
        ({"JENKINS_URL": "http://j", "BUILD_URL": "http://j/2"}, "Jenkins", "http://j/2"),
        (
            {
                "TF_BUILD": "True",
                "SYSTEM_COLLECTIONURI": "https://a/",
                "SYSTEM_TEAMPROJECT": "p",
                "BUILD_BUILDID": "3",
            },
            "Azure Pipelines",
            "https://a/p/_build/results?buildId=3",
        ),
        ({"CI": "1"}, "CI", None),
        ({}, None, None),
    ],
)
def test_ci_job(tmp_path: Path, environ: dict[str, str], name: str | None, url: str | None) -> None:
    tags = run_context(tmp_path, environ)
    assert tags.get("mlvalidate.ci.name") == name
    assert tags.get("mlvalidate.ci.url") == url
    assert "mlvalidate.git.commit" not in tags


def test_secrets_of_the_environment_stay_out_of_the_circumstances(tmp_path: Path) -> None:
    environ = {"CI": "1", "CI_JOB_URL": "https://ci/hunter22", "JOB_TOKEN": "hunter22"}
    assert run_context(tmp_path, environ)["mlvalidate.ci.url"] == "https://ci/***"


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "mlvalidate.git.commit" not in run_context(tmp_path, {})
