"""Whole runs: order, skips, data flow between steps, training jobs, callables, errors of ours."""

from __future__ import annotations

import json
import tarfile
from textwrap import dedent

import pytest

from mlvalidate import api
from mlvalidate.core.errors import ExitCode, InfrastructureError
from mlvalidate.core.events import RunFinished, StepStarted
from mlvalidate.core.plan import SkipReason
from mlvalidate.core.results import Status
from mlvalidate.engine.journal import read_events
from tests.projects import ProjectFolder

OUT = {"out": {"path": "/opt/ml/processing/output"}}
WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"


def test_independent_branches_go_on_after_a_failure(project: ProjectFolder) -> None:
    project.write("good.py", WRITE)
    project.write("bad.py", "raise SystemExit(4)")
    step = {"inputs": {"raw": {"required": False}}, "outputs": OUT}
    project.declare(
        steps={"good": {"script": "good.py", **step}, "bad": {"script": "bad.py", **step}},
        pipelines={
            "p": {
                "nodes": {
                    "start": {"step": "good"},
                    "broken": {"step": "bad"},
                    "after_broken": {"step": "good"},
                    "last": {"step": "good"},
                    "other": {"step": "good"},
                },
                "edges": {
                    "broken.raw": "start.out",
                    "after_broken.raw": "broken.out",
                    "last.raw": "after_broken.out",
                    "other.raw": "start.out",
                },
            }
        },
    )
    ran = project.run_pipeline()
    outcome = {step.node: (step.status, step.skip_reason) for step in ran.result.steps}
    assert outcome == {
        "start": (Status.PASSED, None),
        "broken": (Status.FAILED, None),
        "other": (Status.PASSED, None),
        "after_broken": (Status.SKIPPED, SkipReason.UPSTREAM_FAILED),
        "last": (Status.SKIPPED, SkipReason.UPSTREAM_SKIPPED),
    }
    assert ran.result.exit_code is ExitCode.FAILED


def test_a_training_job_gets_what_sagemaker_gives_it(project: ProjectFolder) -> None:
    project.write("data/train.csv", "a,b\n1,2\n")
    project.write(
        "code/train.py",
        dedent("""
        import argparse, json, os, sys
        p = argparse.ArgumentParser()
        p.add_argument("--max_depth", type=int)
        p.add_argument("--flag")
        p.add_argument("-x", type=float)
        p.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
        a = p.parse_args()
        hp = json.load(open("/opt/ml/input/config/hyperparameters.json"))
        json.dump({
            "args": vars(a), "hp": hp, "argv": sys.argv[1:],
            "sm": {k: v for k, v in os.environ.items() if k.startswith("SM_HP")},
            "channels": json.loads(os.environ["SM_CHANNELS"]),
            "files": os.listdir(a.train), "code": sorted(os.listdir("/opt/ml/code")),
            "config": sorted(os.listdir("/opt/ml/input/config")),
            "hosts": json.loads(os.environ["SM_TRAINING_ENV"])["hosts"],
        }, open(os.environ["SM_MODEL_DIR"] + "/model.json", "w"))
        open(os.environ["SM_OUTPUT_DATA_DIR"] + "/log.txt", "w").write("x")
        """),
    )
    project.write(
        "evaluate.py",
        "import os, shutil, tarfile\nfolder = '/opt/ml/processing/input/model'\n"
        "tarfile.open(folder + '/model.tar.gz').extractall(folder)\n"
        "shutil.move(folder + '/model.json', '/opt/ml/processing/output/model.json')\n"
        "print(sorted(os.listdir('/opt/ml/processing/input/data')))\n",
    )
    project.declare(
        steps={
            "train": {
                "kind": "training",
                "script": "code/train.py",
                "hyperparameters": {"max_depth": 4, "flag": True, "x": 0.5},
                "inputs": {"train": {"sample": "data"}},
                "outputs": {"model": {"files": {"model.json": "json"}}, "data": {}},
            },
            "evaluate": {
                "script": "evaluate.py",
                "inputs": {"model": {"files": {"model.tar.gz": "archive"}}, "data": {}},
                "outputs": OUT,
                "metrics": {"depth": "out/model.json#args.max_depth"},
            },
        },
        pipelines={
            "p": {
                "nodes": ["evaluate", "train"],
                "edges": {"evaluate.model": "train.model", "evaluate.data": "train.data"},
            }
        },
        gates=["evaluate.depth == 4"],
    )
    ran = project.run_pipeline()
    assert ran.codes == []
    path = ran.folder.step("evaluate").ml / "processing/output/model.json"
    seen = json.loads(path.read_text())
    assert seen["args"] == {
        "max_depth": 4, "flag": "True", "x": 0.5, "train": "/opt/ml/input/data/train"
    }  # fmt: skip
    assert seen["argv"] == ["--flag", "True", "--max_depth", "4", "-x", "0.5"]
    assert seen["hp"] == {"max_depth": "4", "flag": "true", "x": "0.5"}
    assert seen["sm"] == {
        "SM_HPS": '{"flag":true,"max_depth":4,"x":0.5}',
        "SM_HP_FLAG": "true",
        "SM_HP_MAX_DEPTH": "4",
        "SM_HP_X": "0.5",
    }
    assert seen["channels"] == ["train"]
    assert seen["files"] == ["train.csv"]
    assert seen["code"] == ["train.py"]
    assert seen["hosts"] == ["algo-1"]
    assert seen["config"] == [
        "hyperparameters.json", "inputdataconfig.json", "resourceconfig.json"
    ]  # fmt: skip
    assert ran.stdout("evaluate") == "['output.tar.gz']\n"
    with tarfile.open(ran.folder.step("train").outputs / "model" / "model.tar.gz") as archive:
        assert [(m.name, m.uid, m.mtime) for m in archive] == [("model.json", 0, 0)]


