"""Decides on which cases of the scenarios a step is tested, and what is shaped for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.datasets import Dataset
from mlvalidate.core.errors import UsageError
from mlvalidate.core.plan import DataSource, Origin, PlannedCase, PlannedStep
from mlvalidate.core.scenarios import (
    STANDARD,
    Case,
    Expectation,
    Scenario,
    every_case,
    expected_of,
)
from mlvalidate.data.scenarios.applicability import choose_column, obstacle
from mlvalidate.engine.container import code_folder
from mlvalidate.engine.hashing import python_files
from mlvalidate.engine.kept_cases import with_kept_input

ALL = "all"
# Characters that names of nodes, and with them of folders, are made of.
_UNFIT = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 80


def parse_cases(texts: Sequence[str], kept: Sequence[str] = ()) -> tuple[Case, ...]:
    """Return the cases that are asked for, each once; without any, the standard one.

    ``kept`` are the ids of the inputs that `all`, and `case` without an id, stand for too.
    """
    of_kept = [Case(scenario=Scenario.KEPT, variant=case) for case in kept]
    found: dict[Case, None] = {}
    for text in texts:
        if text == ALL:
            found.update(dict.fromkeys([*every_case(), *of_kept]))
            continue
        try:
            case = Case.parse(text)
        except ValueError as problem:
            raise UsageError(f"--scenario: {problem}") from None
        if case.scenario is Scenario.KEPT and not case.variant:
            if not kept:
                raise UsageError("--scenario: no input is kept", "`--explore N` looks for one")
            found.update(dict.fromkeys(of_kept))
        else:
            found.update(dict.fromkeys(case.expand()))
    return tuple(found) or (STANDARD,)


def parse_one_case(texts: Sequence[str]) -> Case:
    """Return the only case that is asked for. UsageError when there are several."""
    cases = parse_cases(texts)
    if cases[0].scenario is Scenario.KEPT:
        raise UsageError("--scenario: a kept input is for one step", "mlvalidate test-script STEP")
    if len(cases) > 1:
        raise UsageError(
            f"--scenario: a pipeline runs on one case, and {', '.join(texts)} has {len(cases)}",
            "name one of them: " + ", ".join(case.name for case in cases)
            if len(cases) < 10
            else "name one case; `mlvalidate test-script STEP --scenario all` runs them all",
        )
    return cases[0]


def refuse_real_data(
    project: Project, steps: Iterable[PlannedStep], cases: Sequence[Case], data: DataSource
) -> None:
    """Raise UsageError where data that is not synthetic would have to be shaped."""
    if all(case.is_standard for case in cases):
        return
    hint = "leave --scenario out to test on your own rows"
    if data is not DataSource.SYNTHETIC:
        raise UsageError("--scenario shapes synthetic data, and --data asks for samples", hint)
    for step in steps:
        for item in step.inputs:
            contents = step.step.inputs[item.port].files.values()
            if item.origin is Origin.FOLDER and set(contents) & set(project.datasets):
                raise UsageError(
                    f"--scenario shapes synthetic data, and --data-dir gives {item.port}", hint
                )


def place_case(
    project: Project, steps: Sequence[PlannedStep], case: Case, seed: int
) -> tuple[PlannedStep, ...]:
    """Return the steps on data of a case, with its column chosen where it names none.

    The steps that take synthetic data are given the shaped one; what the others have to do with
    what comes of it is to succeed.
    """
    if case.is_standard:
        return tuple(steps)
    if case.scenario is Scenario.KEPT:
        return tuple(_place(with_kept_input(project, s, case.variant), case, ()) for s in steps)
    datasets = _synthetic_datasets(project, steps)
    if not datasets:
        return _unchanged(steps, case, "no input holds synthetic tables")
    obstacles = {name: obstacle(dataset, case) for name, dataset in datasets.items()}
    fitting = [name for name, problem in obstacles.items() if not problem]
    if not fitting:
        return _unchanged(steps, case, _tell(obstacles))
    if case.is_of_a_column:
        case, fitting = _with_column(project, steps, case, {n: datasets[n] for n in fitting}, seed)
    return tuple(_place(step, case, fitting) for step in steps)


def _place(step: PlannedStep, case: Case, datasets: Sequence[str]) -> PlannedStep:
    shaped = tuple(name for name in _datasets_of(step) if name in datasets)
    is_input = bool(shaped) or case.scenario is Scenario.KEPT
    expected = expected_of(case, step.step.expect) if is_input else Expectation.PASS
    on = PlannedCase(case=case, expectation=expected, datasets=shaped)
    return step.model_copy(update={"on": on})


def _unchanged(steps: Sequence[PlannedStep], case: Case, why: str) -> tuple[PlannedStep, ...]:
    return tuple(
        step.model_copy(
            update={
                "on": PlannedCase(
                    case=case, expectation=expected_of(case, step.step.expect), not_applicable=why
                )
            }
        )
        for step in steps
    )


def _tell(obstacles: Mapping[str, str]) -> str:
    """Return the reasons of all datasets; those that share one together."""
    by_reason: dict[str, list[str]] = {}
    for name, problem in obstacles.items():
        by_reason.setdefault(problem, []).append(name)
    return "; ".join(f"{', '.join(names)}: {problem}" for problem, names in by_reason.items())


def _with_column(
    project: Project,
    steps: Sequence[PlannedStep],
    case: Case,
    datasets: Mapping[str, Dataset],
    seed: int,
) -> tuple[Case, list[str]]:
    """Return the case with its column, and the one dataset that it is about."""
    if case.variant:
        return case, list(datasets)
    name, dataset = next(iter(datasets.items()))
    used = _used_columns(project, steps, dataset)
    column = choose_column(dataset, case, seed, name, used)
    return case.model_copy(update={"variant": column}), [name]


def _synthetic_datasets(project: Project, steps: Sequence[PlannedStep]) -> dict[str, Dataset]:
    return {name: project.datasets[name] for step in steps for name in _datasets_of(step)}


def _datasets_of(step: PlannedStep) -> tuple[str, ...]:
    """Return the datasets that are generated for a step, each once."""
    return tuple(
        dict.fromkeys(
            file.dataset
            for item in step.inputs
            for file in item.files
            if item.origin is Origin.SYNTHETIC
        )
    )


def _used_columns(
    project: Project, steps: Sequence[PlannedStep], dataset: Dataset
) -> frozenset[str]:
    """Return the columns that the code of the steps names."""
    folders = {code_folder(step, project.root) for step in steps if _datasets_of(step)}
    files: set[Path] = {path for folder in folders for path in python_files(folder)}
    code = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
    return frozenset(
        name
        for name in dataset.columns
        if re.search(rf"""(["'`]){re.escape(name)}\1|\.{re.escape(name)}\b""", code)
    )


def node_name(step: str, case: Case) -> str:
    """Return the name of the node that runs a step on a case: ``preprocess@edge.one_row``."""
    if case.is_standard:
        return step
    return f"{step}@{_UNFIT.sub('_', case.name)[:_LONGEST_NAME]}"
