"""The checks that steps and pipelines declare, through whole runs of small scripts."""

from __future__ import annotations

from typing import Any

import pytest

from mlvalidate.core.errors import UsageError
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.plan import Entry
from tests.projects import ProjectFolder, Ran

BASE = "/opt/ml/processing"
ROWS = [f"C{i},{i % 7},{'ab'[i // 2 % 2]},{i / 4},{i % 2}" for i in range(60)]
HEADER = "id,n,kind,x,label"
# Splits the rows of the input in two halves.
SPLIT = f"""
rows = open('{BASE}/input/raw/a.csv').read().splitlines()
header, rows = rows[0], rows[1:]
train, test = rows[:30], rows[30:]
def write(port, rows, header=header):
    open(f'{BASE}/output/{{port}}/{{port}}.csv', 'w').write('\\n'.join([header, *rows]) + '\\n')
"""
GOOD = "write('train', train); write('test', test)"
FEATURES = {
    "id": {"type": "string"},
    "n": {"type": "integer"},
    "kind": {"type": "category", "values": ["a", "b", "z"]},
    "x": {"type": "float"},
    "label": {"type": "integer", "label": True},
}


def run(project: ProjectFolder, script: str, *checks: Any, **step: Any) -> Ran:
    project.write("raw/a.csv", "\n".join([HEADER, *ROWS]) + "\n")
    project.write("step.py", SPLIT + script)
    ports = {name: {"files": {"*.csv": "d"}} for name in ("train", "test")}
    declared = {
        "script": "step.py",
        "inputs": {"raw": {"sample": "raw"}},
        "outputs": {**ports, "extra": {"required": False}},
        "checks": list(checks),
        **step,
    }
    project.declare(datasets={"d": {"columns": FEATURES, "key": "id"}}, steps={"step": declared})
    return project.run_step()


def only(ran: Ran, code: str) -> Finding:
    assert set(ran.codes) == {code}, [finding.message for finding in ran.result.all_findings]
    finding = next(f for f in ran.result.all_findings if f.code == code)
    assert (finding.step, finding.severity) == ("step", Severity.ERROR)
    assert finding.hint
    return finding


CHECKS: tuple[Any, ...] = (
    {"rows": {"from": "raw", "to": ["train", "test"], "ratio": [0.99, 1.0]}},
    {"disjoint": {"between": ["train", "test"], "on": "id"}},
    {"unique": {"port": "train", "on": ["id", "n"]}},
    {"foreign_key": {"from": "train.id", "to": "raw.id"}},
    {"no_label_in": {"ports": ["train", "test"]}},
    {"known_categories": {"known": "train", "ports": ["test"]}},
    {"same_schema": {"ports": ["train", "test"]}},
    "finite",
    "inputs_unchanged",
)


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("write('train', train[:-3]); write('test', test)", "F330", "60 rows go in (raw) and 57"),
        ("write('train', train); write('test', rows[29:59])", "F331", "share 1 keys (id)"),
        ("write('train', [r.replace('C', 'D') for r in train]); write('test', test)", "F333",
         "train.id: 30 of 30 values are not in raw.id"),
        ("write('train', rows[:30]); write('test', [r.replace('b', 'z') for r in rows[30:]])",
         "F336", "column 'kind' has 1 categories that train lacks: z"),
        ("swap = lambda r: ','.join([r.split(',')[i] for i in (0, 1, 2, 4, 3)]); "
         "write('train', train); write('test', list(map(swap, test)), swap(header))",
         "F340", "the columns are in another order"),
        ("write('train', rows[:30]); write('test', rows[30:]); "
         f"open('{BASE}/output/extra/e.csv', 'w').write('q\\n1\\ninf\\n')",
         "F335", "column 'q' of e.csv has 1 of 2 infinite values"),
        ("write('train', rows[:30]); write('test', rows[30:]); "
         f"open('{BASE}/input/raw/b.csv', 'w').write('q')", "F339", "added: b.csv"),
    ],
)  # fmt: skip
def test_one_fault(project: ProjectFolder, script: str, code: str, message: str) -> None:
    assert message in only(run(project, script, *CHECKS), code).message


def test_a_sound_step(project: ProjectFolder) -> None:
    assert run(project, GOOD, *CHECKS).codes == []


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("','.join([i, str(int(l) * 3 + 2), k, x, l])", "n"),
        ("','.join([i, n, 'ab'[int(l)], x, l])", "kind"),
        ("','.join([i, n, k, str(int(l) + int(i[1:]) / 1000), l])", "x"),
        ("','.join([i, n, k, str(-int(l)), l])", "x"),
    ],
)
def test_f334_a_feature_that_is_the_label(project: ProjectFolder, change: str, column: str) -> None:
    leak = f"def leak(r):\n    i, n, k, x, l = r.split(',')\n    return {change}\n"
    script = leak + "write('train', list(map(leak, rows))); write('test', test)"
    check = {"no_label_in": {"ports": ["train", "test"]}}
    finding = only(run(project, script, check), "F334")
    assert "alone foretells the label 'label' (100.0%)" in finding.message
    assert finding.column == column
    check["no_label_in"]["ignore"] = [column]
    assert run(project, script, check).codes == []


