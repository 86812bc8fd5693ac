"""The files for CI services: valid, complete, and harmless whatever users write."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import jsonschema
import junitparser
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from report_builders import failed_result, finding, pipeline_result, step_result

from mlvalidate.core.findings import Severity
from mlvalidate.core.reporters import Report
from mlvalidate.core.results import PipelineResult, Status
from mlvalidate.core.suite import LeftOut, SuiteResult
from mlvalidate.reporting.comment import COMMENT_BYTES, fit, render_comment
from mlvalidate.reporting.github import MOST_ANNOTATIONS, render_annotations, render_summary
from mlvalidate.reporting.junit import render_junit
from mlvalidate.reporting.markdown import escape, table
from mlvalidate.reporting.sarif import render_sarif

SCHEMAS = Path(__file__).parent / "schemas"
ROOT = Path("/home/ann/repo/examples/churn")
ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


@pytest.fixture(scope="module")
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMAS / "junit.xsd")


# No fixture: hypothesis writes down the arguments of its tests, and this one is long.
@functools.cache
def sarif_schema() -> jsonschema.Draft7Validator:
    schema = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text())
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


def report(*runs: PipelineResult, source_url: str = "", **fields: object) -> Report:
    suite = SuiteResult.model_validate(
        {
            "project": "churn",
            "command": "mlvalidate test-all",
            "started_at": 100.0,
            "finished_at": 112.3,
            "runs": runs,
            **fields,
        }
    )
    tails = {(run.run_id, "train"): ("epoch 1", "KeyError: 'tenure'") for run in runs}
    return Report(suite, ROOT, ROOT.parent.parent, tails, source_url)


def everything() -> Report:
    left_out = (
        LeftOut(name="train", reason="nothing provides data", covered_by=("churn",)),
        LeftOut(name="late", reason="interrupted before it began"),
    )
    return report(
        failed_result(),
        pipeline_result(step_result("solo"), kind="script", name="solo"),
        pipeline_result(status=Status.INTERRUPTED, name="cut"),
        left_out=left_out,
    )


def odd(text: str) -> Report:
    """A report in which users wrote ``text`` wherever they can."""
    said = finding("X201", message=text, step="train", location=text, hint=text, evidence=(text,))
    failed = step_result("train", status=Status.FAILED, entry_point=text, findings=(said,))
    return report(
        pipeline_result(failed, status=Status.FAILED, notes=(text,), command=text, scenario=text)
    )


def test_junit_is_valid_and_is_read_back(junit_schema: xmlschema.XMLSchema, tmp_path: Path) -> None:
    text = render_junit(everything())
    junit_schema.validate(text)
    (tmp_path / "junit.xml").write_text(text)
    suites = list(junitparser.JUnitXml.fromfile(str(tmp_path / "junit.xml")))
    assert [(s.name, s.tests, s.failures, s.errors, s.skipped) for s in suites] == [
        ("pipeline churn", 10, 4, 0, 2),
        ("script solo", 1, 0, 0, 0),
        ("pipeline cut", 1, 0, 1, 0),
        ("not run", 2, 0, 1, 1),
    ]
    cases = {case.name: case for case in suites[0]}
    assert list(cases) == [
        "preprocess",
        "preprocess: X230",
        "train",
        "train: X240",
        "train: X201",
        "train: F301",
        "evaluate",
        "package",
        "report",
        "churn: G601",
    ]
    assert cases["train: X240"].is_passed
    assert cases["preprocess"].is_passed
    assert cases["preprocess"].classname == "churn.churn"
    (failure,) = cases["train"].result
    assert isinstance(failure, junitparser.Failure)
    assert failure.type == "X201"
    assert "and 1 more" in failure.message
    for said in ("examples/churn/scripts/train.py:31", "did you mean", "KeyError: 'tenure'"):
        assert said in failure.text
    assert cases["evaluate"].result[0].message == "train failed"
    assert float(cases["train"].time) == 75.0


def test_checks_are_cases(junit_schema: xmlschema.XMLSchema) -> None:
    said = finding("F331", message="they share 3 keys", step="split")
    checks = (
        {"code": "F331", "name": "disjoint", "outcome": "failed", "messages": (said.message,)},
        {"code": "F330", "name": "rows", "outcome": "passed"},
        {"code": "F335", "name": "finite", "outcome": "skipped", "reason": "no table"},
    )
    step = step_result("split", status=Status.FAILED, findings=(said,), checks=checks)
    text = render_junit(report(pipeline_result(step)))
    junit_schema.validate(text)
    (suite,) = junitparser.JUnitXml.fromstring(text.encode())
    assert {case.name: [type(r).__name__ for r in case.result] for case in suite} == {
        "split": ["Failure"],
        "split: F331 disjoint": ["Failure"],
        "split: F330 rows": [],
        "split: F335 finite": ["Skipped"],
    }


def test_a_step_that_was_not_run_again_took_no_time() -> None:
    text = render_junit(report(pipeline_result(step_result("a", reused_from="r0"))))
    assert '<testcase classname="churn.churn" name="a" time="0.000"' in text


@given(text=ANY_TEXT)
def test_junit_holds_any_text(junit_schema: xmlschema.XMLSchema, text: str) -> None:
    junit_schema.validate(render_junit(odd(text)))


def test_sarif_is_valid() -> None:
    content = json.loads(render_sarif(everything()))
    sarif_schema().validate(content)
    (run,) = content["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({"X230", "X240", "X201", "F301", "G601"})
    by_id = {rule["id"]: rule for rule in rules}
    assert by_id["X201"]["name"] == "ScriptFailed"
    assert by_id["F301"]["shortDescription"]["text"]
    results = {result["ruleId"]: result for result in run["results"]}
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    place = results["X201"]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "examples/churn/scripts/train.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 31},
    }
    assert results["F301"]["level"] == "error"
    assert results["X230"]["level"] == "note"
    # Blamed on a step without naming a line: its script; on nothing: the project file.
    named = [results[c]["locations"][0]["physicalLocation"] for c in ("F301", "G601")]
    assert [each["artifactLocation"]["uri"] for each in named] == [
        "examples/churn/scripts/preprocess.py",
        "examples/churn/mlvalidate.yaml",
    ]


def test_sarif_tells_the_same_finding_of_two_runs_once() -> None:
    (run,) = json.loads(render_sarif(report(failed_result(), failed_result())))["runs"]
    assert {result["occurrenceCount"] for result in run["results"]} == {2}
    prints = [result["partialFingerprints"]["mlvalidate/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints) == 5


@given(text=ANY_TEXT)
def test_sarif_holds_any_text(text: str) -> None:
    content = render_sarif(odd(text))
    content.encode()
    sarif_schema().validate(json.loads(content))


def test_the_comment() -> None:
    text = render_comment(
        report(
            failed_result().model_copy(update={"run_url": "https://mlflow/#/runs/1"}),
            source_url="https://github.com/you/repo/blob/abc",
        )
    )
    assert text.startswith("## mlvalidate: churn FAILED\n")
    assert "[in MLflow](<https://mlflow/#/runs/1>)" in text
    link = "https://github.com/you/repo/blob/abc/examples/churn/scripts/train.py#L31"
    assert f"([examples/churn/scripts/train.py:31](<{link}>))" in text
    assert "| evaluate | skipped: train failed |" in text
    # The gravest first.
    codes = re.findall(r"^- \*\*(\w+)\*\*", text, re.MULTILINE)
    assert codes == ["X201", "F301", "G601", "X240", "X230"]
    assert "Reproduce: `mlvalidate test-pipeline churn`" in text


def test_the_comment_on_several_runs() -> None:
    text = render_comment(everything())
    assert "| script solo | passed | 12.3s | none |" in text
    assert "| train alone | not run |  | nothing provides data |" in text
    assert text.count("### ") == 3


def test_a_long_comment_is_cut_at_a_finding() -> None:
    many = tuple(finding("F301", message=f"{n} " + "x" * 200) for n in range(1000))
    long = report(pipeline_result(step_result(findings=many), status=Status.FAILED))
    text = render_comment(long)
    shown = text.count("**F301**")
    assert 100 < shown < 1000
    assert f"and {1000 - shown} more findings" in text
    assert len(text.encode()) <= COMMENT_BYTES
    assert text.endswith("Reproduce: `mlvalidate test-pipeline churn`\n")
    tiny = fit(long, 300)
    assert len(tiny.encode()) <= 300
    assert "too long to be shown" in tiny


@given(text=ANY_TEXT)
def test_markdown_cannot_be_broken_out_of(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>|~]", escaped)
    render_comment(odd(text)).encode()
    assert len(table(("a", "b"), [(escaped, escaped)]).splitlines()) == 3


def test_the_summary_leaves_room_for_what_is_there() -> None:
    assert render_summary(everything()) == render_comment(everything())
    assert render_summary(everything(), already=2**20) == ""
    assert len(render_summary(everything(), already=2**20 - 400).encode()) <= 400


def test_annotations_are_on_lines() -> None:
    lines = render_annotations(everything())
    assert (
        "::error file=examples/churn/scripts/train.py,line=31,title=X201 train::"
        "the script raised KeyError: 'tenure'%0Awhile it was reading the training channel, which "
        "preprocess wrote a moment before"
    ) in lines
    assert [line.split()[0] for line in lines] == [*["::error"] * 3, "::warning", "::notice"]


def test_annotations_are_as_many_as_github_shows() -> None:
    many = tuple(finding("F301", message=f"column {n}") for n in range(25))
    lines = render_annotations(report(pipeline_result(step_result(findings=many))))
    assert len(lines) == MOST_ANNOTATIONS
    assert lines[-1] == "::error title=mlvalidate::16 more errors are in the summary of the job"


@given(text=ANY_TEXT)
def test_an_annotation_is_one_command(text: str) -> None:
    (line,) = render_annotations(odd(text))
    assert len(line.splitlines()) == 1
    properties, _, _ = line.removeprefix("::error ").partition("::")
    assert [part.split("=")[0] for part in properties.split(",")] == ["file", "line", "title"]


def test_percent_colon_and_comma_are_escaped() -> None:
    said = finding("X201", Severity.WARNING, message="100%\nof a,b", location="a,b:c%/x.py:3")
    (line,) = render_annotations(report(pipeline_result(step_result(findings=(said,)))))
    assert line == (
        "::warning file=examples/churn/a%2Cb%3Ac%25/x.py,line=3,title=X201::100%25%0Aof a,b"
    )
