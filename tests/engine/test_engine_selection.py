"""Runs of a part of a pipeline, and runs that go on where the last one failed."""

from __future__ import annotations

import shutil

import pytest

from mlvalidate import api
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import SkipReason
from mlvalidate.core.results import Status
from mlvalidate.core.reuse import Verdict
from tests.projects import ProjectFolder, Ran

COPY = """
import glob, os
texts = [open(path).read() for path in sorted(glob.glob("/opt/ml/processing/input/*/text.txt"))]
if os.environ.get("BREAK"):
    raise SystemExit("it breaks")
open("/opt/ml/processing/output/text.txt", "w").write("x" + "".join(texts))
"""


def declare(project: ProjectFolder, **env: str) -> None:
    """Write a pipeline a -> b -> c, and a -> d; ``env`` breaks nodes by their name."""
    project.write("copy.py", COPY)
    step = {
        "script": "copy.py",
        "inputs": {"data": {"required": False}},
        "outputs": {"out": {"path": "/opt/ml/processing/output"}},
    }
    nodes = {name: {"step": "copy", "env": {"BREAK": env.get(name, "")}} for name in "abcd"}
    edges = {"b.data": "a.out", "c.data": "b.out", "d.data": "a.out"}
    project.declare(steps={"copy": step}, pipelines={"p": {"nodes": nodes, "edges": edges}})


def outcome(run: Ran) -> dict[str, str]:
    """Return what became of each node: ran, reused, or why not."""
    return {
        step.node: "reused"
        if step.reused_from
        else "ran"
        if step.status is not Status.SKIPPED
        else str(step.skip_reason)
        for step in run.result.steps
    }


def test_resume_goes_on_from_the_failed_step(project: ProjectFolder) -> None:
    declare(project, b="yes")
    failed = project.run_pipeline(cache=False)
    assert failed.result.resume_command.endswith("test-pipeline p -C " + _place(failed))
    declare(project)
    run = project.run_pipeline(cache=False, resume=True)
    assert outcome(run) == {"a": "reused", "b": "ran", "c": "ran", "d": "reused"}
    assert run.result.steps[0].reused_from == failed.result.run_id
    assert run.result.resume_command == ""
    # What was resumed can be resumed from.
    declare(project, c="yes")
    again = project.run_pipeline(cache=False, resume=True)
    assert outcome(again) == {"a": "reused", "b": "reused", "c": "ran", "d": "reused"}
    assert again.result.steps[0].reused_from == failed.result.run_id


def _place(run: Ran) -> str:
    words = run.result.command.split(" -C ")[1]
    return f"{words} --resume"


def test_resume_runs_what_has_changed(project: ProjectFolder) -> None:
    declare(project, c="yes")
    project.run_pipeline(cache=False)
    project.write("copy.py", COPY.replace('"x"', '"y"'))
    run = project.run_pipeline(cache=False, resume=True)
    assert outcome(run)["a"] == "ran"
    assert run.result.steps[0].run_detail == "code changed: copy.py"


def test_resume_needs_an_earlier_run(project: ProjectFolder) -> None:
    declare(project)
    with pytest.raises(UsageError, match="no earlier run of pipeline p"):
        project.run_pipeline(resume=True)


def test_there_is_nothing_to_resume_when_nothing_passed(project: ProjectFolder) -> None:
    declare(project, a="yes")
    assert project.run_pipeline().result.resume_command == ""


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"only": ("b",)}, {"a": "reused", "b": "ran"}),
        ({"only": ("c",)}, {"b": "reused", "c": "ran"}),
        ({"start": ("b",)}, {"a": "reused", "b": "ran", "c": "ran"}),
        ({"until": ("b",)}, {"a": "ran", "b": "ran"}),
        ({"start": ("a",), "until": ("d",)}, {"a": "ran", "d": "ran"}),
        ({"only": ("c", "d")}, {"a": "reused", "b": "reused", "c": "ran", "d": "ran"}),
    ],
)
def test_a_selection_runs_on_what_earlier_runs_wrote(
    project: ProjectFolder, selection: dict[str, tuple[str, ...]], expected: dict[str, str]
) -> None:
    declare(project)
    before = project.run_pipeline(cache=False)
    run = project.run_pipeline(cache=False, **selection)
    others = dict.fromkeys("abcd", str(SkipReason.NOT_SELECTED))
    assert outcome(run) == others | expected
    assert run.result.status is Status.PASSED
    assert {s.reused_from for s in run.result.steps if s.reused_from} <= {before.result.run_id}
    option, names = next(iter(selection.items()))
    assert f"--{option.replace('start', 'from')} {names[0]}" in run.result.command


def test_what_has_changed_since_is_said(project: ProjectFolder) -> None:
    declare(project)
    before = project.run_pipeline()
    project.write("copy.py", COPY.replace('"x"', '"y"'))
    run = project.run_pipeline(only=("b",))
    assert outcome(run)["a"] == "reused"
    text = (run.folder.step("b").ml / "processing/output/text.txt").read_text()
    assert text == "yx"
    note = f"a is that of run {before.result.run_id}; since then: code changed: copy.py."
    assert note in run.result.notes


def test_the_cache_provides_what_is_exactly_the_same(project: ProjectFolder) -> None:
    declare(project)
    first = project.run_pipeline()
    project.write("copy.py", COPY.replace('"x"', '"y"'))
    project.run_pipeline()
    project.write("copy.py", COPY)
    run = project.run_pipeline(only=("b",), force=("b",))
    assert run.result.steps[0].reused_from == first.result.run_id
    shutil.rmtree(first.folder.root.parent)
    assert outcome(project.run_pipeline(only=("b",), force=("b",)))["a"] == "reused"


def test_what_nobody_made_is_an_error_that_says_how_to_make_it(project: ProjectFolder) -> None:
    declare(project)
    with pytest.raises(UsageError) as raised:
        project.run_pipeline(only=("c",))
    assert "c needs what b writes" in raised.value.message
    assert raised.value.hint.startswith("make it: mlvalidate test-pipeline p")
    assert raised.value.hint.endswith("--until b")


@pytest.mark.parametrize("option", ["only", "start", "until", "force"])
def test_unknown_names_are_answered_with_the_nearest(project: ProjectFolder, option: str) -> None:
    project.write("copy.py", COPY)
    project.declare(
        steps={"prepare": {"script": "copy.py", "outputs": {"out": {}}}},
        pipelines={"p": {"nodes": ["prepare"]}},
    )
    with pytest.raises(UsageError, match="no step 'prepre'") as raised:
        project.run_pipeline(**{option: ("prepre",)})
    assert raised.value.hint == "did you mean 'prepare'?"


def test_selections_that_leave_nothing_are_refused(project: ProjectFolder) -> None:
    declare(project)
    with pytest.raises(UsageError, match="--from c --until d leaves no step to run"):
        project.run_pipeline(start=("c",), until=("d",))
    with pytest.raises(UsageError, match="--force a: it is not among"):
        project.run_pipeline(only=("b",), force=("a",))


def test_a_look_at_a_selection_agrees_with_its_run(project: ProjectFolder) -> None:
    declare(project)
    project.run_pipeline(cache=False)
    loaded = project.load()
    plan = api.plan_pipeline(loaded, None, api.Options(only=("b",), cache=False))
    told = {step.node: step.reuse for step in api.foresee(loaded, plan).steps}
    assert told["a"] is not None
    assert told["a"].verdict is Verdict.REUSED
    assert told["b"] is not None
    assert told["b"].verdict is Verdict.RUNS
    assert told["c"] is None