def test_f334_the_label_by_name(project: ProjectFolder) -> None:
    check = {"no_label_in": {"ports": ["train"], "label": "kind"}}
    assert "has the label 'kind' among" in only(run(project, GOOD, check), "F334").message


def test_f332_unique(project: ProjectFolder) -> None:
    script = "write('train', [r for r in rows]); write('test', test)"
    finding = only(run(project, script, {"unique": {"port": "train", "on": "n"}}), "F332")
    assert "60 of 60 rows share their n" in finding.message
    assert finding.evidence[0] == "n=0"


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"disjoint": {"between": ["train", "test"], "on": "idd"}}, "has no column 'idd'"),
        ({"unique": {"port": "train", "on": "idd"}}, "did you mean 'id'?"),
        ({"foreign_key": {"from": "train.id", "to": "raw.idd"}}, "has no column 'idd'"),
    ],
)
def test_a_column_that_is_not_there(project: ProjectFolder, check: Any, message: str) -> None:
    assert any(message in f.message for f in run(project, GOOD, check).result.all_findings)


# --- second runs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (GOOD, None),
        ("write('train', sorted(set(train))); write('test', test)", None),
        ("write('train', list(set(train))); write('test', test)", "train, train.csv: column"),
        ("import random; random.shuffle(rows); write('train', rows[:30]); write('test', rows[30:])",
         "column 'id' differs in"),
        ("import os; write('train', rows[:29 - len(os.environ)]); write('test', test)",
         "rows, and"),
        (GOOD + f"; import uuid; open(f'{BASE}/output/extra/{{uuid.uuid4()}}', 'w').write('x')",
         "only one of them wrote"),
        (GOOD + "; import json, time, datetime; json.dump({'at': time.time(), 'when': "
         "datetime.datetime.now().isoformat(), 'n': [1.5, None], 'on': str(datetime.date.today()), "
         "'s': int(time.time())}, "
         f"open('{BASE}/output/extra/e.json', 'w'))", None),
        (GOOD + "; import json, datetime; json.dump({'on': str(datetime.date.fromordinal("
         "100_000 + hash('x') % 3_000_000))}, "
         f"open('{BASE}/output/extra/e.json', 'w'))", "$.on is"),
        ("import datetime; year = datetime.date.today().year; "
         "write('train', [r.replace('C', f'C{year}') for r in train]); write('test', test)",
         "column 'id' differs in"),
        (GOOD + f"; import json, os; json.dump({{'n': [os.urandom(9).hex()]}}, "
         f"open('{BASE}/output/extra/e.json', 'w'))", "$.n[0] is"),
        (GOOD + "; import tarfile, io, os; t = tarfile.open("
         f"'{BASE}/output/extra/e.tar.gz', 'w:gz'); i = tarfile.TarInfo('m'); i.size = 4; "
         "import time; i.mtime = time.time(); t.addfile(i, io.BytesIO(b'same')); t.close()", None),
        (GOOD + "; import tarfile, io, os; t = tarfile.open("
         f"'{BASE}/output/extra/e.tar.gz', 'w:gz'); i = tarfile.TarInfo('m'); i.size = 4; "
         "t.addfile(i, io.BytesIO(os.urandom(4))); t.close()", "m in it: the content differs"),
        (GOOD + "\nimport os\nassert 'PYTHONHASHSEED' not in os.environ", "it fails (Assertion"),
    ],
)  # fmt: skip
def test_f337_deterministic(project: ProjectFolder, script: str, message: str | None) -> None:
    ran = run(project, script, "deterministic")
    if message is None:
        assert ran.codes == []
    else:
        found = [f for f in ran.result.all_findings if f.code == "F337"]
        assert message in found[0].message


def test_f337_options(project: ProjectFolder) -> None:
    script = "write('train', list(set(train))); write('test', [str(hash('x')) + t for t in test])"
    options = {"row_order": "ignore", "ignore": ["test/*"]}
    assert run(project, script, {"deterministic": options}).codes == []


def test_f338_row_order(project: ProjectFolder) -> None:
    script = "write('train', rows); write('test', sorted(rows))"
    assert run(project, script, "row_order_invariant").codes == []
    finding = only(run(project, GOOD, {"row_order_invariant": {"ignore": ["test/*"]}}), "F338")
    assert "output train, train.csv: column 'id' differs" in finding.message