def test_args_become_words_on_the_command_line(project: ProjectFolder) -> None:
    args = {"ratio": 0.2, "names": ["a", "b c"], "verbose": True, "quiet": False, "off": None}
    project.declare_step("import sys; print(sys.argv[1:])\n" + WRITE, args=args)
    ran = project.run_step()
    assert ran.stdout() == "['--ratio', '0.2', '--names', 'a', 'b c', '--verbose']\n"
    assert ran.step.args["names"] == '["a", "b c"]'


def test_a_callable_gets_its_four_arguments_and_a_logger(project: ProjectFolder) -> None:
    project.write("helper.py", "NAME = 'helper'\n")
    project.declare_step(
        dedent("""
        import helper
        def main(input_paths, output_paths, environ_vars, job_args, logger):
            print(input_paths, output_paths, environ_vars, job_args.test_ratio, helper.NAME)
            logger.info("said")
            open(output_paths["out"] + "/x.txt", "w").write("x")
        if __name__ == "__main__":
            raise SystemExit("not me")
        """),
        kind="callable",
        args={"test-ratio": 0.25},
        env={"MODE": "fast"},
        inputs={"raw": {"required": False}},
    )
    ran = project.run_step()
    assert ran.codes == []
    assert ran.stdout() == (
        "{'raw': '/opt/ml/processing/input/raw'} {'out': '/opt/ml/processing/output'} "
        "{'MODE': 'fast'} 0.25 helper\n"
    )
    assert "said" in ran.stderr()


def test_a_callable_without_its_function(project: ProjectFolder) -> None:
    project.declare_step("x = 1", kind="callable", entry="run")
    assert project.run_step().finding("X201").evidence == (
        f"mlvalidate: {project.root}/step.py has no function 'run'",
    )


@pytest.mark.parametrize("kind", ["processing", "callable"])
def test_a_module_with_relative_imports(project: ProjectFolder, kind: str) -> None:
    project.write("src/package/__init__.py", "")
    project.write("src/package/helper.py", "VALUE = 5\n")
    project.write(
        "src/package/job.py",
        "from .helper import VALUE\n"
        "def main(input_paths, output_paths, environ_vars, job_args):\n"
        "    open('/opt/ml/processing/output/x.txt', 'w').write(str(VALUE))\n"
        "if __name__ == '__main__':\n    main({}, {}, {}, None)\n",
    )
    step = {"kind": kind, "module": "package.job", "code_root": "src", "outputs": OUT}
    project.declare(steps={"step": step})
    assert project.run_step().codes == []


def test_a_subpath_of_an_output(project: ProjectFolder) -> None:
    project.write(
        "split.py",
        "import os\nfor name in ('train', 'test'):\n"
        "    os.mkdir('/opt/ml/processing/output/' + name)\n"
        "    open(f'/opt/ml/processing/output/{name}/{name}.csv', 'w').write('a\\n1\\n')\n",
    )
    project.write(
        "read.py", "import os; print(os.listdir('/opt/ml/processing/input/raw'))\n" + WRITE
    )
    steps = {
        "split": {"script": "split.py", "outputs": OUT},
        "read": {"script": "read.py", "inputs": {"raw": {}}, "outputs": OUT},
    }
    for subpath in ("test", "tset"):
        edges = {"read.raw": f"split.out/{subpath}"}
        project.declare(steps=steps, pipelines={"p": {"nodes": ["split", "read"], "edges": edges}})
        ran = project.run_pipeline()
        if subpath == "test":
            assert ran.stdout("read") == "['test.csv']\n"
        else:
            finding = ran.finding("F309")
            assert (finding.step, finding.observed_in) == ("split", "read")
            assert finding.hint == "did you mean 'test'?"
            assert ran.result.status is Status.FAILED


