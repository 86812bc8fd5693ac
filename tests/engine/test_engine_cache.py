"""Steps that are reused, and the reasons of those that are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlvalidate import api
from mlvalidate.core.plan import DataSource, SandboxChoice
from mlvalidate.core.results import Status
from mlvalidate.core.reuse import RunReason, Verdict
from mlvalidate.engine.cache.store import Store
from tests.projects import ProjectFolder, Ran

MAKE = """
import os, sys
from helper import word
with open("/opt/ml/processing/output/data.csv", "w") as file:
    file.write("name,size\\n" + word() + ",1\\n" * int(os.environ["LINES"]))
print("made", sys.argv[1:])
"""
USE = """
text = open("/opt/ml/processing/input/data.csv").read()
open("/opt/ml/processing/output/length.txt", "w").write(str(len(text)))
"""


def declare(project: ProjectFolder, **make: object) -> None:
    """Write a pipeline of two steps: `use` reads what `make` writes."""
    project.write("code/make.py", MAKE)
    project.write("code/helper.py", "def word():\n    return 'a'\n")
    project.write("code/use.py", USE)
    outputs = {"out": {"path": "/opt/ml/processing/output"}}
    steps = {
        "make": {"script": "code/make.py", "outputs": outputs, "env": {"LINES": "1"}, **make},
        "use": {
            "script": "code/use.py",
            "inputs": {"data": {"path": "/opt/ml/processing/input"}},
            "outputs": outputs,
        },
    }
    project.declare(
        steps=steps,
        pipelines={"p": {"nodes": ["make", "use"], "edges": {"use.data": "make.out"}}},
    )


def ran(run: Ran) -> list[str]:
    """Return the nodes whose scripts ran."""
    return [step.node for step in run.result.steps if not step.reused_from]


def why(run: Ran, node: str = "make") -> tuple[RunReason | None, str]:
    """Return why a node ran."""
    step = next(step for step in run.result.steps if step.node == node)
    return step.run_reason, step.run_detail


def foreseen(project: ProjectFolder, **options: object) -> dict[str, Verdict | None]:
    """Return what a look at the plan says of each node."""
    loaded = project.load()
    plan = api.plan_pipeline(loaded, None, api.Options(**options))  # type: ignore[arg-type]
    steps = api.foresee(loaded, plan).steps
    return {step.node: step.reuse.verdict if step.reuse else None for step in steps}


def test_nothing_changed_runs_nothing(project: ProjectFolder) -> None:
    declare(project)
    first = project.run_pipeline()
    assert ran(first) == ["make", "use"]
    assert why(first)[0] is RunReason.NEW
    second = project.run_pipeline()
    assert ran(second) == []
    assert second.result.status is Status.PASSED
    assert {step.reused_from for step in second.result.steps} == {first.result.run_id}
    assert "No step ran" in second.result.notes[0]
    assert first.result.run_id in second.result.notes[0]
    # Logs and outputs are there as if it had run, and a third run links the first.
    assert "made" in second.stdout("make")
    assert (second.folder.step("use").ml / "processing/output/length.txt").read_text() == "14"
    third = project.run_pipeline()
    assert {step.reused_from for step in third.result.steps} == {first.result.run_id}


def test_blanks_and_comments_do_not_count(project: ProjectFolder) -> None:
    declare(project)
    project.run_pipeline()
    project.write("code/make.py", "# A comment.\n\n" + MAKE.replace("1 *", "1  *"))
    project.write("code/helper.py", "def word():\n\n    return 'a'  # a word\n")
    assert ran(project.run_pipeline()) == []


def test_a_module_of_its_own_counts(project: ProjectFolder) -> None:
    declare(project)
    project.run_pipeline()
    project.write("code/helper.py", "def word():\n    return 'b' + 'c'\n")
    assert foreseen(project) == {"make": Verdict.RUNS, "use": Verdict.DEPENDS}
    run = project.run_pipeline()
    assert ran(run) == ["make", "use"]
    assert why(run) == (RunReason.CODE, "code changed: code/helper.py")
    assert why(run, "use") == (RunReason.INPUT, "input `data` changed: data.csv")


def test_a_consumer_is_reused_when_its_producer_writes_the_same(project: ProjectFolder) -> None:
    declare(project)
    project.run_pipeline()
    project.write("code/helper.py", "def word():\n    return 'A'.lower()\n")
    run = project.run_pipeline()
    assert ran(run) == ["make"]
    assert run.result.notes[0].startswith("1 of 2 steps were reused")


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"args": {"depth": 4}}, RunReason.ARGUMENTS, "arguments changed: depth"),
        ({"env": {"LINES": "2"}}, RunReason.ENVIRONMENT, "environment changed: LINES"),
        ({"timeout": "1m"}, RunReason.CONTRACT, "contract changed: limits, timeout"),
        (
            {"outputs": {"out": {"path": "/opt/ml/processing/output", "files": {"*": "file"}}}},
            RunReason.CONTRACT,
            "contract changed: outputs",
        ),
        ({"network": "allow"}, RunReason.NETWORK, "it may use the network"),
        ({"credentials": "allow"}, RunReason.CREDENTIALS, "it may use AWS credentials"),
    ],
)
def test_a_change_of_the_step_is_named(
    project: ProjectFolder, change: dict[str, object], reason: RunReason, detail: str
) -> None:
    declare(project)
    project.run_pipeline()
    declare(project, **change)
    run = project.run_pipeline(until=("make",))
    assert why(run) == (reason, detail)


def test_steps_with_network_are_never_reused(project: ProjectFolder) -> None:
    declare(project, network="allow")
    project.run_pipeline()
    assert ran(project.run_pipeline()) == ["make"]


def test_a_data_file_beside_the_code_counts(project: ProjectFolder) -> None:
    declare(project)
    project.write("code/words.txt", "one")
    project.run_pipeline()
    project.write("README.md", "for people")
    assert ran(project.run_pipeline()) == []
    project.write("code/words.txt", "two")
    assert why(project.run_pipeline())[1] == "code changed: code/words.txt"


def test_a_file_outside_the_code_counts_when_the_code_names_it(project: ProjectFolder) -> None:
    declare(project)
    project.write("code/helper.py", "def word():\n    return 'config.json'[:1]\n")
    project.write("settings/config.json", "{}")
    project.run_pipeline()
    project.write("settings/config.json", "[]")
    assert why(project.run_pipeline())[1] == "code changed: settings/config.json"


def test_what_is_imported_by_name_counts(project: ProjectFolder) -> None:
    declare(project)
    project.write(
        "code/helper.py",
        "import importlib\ndef word():\n    return importlib.import_module('ot' + 'her').W\n",
    )
    project.write("code/other.py", "W = 'x'")
    project.run_pipeline()
    project.write("code/other.py", "W = 'y'")
    assert why(project.run_pipeline())[1] == "code changed: code/other.py"


def test_a_module_that_a_pickle_may_name_counts(project: ProjectFolder) -> None:
    declare(project)
    project.write("code/helper.py", "import pickle\ndef word():\n    return 'a'\n")
    project.write("code/model.py", "class Model: pass")
    project.run_pipeline()
    project.write("code/use.py", USE + "print()\n")
    run = project.run_pipeline()
    assert ran(run) == ["use"]
    project.write("code/model.py", "class Model: size = 1")
    assert why(project.run_pipeline())[1] == "code changed: code/model.py"


def test_a_command_counts_all_files(project: ProjectFolder) -> None:
    project.write("tools/run.sh", "echo x > $1/x.txt\n")
    step = {
        "kind": "command",
        "command": ["sh", str(project.root / "tools/run.sh"), "{outputs.out}"],
        "outputs": {"out": {}},
    }
    project.declare(steps={"step": step})
    project.run_step()
    assert ran(project.run_step()) == []
    project.write("tools/run.sh", "echo y > $1/x.txt\n")
    assert why(project.run_step(), "step")[1] == "code changed: tools/run.sh"


def test_changed_samples_and_folders_are_named(project: ProjectFolder, tmp_path: Path) -> None:
    project.write("data/features.csv", "a,b\n1,2\n")
    project.write("data/more.csv", "a,b\n1,2\n")
    project.declare_step(
        "open('/opt/ml/processing/output/x', 'w').write('x')",
        inputs={"train": {"sample": "data"}},
    )
    project.run_step()
    project.write("data/features.csv", "a,b\n3,4\n")
    assert why(project.run_step(), "step") == (
        RunReason.INPUT, "input `train` changed: features.csv"
    )  # fmt: skip
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "data.csv").write_text("a\n1\n")
    given = {"data_dirs": {"train": folder}}
    assert ran(project.run_step(**given)) == ["step"]
    assert ran(project.run_step(**given)) == []


def test_synthetic_data_counts_by_its_recipe(project: ProjectFolder) -> None:
    def write(most: int, other: int = 1) -> None:
        project.write("step.py", "open('/opt/ml/processing/output/x', 'w').write('x')")
        project.declare(
            datasets={
                "t": {"format": "csv", "columns": {"n": {"type": "integer", "max": most}}},
                "u": {"format": "csv", "columns": {"n": {"type": "integer", "max": other}}},
            },
            steps={
                "step": {
                    "script": "step.py",
                    "inputs": {"raw": {"files": {"t.csv": "t"}}},
                    "outputs": {"out": {"path": "/opt/ml/processing/output"}},
                }
            },
        )

    write(9)
    project.run_step(rows=10)
    write(9, other=2)
    assert ran(project.run_step(rows=10)) == []
    assert why(project.run_step(rows=11), "step")[1] == "input `raw` changed: rows"
    assert why(project.run_step(rows=10, seed=5), "step")[1] == "input `raw` changed: seed"
    write(8)
    assert why(project.run_step(rows=10), "step")[1] == (
        "contract changed: dataset t; input `raw` changed: dataset t"
    )


def test_the_cases_of_a_matrix_are_kept_apart(project: ProjectFolder) -> None:
    project.write("step.py", "open('/opt/ml/processing/output/x', 'w').write('x')")
    project.declare(
        datasets={"t": {"format": "csv", "columns": {"n": {"type": "integer", "max": 5}}}},
        steps={
            "step": {
                "script": "step.py",
                "inputs": {"raw": {"files": {"t.csv": "t"}}},
                "outputs": {"out": {"path": "/opt/ml/processing/output"}},
            }
        },
    )
    cases = ("standard", "edge.one_row")
    assert len(ran(project.run_step(scenarios=cases))) == 2
    again = project.run_step(scenarios=cases)
    assert ran(again) == []
    assert [step.scenario for step in again.result.steps] == list(cases)


def test_packages_of_the_interpreter_count(project: ProjectFolder, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    made = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    subprocess.run(made, check=True)
    declare(project, python=str(environment / "bin/python"))
    project.run_pipeline()
    assert ran(project.run_pipeline()) == []
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "numbers-1.0.dist-info").mkdir()
    assert why(project.run_pipeline()) == (
        RunReason.PACKAGES, "installed packages changed: numbers"
    )  # fmt: skip


def test_a_failed_step_is_never_reused(project: ProjectFolder) -> None:
    declare(project, env={"LINES": "none"})
    assert project.run_pipeline().result.status is Status.FAILED
    run = project.run_pipeline()
    assert ran(run) == ["make", "use"]
    assert why(run)[0] is RunReason.NEW


def test_no_cache_and_force(project: ProjectFolder) -> None:
    declare(project)
    run = project.run_pipeline(cache=False)
    assert why(run) == (RunReason.CACHE_OFF, "--no-cache")
    assert why(project.run_pipeline())[0] is RunReason.NEW
    assert ran(project.run_pipeline(cache=False)) == ["make", "use"]
    forced = project.run_pipeline(force=("make",))
    assert ran(forced) == ["make"]
    assert why(forced) == (RunReason.FORCED, "--force")


def test_secrets_are_not_kept(project: ProjectFolder) -> None:
    declare(project, env={"LINES": "1", "API_TOKEN": "very-secret-token"})
    project.run_pipeline()
    (entry,) = project.load().cache_folder.glob("entries/make/*/entry.json")
    assert "very-secret-token" not in entry.read_text()
    declare(project, env={"LINES": "1", "API_TOKEN": "other-secret-token"})
    assert why(project.run_pipeline())[1] == "environment changed: API_TOKEN"


def test_a_look_at_the_plan_agrees_with_the_run(project: ProjectFolder) -> None:
    declare(project)
    assert set(foreseen(project).values()) == {Verdict.RUNS}
    project.run_pipeline()
    assert set(foreseen(project).values()) == {Verdict.REUSED}
    assert foreseen(project, force=("use",)) == {"make": Verdict.REUSED, "use": Verdict.RUNS}
    assert ran(project.run_pipeline(force=("use",))) == ["use"]


def test_what_a_script_writes_to_its_input_does_not_reach_the_cache(project: ProjectFolder) -> None:
    declare(project)
    project.run_pipeline()
    project.write(
        "code/use.py", "open('/opt/ml/processing/input/data.csv', 'a').write('more')\n" + USE
    )
    run = project.run_pipeline()
    assert ran(run) == ["use"]
    (kept,) = project.load().cache_folder.glob("entries/make/*/ml/processing/output/data.csv")
    assert "more" not in kept.read_text()
    assert ran(project.run_pipeline()) == []


@pytest.mark.parametrize("damage", ["changed", "gone", "entry"])
def test_a_damaged_entry_is_noticed_and_made_anew(project: ProjectFolder, damage: str) -> None:
    declare(project)
    project.run_pipeline()
    (folder,) = project.load().cache_folder.glob("entries/make/*")
    file = folder / "ml/processing/output/data.csv"
    if damage == "changed":
        file.chmod(0o644)
        file.write_text("name,size\nb,1\n\n"[: file.stat().st_size].ljust(file.stat().st_size))
    elif damage == "gone":
        file.unlink()
    else:
        (folder / "entry.json").write_text("{")
    run = project.run_pipeline()
    assert ran(run) == ["make"]
    assert run.result.status is Status.PASSED
    if damage == "entry":
        assert why(run)[0] is RunReason.NEW
    else:
        assert why(run)[0] is RunReason.DAMAGED
        assert "data.csv" in why(run)[1]
    assert ran(project.run_pipeline()) == []


def test_the_least_recently_used_goes_first(project: ProjectFolder) -> None:
    declare(project)
    project.run_pipeline()
    store = Store(project.load().cache_folder)
    by_node = {kept.entry.node: kept for kept in store.all()}
    os.utime(by_node["make"].folder / "entry.json", (2e9, 2e9))
    pruned = store.prune(by_node["make"].entry.size)
    assert (pruned.removed, pruned.left) == (1, 1)
    assert [kept.entry.node for kept in store.all()] == ["make"]
    assert ran(project.run_pipeline()) == ["use"]


def test_a_run_holds_the_cache_within_its_limit_and_spares_what_it_uses(
    project: ProjectFolder,
) -> None:
    declare(project)
    text = project.root / "mlvalidate.yaml"
    project.run_pipeline()
    text.write_text(text.read_text() + "cache: {limit: 1}\n")
    project.run_pipeline()
    nodes = [kept.entry.node for kept in Store(project.load().cache_folder).all()]
    assert sorted(nodes) == ["make", "use"]
    project.write("code/use.py", USE + "print()\n")
    project.run_pipeline(force=("make",), until=("make",))
    assert [kept.entry.node for kept in Store(project.load().cache_folder).all()] == ["make"]


def test_what_killed_processes_leave_is_swept(project: ProjectFolder) -> None:
    declare(project)
    project.run_pipeline()
    root = project.load().cache_folder
    gone = subprocess.Popen(["true"])
    gone.wait()
    (root / "new" / f"{gone.pid}-1-abc").mkdir(parents=True)
    (root / "entries/make/half").mkdir()
    Store(root).prune(10**9)
    assert list((root / "new").iterdir()) == []
    assert len(Store(root).all()) == 2


def test_two_processes_share_one_cache(project: ProjectFolder) -> None:
    declare(project)
    command = [
        sys.executable, "-m", "mlvalidate", "test-pipeline", "-C", str(project.root), "--no-record",
        "--quiet",
    ]  # fmt: skip
    started = [subprocess.Popen([*command, *more]) for more in ([], ["--force", "make"], [])]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert ran(project.run_pipeline()) == []
    assert not list((project.load().cache_folder / "new").iterdir())


def test_drift_is_kept_with_the_step(project: ProjectFolder) -> None:
    rows = "".join(f"{n % 7}\n" for n in range(200))
    project.write("data/known.csv", "n\n" + rows)
    project.write(
        "step.py", "open('/opt/ml/processing/output/t.csv', 'w').write('n\\n' + '50\\n' * 200)"
    )
    project.declare(
        datasets={
            "t": {
                "format": "csv",
                "sample": "data/known.csv",
                "reference": "sample",
                "columns": {"n": {"type": "integer", "max": 100}},
            }
        },
        steps={
            "step": {
                "script": "step.py",
                "outputs": {"out": {"path": "/opt/ml/processing/output", "files": {"t.csv": "t"}}},
            }
        },
    )
    first = project.run_step()
    assert "Q401" in first.codes or "Q403" in first.codes
    second = project.run_step()
    assert ran(second) == []
    assert second.codes == first.codes
    assert second.step.outputs == first.step.outputs
    project.write("data/known.csv", "n\n" + rows + "3\n")
    assert why(project.run_step(), "step")[1] == "contract changed: reference of t"


def test_steps_that_are_compared_with_the_last_run_are_not_reused(project: ProjectFolder) -> None:
    project.write("step.py", "open('/opt/ml/processing/output/t.csv', 'w').write('n\\n1\\n')")
    project.declare(
        datasets={
            "t": {
                "format": "csv",
                "reference": "baseline",
                "columns": {"n": {"type": "integer"}},
            }
        },
        steps={
            "step": {
                "script": "step.py",
                "outputs": {"out": {"path": "/opt/ml/processing/output", "files": {"t.csv": "t"}}},
            }
        },
    )
    project.run_step()
    assert why(project.run_step(), "step")[0] is RunReason.BASELINE


def test_static_findings_are_made_anew(project: ProjectFolder) -> None:
    declare(project, args={"unknown": 1})
    project.write("code/make.py", "import argparse\nargparse.ArgumentParser()\n" + MAKE)
    first = project.run_pipeline()
    second = project.run_pipeline()
    told = [[f.code for f in run.result.all_findings] for run in (first, second)]
    assert told[0] == told[1]


def test_gates_on_the_duration_of_a_run_wait_for_a_run(project: ProjectFolder) -> None:
    declare(project)
    text = project.root / "mlvalidate.yaml"
    text.write_text(text.read_text() + "gates: ['duration_s <= 0.000001', 'cpu_s <= 0.000001']\n")
    gates = [finding.message for finding in project.run_pipeline().result.findings]
    assert len(gates) == 2
    second = project.run_pipeline()
    # What the steps took still counts.
    assert [f.message.split()[1] for f in second.result.findings] == ["cpu_s"]
    assert any("duration" in note for note in second.result.notes)


def test_samples_count_for_the_source_of_data(project: ProjectFolder) -> None:
    project.write("data/t.csv", "n\n1\n")
    project.write("step.py", "open('/opt/ml/processing/output/x', 'w').write('x')")
    project.declare(
        datasets={
            "t": {"format": "csv", "sample": "data/t.csv", "columns": {"n": {"type": "integer"}}}
        },
        steps={
            "step": {
                "script": "step.py",
                "inputs": {"raw": {"files": {"*.csv": "t"}}},
                "outputs": {"out": {"path": "/opt/ml/processing/output"}},
            }
        },
    )
    project.run_step()
    assert why(project.run_step(data=DataSource.SAMPLE), "step")[0] is RunReason.INPUT
    assert ran(project.run_step(data=DataSource.SAMPLE)) == []


def test_what_was_found_between_steps_is_found_again(project: ProjectFolder) -> None:
    project.write("step.py", "open('/opt/ml/processing/output/x', 'w').write('x')")
    step = {"script": "step.py", "outputs": {"out": {"path": "/opt/ml/processing/output"}}}
    project.declare(
        steps={"step": step},
        pipelines={
            "p": {
                "nodes": {"one": {"step": "step"}, "two": {"step": "step"}},
                "checks": [{"equal": {"figures": ["one.duration_s", "two.read_mb"]}}],
            }
        },
    )
    first, second = project.run_pipeline(), project.run_pipeline()
    assert ran(second) == []
    assert first.result.findings
    assert second.result.findings == first.result.findings
    (kept,) = project.load().cache_folder.glob("pipelines/*.json")
    kept.write_text("{")
    assert project.run_pipeline().result.findings == first.result.findings


@pytest.mark.parametrize("limit", [{"disk": "1GB"}, {"processes": 50}, {"memory": "1GB"}])
def test_a_limit_for_all_steps_counts(project: ProjectFolder, limit: dict[str, object]) -> None:
    declare(project)
    project.run_pipeline()
    text = (project.root / "mlvalidate.yaml").read_text()
    project.write("mlvalidate.yaml", f"{text}\ndefaults: {json.dumps(limit)}\n")
    assert why(project.run_pipeline()) == (RunReason.CONTRACT, "contract changed: limits")


def test_what_is_foreseen_without_a_sandbox_is_what_happens(project: ProjectFolder) -> None:
    script = """
        def main(input_paths, output_paths, environ_vars, job_args):
            open(output_paths["out"] + "/x.txt", "w").write("x")
    """
    project.write("step.py", script)
    step = {"script": "step.py", "kind": "callable", "outputs": {"out": {}}}
    project.declare(steps={"step": step}, pipelines={"p": {"nodes": ["step"]}})
    bare = {"sandbox": SandboxChoice.NONE}
    project.run_pipeline(**bare)
    assert foreseen(project, **bare) == {"step": Verdict.REUSED}
    assert ran(project.run_pipeline(**bare)) == []
    assert foreseen(project) == {"step": Verdict.RUNS}