BOTH = """
import argparse, os
def main(input_paths, output_paths, environ_vars, job_args):
    text = open(input_paths['raw'] + '/a.csv').read()
    for port, path in output_paths.items():
        if port != 'extra':
            open(f'{path}/{port}.csv', 'w').write(text)
    assert job_args.n == 3
if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--n', type=int)
    a = p.parse_args()
    base = '/opt/ml/processing/'
    main({'raw': base + 'input/raw'}, {k: base + 'output/' + k for k in ('train', 'test')}, {}, a)
"""


@pytest.mark.parametrize("kind", ["processing", "callable"])
def test_entry_both(project: ProjectFolder, kind: str) -> None:
    project.write("raw/a.csv", "\n".join([HEADER, *ROWS]) + "\n")
    step: dict[str, Any] = {
        "kind": kind,
        "script": "both.py",
        "entry": "both",
        "args": {"n": 3},
        "inputs": {"raw": {"sample": "raw"}},
        "outputs": {"train": {}, "test": {}},
    }
    project.write("both.py", BOTH)
    project.declare(steps={"step": step})
    assert project.run_step().codes == []
    project.write("both.py", BOTH.replace("main({'raw': base + 'input/raw'}", "0 / 0; main({}"))
    assert set(project.run_step().codes) == ({"F346"} if kind == "callable" else {"X201"})
    project.write("both.py", BOTH.replace("write(text)", "write(text * (1 + len(environ_vars)))"))
    step["env"] = {"TWICE": "1"}
    project.declare(steps={"step": step})
    finding = project.run_step().result.all_findings[0]
    assert finding.code == "F346"
    assert "rows, and" in finding.message
    project.write("both.py", BOTH.replace("('--n', type=int)", "('--n')"))
    if kind == "callable":
        assert (
            "__main__, it differs: it fails (AssertionError"
            in only(project.run_step(), "F346").message
        )


def test_entry_of_one_run(project: ProjectFolder) -> None:
    project.write("raw/a.csv", "\n".join([HEADER, *ROWS]) + "\n")
    step: dict[str, Any] = {
        "script": "both.py",
        "args": {"n": 3},
        "inputs": {"raw": {"sample": "raw"}},
        "outputs": {"train": {}, "test": {}},
    }
    project.write("both.py", BOTH.replace("('--n', type=int)", "('--n')"))
    project.declare(steps={"step": step})
    codes = {entry: project.run_step(entry=entry).codes for entry in Entry}
    assert codes == {Entry.SCRIPT: ["X201"], Entry.MAIN: [], Entry.BOTH: ["X201"]}
    project.declare(steps={"step": {**step, "args": ["--n", "3"]}})
    with pytest.raises(UsageError, match="can't become job_args"):
        project.run_step(entry=Entry.BOTH)
    training = {"kind": "training", "script": "both.py"}
    project.declare(steps={"step": training})
    with pytest.raises(UsageError, match="step is training"):
        project.run_step(entry=Entry.MAIN)


# --- files ------------------------------------------------------------------------------------


def test_f342_json_schema(project: ProjectFolder) -> None:
    project.write("report.schema.yaml", "required: [auc]\nproperties: {auc: {maximum: 1}}\n")
    check = {"json_schema": {"file": "extra/r.json", "schema": "report.schema.yaml"}}

    def message(text: str) -> str:
        script = GOOD + f"; open('{BASE}/output/extra/r.json', 'w').write('{text}')"
        found = run(project, script, check).result.all_findings
        return found[0].message if found else ""

    assert message('{"auc": 0.5}') == ""
    assert "$.auc: 5 is greater than the maximum of 1" in message('{"auc": 5}')
    assert "'auc' is a required property" in message("{}")
    assert "it is no JSON" in message("{")


def test_f343_archive(project: ProjectFolder) -> None:
    script = GOOD + (
        f"; import tarfile; t = tarfile.open('{BASE}/output/extra/m.tar.gz', 'w:gz'); "
        f"t.add('{BASE}/input/raw/a.csv', 'code/a.csv'); t.close()"
    )
    good = {"file": "extra/m.tar.gz", "members": ["code/*.csv"], "forbidden": ["*.pkl"]}
    assert run(project, script, {"archive": good}).codes == []
    bad = {"file": "extra/m.tar.gz", "members": ["a.csv"], "forbidden": ["code/*"],
           "json_members": ["code/a.csv"]}  # fmt: skip
    messages = [f.message for f in run(project, script, {"archive": bad}).result.all_findings]
    assert [text.partition("m.tar.gz ")[2][:30] for text in messages] == [
        "has no member a.csv",
        "holds code/a.csv",
        "holds code/a.csv, which is no ",
    ]
    gone = {"archive": {"file": "extra/n.zip", "members": ["x"]}}
    assert "is not there" in only(run(project, GOOD, gone), "F343").message