def test_an_output_inside_an_input(project: ProjectFolder) -> None:
    project.write("data/in.txt", "x")
    project.declare_step(
        "import os\nassert os.path.exists('/opt/ml/processing/in.txt')\n"
        "open('/opt/ml/processing/result/x.txt', 'w').write('x')\n",
        inputs={"raw": {"path": "/opt/ml/processing", "sample": "data"}},
        outputs={"out": {"path": "/opt/ml/processing/result"}},
    )
    ran = project.run_step()
    assert ran.codes == []
    assert [file.name for file in ran.step.outputs[0].files] == ["x.txt"]


def test_the_first_kilobyte_of_the_message_is_kept(project: ProjectFolder) -> None:
    project.declare_step(
        "open('/opt/ml/output/message', 'w').write('m' * 5000)\nraise SystemExit(1)"
    )
    ran = project.run_step()
    assert ran.step.message == "m" * 1024


def test_an_error_of_this_machine_closes_the_run(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.declare_step(WRITE)
    loaded = project.load()
    plan = api.plan_script(loaded, "step")

    def fail(*_: object) -> None:
        raise InfrastructureError("the sandbox broke")

    monkeypatch.setattr("mlvalidate.engine.execution.run_process", fail)
    with pytest.raises(InfrastructureError, match="the sandbox broke"):
        api.execute(loaded, plan, record=False)
    (run,) = (project.root / ".mlvalidate" / "runs").iterdir()
    events = read_events(api.run_folder(loaded, run.name))
    assert isinstance(events[-2], StepStarted)
    assert isinstance(events[-1], RunFinished)
    result = events[-1].result
    assert result.status is Status.INTERNAL
    assert result.exit_code is ExitCode.INTERNAL
    assert result.notes == ("mlvalidate gave up: InfrastructureError: the sandbox broke",)
    assert result.steps[0].status is Status.INTERRUPTED


def test_a_gate_that_does_not_hold_fails_the_run(project: ProjectFolder) -> None:
    project.declare_step(
        "import json\n"
        "json.dump({'m': {'auc': 0.6}}, open('/opt/ml/processing/output/e.json', 'w'))",
        metrics={"auc": "out/e.json#m.auc"},
    )
    text = (project.root / "mlvalidate.yaml").read_text()
    (project.root / "mlvalidate.yaml").write_text(text + "gates: ['step.auc >= 0.7']\n")
    ran = project.run_step()
    assert ran.step.status is Status.PASSED
    assert ran.finding("G601").message == "gate step.auc >= 0.7 does not hold: it is 0.6"
    assert ran.result.status is Status.FAILED


def test_renaming_from_an_input_to_an_output_says_what_to_do(project: ProjectFolder) -> None:
    project.write("data/in.txt", "x")
    project.declare_step(
        "import os\n"
        "os.rename('/opt/ml/processing/input/raw/in.txt', '/opt/ml/processing/output/in.txt')",
        inputs={"raw": {"sample": "data"}},
    )
    assert "shutil.move" in project.run_step().finding("X201").hint


def test_a_traceback_in_the_failure_file_is_understood(project: ProjectFolder) -> None:
    project.declare_step(
        "import os, sys, traceback\n"
        "try: os.environ['SM_CHANNEL_TEST']\n"
        "except KeyError:\n"
        "    open('/opt/ml/output/failure', 'w').write('Exception:\\n' + traceback.format_exc())\n"
        "    sys.exit(255)\n",
        kind="training",
    )
    finding = project.run_step().finding("X201")
    assert finding.message == "KeyError: 'SM_CHANNEL_TEST'"
    assert finding.hint == "step step has no input 'test': declare it in `inputs`"
    assert finding.location == f"{project.root}/step.py:2"


def test_a_traceback_on_stdout_is_understood(project: ProjectFolder) -> None:
    project.declare_step(
        "import sys, traceback\n"
        "try: int('x')\n"
        "except ValueError: traceback.print_exc(file=sys.stdout); sys.exit(1)\n"
    )
    assert project.run_step().finding("X201").message.startswith("ValueError: invalid literal")
