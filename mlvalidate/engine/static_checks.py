"""Collects what the static checks judge: scripts, interpreters, environments. Nothing is run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from mlvalidate.checks.edge_contracts import judge_edges
from mlvalidate.checks.static import CodeProbe, Contract, judge_contract
from mlvalidate.core.contracts import Kind, Project
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.engine.container import Paths, arguments_of, code_folder, environment_of
from mlvalidate.project.script_facts import ScriptFacts
from mlvalidate.project.script_scan import scan_script

_PROBE_SECONDS = 60
_REQUIREMENTS = ("requirements.txt", "pyproject.toml", "environment.yml")

# Standard library only: this text runs in the user's interpreter. Nothing is imported or executed.
_PROBE = r"""
import importlib.util, json, sys, warnings
warnings.simplefilter("ignore")
call = json.load(sys.stdin)
missing = []
for name in call["modules"]:
    try:
        found = name in sys.builtin_module_names or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        found = True
    if not found:
        missing.append(name)
errors = {}
for name in call["files"]:
    try:
        with open(name, "rb") as file:
            compile(file.read(), name, "exec", dont_inherit=True)
    except SyntaxError as error:
        errors[name] = [error.lineno or 1, "%s: %s" % (type(error).__name__, error.msg)]
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        errors[name] = [1, "%s: %s" % (type(error).__name__, error)]
json.dump({"missing": missing, "errors": errors}, sys.stdout)
"""


def check_plan(project: Project, plan: Plan) -> dict[str, tuple[Finding, ...]]:
    """Return the static findings of a plan's steps by node; '' are those of the whole run.

    Nodes of one step that differ in nothing that matters here share their findings: the first one
    has them.
    """
    return check_plans(project, (plan,))[0]


def check_plans(
    project: Project, plans: Sequence[Plan]
) -> tuple[dict[str, tuple[Finding, ...]], ...]:
    """Return the static findings of several plans, asking each interpreter but once."""
    scanned = [[(planned, _scan(project, planned)) for planned in plan.steps] for plan in plans]
    known = [[(planned, facts) for planned, facts in each if facts is not None] for each in scanned]
    probes = _probe_all(project, list(chain.from_iterable(known)))
    return tuple(
        _judge(project, plan, each, probes) for plan, each in zip(plans, known, strict=True)
    )


def _judge(
    project: Project,
    plan: Plan,
    known: Sequence[tuple[PlannedStep, ScriptFacts]],
    probes: Mapping[Path, CodeProbe],
) -> dict[str, tuple[Finding, ...]]:
    found: dict[str, tuple[Finding, ...]] = {}
    told: set[str] = set()
    for planned, facts in known:
        contract = _contract(project, plan, planned, facts, probes[planned.python])
        fresh = []
        for finding in judge_contract(contract):
            mark = f"{planned.step_name} {finding.code} {finding.message} {finding.location}"
            if mark not in told:
                told.add(mark)
                fresh.append(finding)
        if fresh:
            found[planned.node] = tuple(fresh)
    if plan.kind == "pipeline":
        for finding in judge_edges(project, plan):
            node = finding.step or ""
            found[node] = (*found.get(node, ()), finding)
    return found


def _scan(project: Project, planned: PlannedStep) -> ScriptFacts | None:
    """Return the facts of a step's script; None where there is no file to read."""
    script = script_file(project, planned)
    if script is None:
        return None
    return scan_once(script, code_folder(planned, project.root), project.root)


def script_file(project: Project, planned: PlannedStep) -> Path | None:
    """Return the Python file that a step starts; None for other commands."""
    step = planned.step
    if step.script:
        path = project.path(step.script)
        return path if path.suffix == ".py" else None
    if not step.module:
        return None
    base = code_folder(planned, project.root).joinpath(*step.module.split("."))
    places = (base.with_suffix(".py"), base / "__main__.py")
    return next((place for place in places if place.is_file()), None)


@cache
def scan_once(script: Path, code_root: Path, project_root: Path) -> ScriptFacts:
    """Scan a script once for all the nodes that run it."""
    return scan_script(script, code_root, project_root)


def _probe_all(
    project: Project, known: Sequence[tuple[PlannedStep, ScriptFacts]]
) -> dict[Path, CodeProbe]:
    """Ask each interpreter once for all modules and files of its steps."""
    probes = {}
    for python in {planned.python for planned, _ in known}:
        mine = [facts for planned, facts in known if planned.python == python]
        modules = sorted({each.module for facts in mine for each in facts.imports})
        files = sorted({str(project.root / facts.file) for facts in mine})
        probes[python] = _probe(python, modules, files)
    return probes


def _probe(python: Path, modules: Sequence[str], files: Sequence[str]) -> CodeProbe:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "AWS_"))}
    try:
        done = subprocess.run(
            [python, "-c", _PROBE],
            input=json.dumps({"modules": list(modules), "files": list(files)}),
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            env=environment,
            cwd="/",
            check=True,
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        # An interpreter that does not start is told where the step is run.
        return CodeProbe()
    errors = {name: (int(line), str(text)) for name, (line, text) in answer["errors"].items()}
    return CodeProbe(frozenset(answer["missing"]), errors)


def _contract(
    project: Project, plan: Plan, planned: PlannedStep, facts: ScriptFacts, probe: CodeProbe
) -> Contract:
    own = str(project.root / facts.file)
    errors = {facts.file: probe.errors[own]} if own in probe.errors else {}
    paths = Paths(planned, StepFolder(project.state_folder), in_sandbox=True)
    folder = code_folder(planned, project.root)
    requirements = next((name for name in _REQUIREMENTS if (folder / name).is_file()), "")
    arguments = [] if planned.step.kind is Kind.CALLABLE else arguments_of(planned)
    return Contract(
        planned=planned,
        facts=facts,
        probe=CodeProbe(probe.missing, errors),
        environment=frozenset(environment_of(paths, arguments)),
        argv=tuple(arguments_of(planned)),
        reproduce=plan.command,
        requirements=requirements,
    )