# --- custom -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", None),
        ("return len(outputs['train']['train.csv']) == 30", None),
        ("return False", "check checks.py:look failed"),
        ("return 'too few'", "too few"),
        ("return [{'message': 'odd', 'port': 'train', 'column': 'n', 'examples': [1]}]", "odd"),
        ("return [{'messag': 'odd'}]", "unknown key 'messag'"),
        ("return [{'message': 'odd', 'severity': 'bad'}]", "unknown severity 'bad'"),
        ("return inputs['nothing']", "it can't be run: KeyError: 'nothing'"),
        ("return 7", "it can't be run: TypeError"),
    ],
)
def test_f344_custom(project: ProjectFolder, body: str, message: str | None) -> None:
    project.write("checks.py", f"def look(inputs, outputs):\n    {body}\n")
    ran = run(project, GOOD, {"check": "checks.py:look"})
    if message is None:
        assert ran.codes == []
    else:
        assert message in ran.finding("F344").message


def test_f344_sees_inputs_and_can_warn(project: ProjectFolder) -> None:
    project.write("rules/__init__.py", "")
    project.write(
        "rules/mine.py",
        """
        def look(inputs, outputs):
            rows = len(inputs["raw"]["a.csv"])
            return [{"message": f"{rows} rows", "severity": "warning", "file": "x"}]
        """,
    )
    finding = run(project, GOOD, {"check": "rules.mine:look"}).finding("F344")
    assert (finding.message, finding.severity, finding.file) == ("60 rows", Severity.WARNING, "x")


@pytest.mark.parametrize(
    ("body", "limit", "problem"),
    [
        ("x = [b'x' * (10**7 + n) for n in range(999)]", {"memory": "400MB"}, "the step's 400MB"),
        ("import time; time.sleep(60)", {"timeout": "8s"}, "longer than the step's 8"),
    ],
)
def test_f344_a_check_has_the_limits_of_its_step(
    project: ProjectFolder, body: str, limit: dict[str, str], problem: str
) -> None:
    project.write("checks.py", f"def look(inputs, outputs):\n    {body}\n")
    ran = run(project, GOOD, {"check": "checks.py:look"}, **limit)
    assert problem in ran.finding("F344").message


# --- edges and pipelines ----------------------------------------------------------------------


def pipeline(
    project: ProjectFolder,
    consumer: dict[str, Any],
    files: dict[str, str] | None = None,
    **more: Any,
) -> Ran:
    project.write("make.py", f"open('{BASE}/output/out/t.csv', 'w').write('a,b\\n1,x\\n')")
    project.write("use.py", f"open('{BASE}/output/done/d.json', 'w').write('{{\"n\": 2}}')")
    project.declare(
        datasets={
            "made": {"columns": {"a": {"type": "integer"}, "b": {"type": "string"}}},
            "used": {"columns": {"a": {"type": "integer", "min": 5}, "c": {"type": "float"}}},
        },
        steps={
            "make": {"script": "make.py", "outputs": {"out": {"files": files or {}}}},
            "use": {
                "script": "use.py",
                "inputs": {"data": consumer},
                "outputs": {"done": {"files": {"d.json": "json"}}},
                "metrics": {"n": "done/d.json#n"},
            },
        },
        pipelines={"p": {"nodes": ["make", "use"], "edges": {"use.data": "make.out"}, **more}},
    )  # fmt: skip
    return project.run_pipeline()


def test_f345_edges(project: ProjectFolder) -> None:
    assert pipeline(project, {"files": {"*.csv": "made"}}).codes == []
    own = {"t.csv": "file"}
    findings = pipeline(project, {"files": {"*.csv": "used"}}, own).result.all_findings
    assert {(f.code, f.step, f.observed_in, f.column) for f in findings if f.code[0] == "F"} == {
        ("F345", "make", "use", "a"),
        ("F345", "make", "use", "c"),
    }
    finding = pipeline(project, {"files": {"u.csv": "made"}}).finding("F345")
    assert "has no file u.csv" in finding.message
    assert finding.step == "make"


def test_f341_equal(project: ProjectFolder) -> None:
    port = {"files": {"*.csv": "made"}}
    own = {"t.csv": "made"}

    def equal(first: str, tolerance: float = 0.0) -> Ran:
        figures = {"figures": [first, "use.n"], "tolerance": tolerance}
        return pipeline(project, port, own, checks=[{"equal": figures}])

    assert equal("use.n").codes == []
    assert equal("make.rows.out", 1).codes == []
    finding = equal("make.rows.out").finding("F341")
    assert "make.rows.out is 1 and use.n is 2" in finding.message
    assert finding.step == "use"
    assert "no value for make.auc" in equal("make.auc").finding("F341").message
