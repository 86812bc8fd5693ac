"""The contract against the script, before anything runs: C101 to C113."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate import api
from mlvalidate.core.errors import ExitCode, UsageError
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.engine import static_checks
from mlvalidate.project.script_scan import scan_script
from tests.projects import ProjectFolder

PARSER = """
import argparse
p = argparse.ArgumentParser()
p.add_argument('--ratio', type=float, required=True)
p.add_argument('-n', '--number', type=int, default=1)
p.add_argument('--kind', choices=['a', 'b'])
p.add_argument('--flag', action='store_true')
p.parse_args()
"""
LENIENT = PARSER.replace("p.parse_args()", "args, _ = p.parse_known_args()")
GOOD_ARGS = {"ratio": 0.5, "number": 3, "kind": "a", "flag": True}
MAIN = "def main(input_paths, output_paths, environ_vars, job_args):\n    pass\n"


def check(project: ProjectFolder, script: str, **step: Any) -> list[Finding]:
    project.write("step.py", script)
    project.declare(steps={"step": {"script": "step.py", **step}})
    return list(api.check(project.load()))


def codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity.value) for finding in findings]


@pytest.mark.parametrize(
    ("script", "step", "expected", "message"),
    [
        ("print(1", {}, ("C101", "error"), "step.py: SyntaxError"),
        ("print 1", {}, ("C101", "error"), "SyntaxError"),
        (PARSER, {"args": {**GOOD_ARGS, "ratoi": 1}}, ("C102", "error"), "no option --ratoi"),
        (PARSER, {"args": {**GOOD_ARGS, "number": "x"}}, ("C103", "error"), "--number takes int"),
        (PARSER, {"args": {**GOOD_ARGS, "kind": "c"}}, ("C103", "error"), "one of a, b, not 'c'"),
        (PARSER, {"args": {"number": 1}}, ("C104", "error"), "requires --ratio"),
        ("import os; os.environ['A']", {}, ("C105", "error"), "variable A, which nothing sets"),
        ("import os\ndef f(): return os.environ['A']\nf()", {}, ("C105", "warning"), "variable A"),
        ("open('/opt/ml/processing/raw/a')", {}, ("C106", "warning"), "/opt/ml/processing/raw/a"),
        ("print(1)", {"outputs": {"o": {}}}, ("C107", "warning"), "output o: the script mentions"),
        ("import no_such_module", {}, ("C108", "error"), "no module 'no_such_module'"),
        ("def f():\n    import no_such_module\nf()", {}, ("C108", "warning"), "no_such_module"),
        ("def f(): pass", {"kind": "callable"}, ("C109", "error"), "has no function 'main'"),
        ("def main(a, b): pass", {"kind": "callable"}, ("C109", "error"), "takes 2 values (a, b)"),
        ("def f(): pass", {}, ("C110", "error"), "runs nothing"),
        (MAIN.replace("pass", "job_args.depth"), {"kind": "callable"}, ("C112", "warning"),
         "main reads job_args.depth"),
        ("import os; os.environ.get('RANDOM_SEEDS', '1')", {"env": {"RANDOM_SEED": "7"}},
         ("C113", "warning"), "sets RANDOM_SEED, which the script never reads; it reads RANDOM_S"),
        ("import os; os.getenv('RANDOM_SEEDS')", {"env": {"RANDOM_SEED": "7"}},
         ("C113", "warning"), "it reads RANDOM_SEEDS"),
        (MAIN.replace("pass", "environ_vars.get('SEED', 1)") + "print('SEEDS')",
         {"kind": "callable", "env": {"SEEDS": "7"}}, ("C113", "warning"), "it reads SEED"),
        (LENIENT, {"args": {**GOOD_ARGS, "ratoi": 1}}, ("C102", "warning"), "--ratoi and ignores"),
        (LENIENT, {"args": {"ratio": "x"}}, ("C103", "error"), "--ratio takes float"),
        (PARSER.replace("p.parse_args()", "a = p.parse_known_args()[0]"),
         {"args": {**GOOD_ARGS, "ratoi": 1}}, ("C102", "warning"), "--ratoi and ignores it"),
    ],
)  # fmt: skip
def test_one_fault(
    project: ProjectFolder, script: str, step: Any, expected: tuple[str, str], message: str
) -> None:
    findings = check(project, script, **step)
    assert codes(findings) == [expected]
    assert message in findings[0].message
    assert findings[0].step == "step"
    assert findings[0].location is not None
    assert findings[0].location.startswith("step.py")
    assert findings[0].reproduce.startswith("mlvalidate check step")


IN = {"inputs": {"data": {"path": "/opt/ml/processing/input/data"}}}


@pytest.mark.parametrize(
    ("script", "step"),
    [
        (PARSER, {"args": GOOD_ARGS}),
        (PARSER, {"args": ["--ratio=1", "-n", "-3"]}),
        (PARSER, {"args": {"ratio": -0.5}}),
        (PARSER.replace("p.parse_args()", "p.parse_known_args()"), {"args": {"other": 1}}),
        (LENIENT + "print(_)", {"args": {"other": 1}}),
        (LENIENT + "import os; os.environ.get('SM_HPS')", {"args": {**GOOD_ARGS, "other": 1}}),
        (LENIENT + "open('/opt/ml/input/config/hyperparameters.json')",
         {"args": {**GOOD_ARGS, "other": 1}}),
        (PARSER + "s = p.add_subparsers()", {"args": {"other": 1}}),
        ("import os; os.environ.get('LOG_LEVEL', 'INFO')", {"env": {"OMP_NUM_THREADS": "1"}}),
        ("import os; os.environ.get('SEED'); os.environ.get('SEEDS')", {"env": {"SEED": "1"}}),
        (MAIN.replace("pass", "environ_vars['SEED']"), {"kind": "callable", "env": {"SEED": "1"}}),
        ("import argparse\np = argparse.ArgumentParser()\nfor n in 'ab':\n"
         "    p.add_argument('--' + n)\np.parse_args()", {"args": {"a": 1}}),
        ("import click\n@click.command()\ndef f(): pass\nf()", {"args": {"a": 1}}),
        ("import os; os.environ['A']", {"env": {"A": "1"}}),
        ("import os; os.environ.get('A'); os.getenv('B'); os.environ['PATH']", {}),
        ("import os\nif 'A' in os.environ:\n    x = os.environ['A']\n", {"env": {"A": ""}}),
        ("import os; os.environ['SM_MODEL_DIR']; os.environ['SM_CHANNEL_DATA']",
         {"kind": "training", "inputs": {"data": {}}}),
        ("open('/opt/ml/processing/input/data/a.csv')", IN),
        ("import os; os.listdir('/opt/ml/processing/input')", IN),
        ("base = '/opt/ml/processing'\nprint(f'{base}/input')", IN),
        ("import sys; open(sys.argv[2])", {**IN, "args": {"in": "/opt/ml/processing/input/data"}}),
        ("open('/opt/ml/processing/input/data/a'); open('/opt/ml/output/message')", IN),
        ("try:\n    import no_such_module\nexcept ImportError:\n    pass", {}),
        ("import helper", {}),
        (MAIN, {"kind": "callable"}),
        (MAIN.replace("job_args)", "job_args, logger=None)"), {"kind": "callable"}),
        ("def main(*values): pass", {"kind": "callable"}),
        (MAIN.replace("pass", "getattr(job_args, 'x', 1); job_args.y"),
         {"kind": "callable", "args": {"y": 1}}),
        ("from helper import main", {"kind": "callable"}),
        (MAIN + "if __name__ == '__main__':\n    main(1, 2, 3, 4)", {"entry": "both"}),
    ],
)  # fmt: skip
def test_nothing_to_say(project: ProjectFolder, script: str, step: Any) -> None:
    project.write("helper.py", "def main(*values): pass\n")
    found = check(project, script, **step)
    # A guarded import that is not there is worth a warning, no more.
    assert [f.message for f in found if f.severity is Severity.ERROR] == []
    assert not [f.message for f in found if f.code != "C108"]


def test_helpers_are_read_too(project: ProjectFolder) -> None:
    project.write("helper.py", "import no_such_module, os\nos.environ['A']\n")
    findings = check(project, "import helper")
    assert sorted(codes(findings)) == [("C105", "error"), ("C108", "error")]
    assert {finding.location for finding in findings} == {"helper.py:1", "helper.py:2"}


def test_edges(project: ProjectFolder) -> None:
    project.write("step.py", "print('/opt/ml/processing')")
    column = {"type": "integer"}
    spare = {**column, "optional": True}
    project.declare(
        datasets={
            "made": {"columns": {"a": column, "b": {"type": "string"}}},
            "used": {"columns": {"a": {"type": "date"}, "c": column, "d": spare}},
            "packed": {"format": "parquet", "columns": {"a": column}},
        },
        steps={
            "make": {"script": "step.py", "outputs": {"o": {"files": {"t.csv": "made"}}}},
            **{
                name: {"script": "step.py", "inputs": {"i": {"files": files}}}
                for name, files in {
                    "used": {"t.csv": "used"},
                    "packed": {"*.csv": "packed"},
                    "other": {"u.csv": "made"},
                    "fine": {"*.csv": "made"},
                }.items()
            },
        },
        pipelines={
            "p": {
                "nodes": ["make", "used", "packed", "other", "fine"],
                "edges": {f"{name}.i": "make.o" for name in ("used", "packed", "other", "fine")},
            }
        },
    )  # fmt: skip
    findings = api.check(project.load(), ["p"])
    assert {(f.code, f.step) for f in findings} == {("C111", "make")}
    assert sorted((f.observed_in or "", f.message.partition(": ")[2]) for f in findings) == [
        ("other", "it declares no file u.csv; other.i reads it"),
        ("packed", "dataset made is csv, and packed is parquet; packed.i reads it"),
        ("used", "column 'a' is integer in dataset made and date in used; used.i reads it"),
        ("used", "dataset made has no column 'c', which used has; used.i reads it"),
    ]


def test_a_run_begins_with_them(project: ProjectFolder) -> None:
    project.declare_step("import os\nprint('/opt/ml/processing/output')\nos.environ['A']")
    ran = project.run_step()
    assert [finding.code for finding in ran.result.all_findings] == ["C105", "X201"]


def test_an_error_fails_a_step_that_ended_well(project: ProjectFolder) -> None:
    project.declare_step("def main(): pass", outputs={})
    result = project.run_step().result
    assert [finding.code for finding in result.all_findings] == ["C110"]
    assert result.exit_code is ExitCode.FAILED


def test_a_run_that_goes_well_refutes_a_prediction(project: ProjectFolder) -> None:
    project.declare_step(
        """
        import subprocess
        open('/opt/ml/processing/output/a', 'w').write('a')
        try_me = lambda: __import__('os').environ['A']
        import sys; sys.exit(0)
        import no_such_module
        """
    )
    finding = project.run_step().result.all_findings[0]
    assert (finding.code, finding.severity) == ("C108", Severity.WARNING)


def test_unknown_names(project: ProjectFolder) -> None:
    project.declare_step("print(1)")
    with pytest.raises(UsageError, match="no pipeline or step 'stp'"):
        api.check(project.load(), ["stp"])


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_survived(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "step.py").write_bytes(content)
    facts = scan_script(folder / "step.py", folder, folder)
    assert facts.file == "step.py"


def test_odd_files_are_survived(tmp_path: Path) -> None:
    script = tmp_path / "step.py"
    for text in ("(" * 5000, "x = " + "-" * 20_000 + "1", "x = '" + "a" * 3_000_000 + "'"):
        script.write_text(text)
        assert not scan_script(script, tmp_path, tmp_path).imports


def test_an_interpreter_is_asked_once_for_all_steps(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {}
    for name in ("a", "b", "c"):
        project.write(f"{name}.py", "import nowhere_to_be_found\n")
        steps[name] = {"script": f"{name}.py", "outputs": {"out": {"required": False}}}
    project.declare(steps=steps, pipelines={"p": {"nodes": ["a"]}})
    asked = []
    probe = static_checks._probe

    def count(*call: Any) -> Any:
        asked.append(call)
        return probe(*call)

    monkeypatch.setattr(static_checks, "_probe", count)
    found = {(finding.step, finding.code) for finding in api.check(project.load())}
    assert found >= {("a", "C108"), ("b", "C108"), ("c", "C108")}
    assert len(asked) == 1
