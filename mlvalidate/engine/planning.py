"""Makes a plan: which nodes run in which order, and where each input comes from."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from graphlib import TopologicalSorter
from pathlib import Path

from mlvalidate.core.contracts import ENTRY_BOTH, Edge, Kind, Node, Port, Project, Reports, Step
from mlvalidate.core.errors import InfrastructureError, NothingProvidesError, UsageError
from mlvalidate.core.plan import (
    DataSource,
    Entry,
    FileToMake,
    Origin,
    Plan,
    PlannedInput,
    PlannedStep,
    RunKind,
    SandboxChoice,
)
from mlvalidate.core.reuse import ReusePolicy
from mlvalidate.core.scenarios import Case
from mlvalidate.core.suggest import did_you_mean
from mlvalidate.core.units import format_count
from mlvalidate.engine.benchmarking import plan_measurements
from mlvalidate.engine.cases import (
    node_name,
    parse_cases,
    parse_one_case,
    place_case,
    refuse_real_data,
)
from mlvalidate.engine.cold_reasons import why_cold
from mlvalidate.engine.grants import check_passed, writable_folders
from mlvalidate.engine.interpreter import find_interpreter
from mlvalidate.engine.journal import all_runs, owner_is_alive
from mlvalidate.engine.kept_cases import kept_cases
from mlvalidate.engine.outputs import output_folder
from mlvalidate.engine.profiling import possible_profiles
from mlvalidate.engine.sandbox import Sandboxing
from mlvalidate.engine.selection import Selection, last_run, select

# Kinds that get along without a sandbox: their paths are handed over, not hard-coded.
_MAPPABLE = (Kind.CALLABLE, Kind.COMMAND)

_COMMANDS: dict[RunKind, str] = {
    "script": "test-script",
    "matrix": "test-script",
    "pipeline": "test-pipeline",
    "benchmark": "benchmark",
}


@dataclass(frozen=True)
class Choices:
    """What the caller chose. ``folders`` maps ``node.port`` to a file or folder."""

    data: DataSource = DataSource.SYNTHETIC
    folders: Mapping[str, Path] = field(default_factory=dict)
    rows: int | None = None
    seed: int | None = None
    entry: Entry | None = None
    # What was asked for: scenarios, cases of them, or `all`.
    scenarios: tuple[str, ...] = ()
    # How many small inputs are tried before the plan is made.
    explore: int | None = None
    # Start every script in an interpreter of its own.
    cold: bool = False
    # Default: as the project says.
    reports: Reports | None = None
    sandbox: SandboxChoice = SandboxChoice.AUTO
    # Whether the cache is used, which nodes run in any case, whether the last run is resumed.
    cache: bool = True
    force: tuple[str, ...] = ()
    resume: bool = False
    # Of a pipeline: the nodes that the run is about. Default: all.
    selection: Selection = field(default_factory=Selection)
    # Plans that are only looked at may have inputs that nothing provides.
    anything_goes: bool = False


def plan_pipeline(
    project: Project, name: str | None, choices: Choices, sandboxing: Sandboxing
) -> Plan:
    """Plan a run of a pipeline; without a name, of the only one. UsageError when it can't be."""
    chosen = _choose_pipeline(project, name)
    pipeline = project.pipelines[chosen]
    edges = pipeline.parsed_edges()
    order = _topological_order(tuple(pipeline.nodes), edges)
    steps = tuple(_plan_node(project, node, pipeline.nodes[node], edges, choices) for node in order)
    case = parse_one_case(choices.scenarios)
    refuse_real_data(project, steps, (case,), choices.data)
    steps = place_case(project, steps, case, _seed(project, choices))
    obstacle = next((step.on.not_applicable for step in steps), "")
    if obstacle:
        raise UsageError(f"--scenario {case.name} has nothing to act on: {obstacle}")
    steps = select(steps, choices.selection, choices.force)
    return _plan(project, "pipeline", chosen, steps, choices, sandboxing)


def plan_script(project: Project, name: str, choices: Choices, sandboxing: Sandboxing) -> Plan:
    """Plan a test of one step, or of one node of a pipeline, alone."""
    node = _find_node(project, name)
    if choices.entry is not None:
        project = _enter_through(project, node.step or name, choices.entry)
    step = _plan_node(project, name, node, (), choices)
    cases = parse_cases(choices.scenarios, kept_cases(project, step.step_name))
    refuse_real_data(project, (step,), cases, choices.data)
    steps = tuple(_plan_case(project, step, case, choices) for case in cases)
    kind: RunKind = "script" if len(steps) == 1 else "matrix"
    return _plan(project, kind, name, steps, choices, sandboxing)


def plan_benchmark(
    project: Project,
    name: str,
    volumes: Sequence[int],
    repeat: int,
    choices: Choices,
    sandboxing: Sandboxing,
    *,
    profile: bool = False,
) -> Plan:
    """Plan measurements of one step on so many rows, each volume as often as ``repeat`` says.

    With ``profile`` it runs once more on the largest volume for each profiler that there is.
    """
    step = _plan_node(project, name, _find_node(project, name), (), choices)
    profiles = possible_profiles(step.python) if profile else ()
    steps = plan_measurements(step, volumes, repeat, profiles)
    given = choices.folders.items()
    by_node = {f"{s.node}{port.removeprefix(name)}": path for s in steps for port, path in given}
    placed = replace(choices, folders=by_node, reports=Reports.NONE, cache=False)
    plan = _plan(project, "benchmark", name, steps, placed, sandboxing)
    command = _command(project, "benchmark", name, choices)
    sizes = ",".join(map(format_count, sorted(set(volumes))))
    command = f"{command} --rows {sizes} --repeat {repeat}{' --profile' if profile else ''}"
    return plan.model_copy(update={"command": command})


def _plan_case(project: Project, step: PlannedStep, case: Case, choices: Choices) -> PlannedStep:
    """Return the step as a node of its own that runs on data of the case."""
    (placed,) = place_case(project, (step,), case, _seed(project, choices))
    case = placed.on.case
    alone = replace(choices, explore=None, scenarios=() if case.is_standard else (case.name,))
    command = _command(project, "script", step.node, alone)
    return placed.model_copy(update={"node": node_name(step.node, case), "command": command})


def _seed(project: Project, choices: Choices) -> int:
    return project.defaults.seed if choices.seed is None else choices.seed


def plan_for_checks(project: Project, names: Sequence[str]) -> tuple[Plan, ...]:
    """Return plans that cover pipelines and steps, to be looked at and not to be run.

    Without ``names`` all of them. Inputs that nothing provides are no obstacle here.
    """
    known = (*project.pipelines, *project.steps)
    for name in names:
        if name not in known:
            raise UsageError(f"there is no pipeline or step {name!r}", did_you_mean(name, known))
    plans = [
        _plan_contracts(project, "pipeline", name, pipeline.nodes, pipeline.parsed_edges())
        for name, pipeline in project.pipelines.items()
        if not names or name in names
    ]
    covered = {planned.step_name for plan in plans for planned in plan.steps}
    plans += [
        _plan_contracts(project, "script", name, {name: Node()}, ())
        for name in project.steps
        if name in names or (not names and name not in covered)
    ]
    return tuple(plans)


def _plan_contracts(
    project: Project,
    kind: RunKind,
    name: str,
    nodes: Mapping[str, Node],
    edges: tuple[Edge, ...],
) -> Plan:
    sources = Choices(anything_goes=True)
    order = _topological_order(tuple(nodes), edges)
    steps = tuple(_plan_node(project, node, nodes[node], edges, sources) for node in order)
    return Plan(
        kind=kind,
        name=name,
        project=project.project,
        root=project.root,
        steps=steps,
        data_source=sources.data,
        seed=project.defaults.seed,
        log_limit=project.defaults.log_limit,
        command=shlex.join(["mlvalidate", "check", name, *_directory(project)]),
    )


def _enter_through(project: Project, name: str, entry: Entry) -> Project:
    """Return the project with the step started in another way; UsageError when it can't be."""
    step = project.steps[name]
    if step.kind not in (Kind.PROCESSING, Kind.CALLABLE):
        raise UsageError(
            f"--entry is for steps of kind processing and callable; {name} is {step.kind.value}"
        )
    if entry is not Entry.SCRIPT and not isinstance(step.args, dict):
        raise UsageError(
            f"--entry {entry.value}: the list of args of step {name} can't become job_args",
            "write the step's `args` as a mapping",
        )
    if entry is Entry.BOTH:
        changed = step.model_copy(update={"entry": ENTRY_BOTH})
    else:
        kind = Kind.CALLABLE if entry is Entry.MAIN else Kind.PROCESSING
        changed = step.model_copy(update={"kind": kind, "entry": step.function})
    steps = {**project.steps, name: changed}
    return project.model_copy(update={"steps": steps}).at(project.root)


def _choose_pipeline(project: Project, name: str | None) -> str:
    names = list(project.pipelines)
    if name is None:
        if len(names) == 1:
            return names[0]
        if not names:
            raise UsageError(
                "the project declares no pipeline",
                "add `pipelines:` to mlvalidate.yaml, or test a step: mlvalidate test-script STEP",
            )
        raise UsageError("there are several pipelines: name one", "there is " + ", ".join(names))
    if name not in project.pipelines:
        raise UsageError(f"there is no pipeline {name!r}", did_you_mean(name, names))
    return name


def _find_node(project: Project, name: str) -> Node:
    if name in project.steps:
        return Node(step=name)
    for pipeline in project.pipelines.values():
        if name in pipeline.nodes:
            return pipeline.nodes[name].model_copy(update={"step": pipeline.step_of(name)})
    known = {*project.steps, *(node for p in project.pipelines.values() for node in p.nodes)}
    raise UsageError(f"there is no step {name!r}", did_you_mean(name, known))


def _topological_order(nodes: tuple[str, ...], edges: tuple[Edge, ...]) -> list[str]:
    """Return the nodes, producers first, otherwise in the order of the project file."""
    sorter = TopologicalSorter({node: [] for node in nodes})
    for edge in edges:
        sorter.add(edge.consumer, edge.producer)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=nodes.index)
        order += ready
        sorter.done(*ready)
    return order


def _plan_node(
    project: Project, name: str, node: Node, edges: tuple[Edge, ...], choices: Choices
) -> PlannedStep:
    step_name = node.step or name
    step = _merge(step_name, project.steps[step_name], node)
    defaults = project.defaults
    bound = {edge.input: edge for edge in edges if edge.consumer == name}
    inputs = {
        port: _plan_input(project, name, step, port, bound.get(port), choices)
        for port in step.inputs
    }
    absent = [port for port, item in inputs.items() if item is None]
    if choices.anything_goes:
        inputs |= {port: _any_folder(step, port) for port in absent}
        absent = []
    if absent:
        raise _cannot_provide(project, name, absent)
    passed = tuple(dict.fromkeys((*defaults.pass_env, *step.pass_env)))
    if not choices.anything_goes:
        check_passed(step_name, passed, os.environ)
    return PlannedStep(
        node=name,
        step_name=step_name,
        step=step,
        inputs=tuple(item for item in inputs.values() if item is not None),
        python=find_interpreter(step.python or defaults.python, project.root),
        timeout=step.timeout or defaults.timeout,
        memory=step.memory or defaults.memory,
        disk=step.disk or defaults.disk,
        processes=step.processes or defaults.processes,
        network=step.network or defaults.network,
        credentials=step.credentials or defaults.credentials,
        env={**defaults.env, **step.env},
        pass_env=passed,
        writes=() if choices.anything_goes else writable_folders(project, step_name),
    )


def _any_folder(step: Step, port: str) -> PlannedInput:
    """Return an input of which only the place matters."""
    path = step.container_path("input", port)
    return PlannedInput(port=port, container_path=path, origin=Origin.FOLDER)


def _merge(name: str, step: Step, node: Node) -> Step:
    """Return the step with the node's own arguments, environment and hyperparameters on top."""
    args = {**step.args, **node.args} if isinstance(step.args, dict) else step.args
    if node.args and not isinstance(step.args, dict):
        raise UsageError(
            f"node args can't be merged with the list of args of step {name}",
            "write the step's `args` as a mapping",
        )
    return step.model_copy(
        update={
            "args": args,
            "env": {**step.env, **node.env},
            "hyperparameters": {**step.hyperparameters, **node.hyperparameters},
        }
    )


def _plan_input(
    project: Project, node: str, step: Step, port: str, edge: Edge | None, choices: Choices
) -> PlannedInput | None:
    """Return where an input comes from; None when nothing can provide it."""
    declaration = step.inputs[port]
    container_path = step.container_path("input", port)
    given = choices.folders.get(f"{node}.{port}")
    if given is not None:
        return _from_folder(declaration, port, container_path, Origin.FOLDER, given)
    if edge is not None:
        return PlannedInput(
            port=port,
            container_path=container_path,
            origin=Origin.EDGE,
            producer=edge.producer,
            output=edge.output,
            subpath=edge.subpath,
        )
    return _plan_source(project, node, step, port, choices)


def _plan_source(
    project: Project, node: str, step: Step, port: str, choices: Choices
) -> PlannedInput | None:
    """Plan an input that nobody produces in this run; None when nothing can provide it."""
    declaration = step.inputs[port]
    container_path = step.container_path("input", port)
    if declaration.sample:
        path = project.path(declaration.sample)
        return _from_folder(declaration, port, container_path, Origin.SAMPLE, path)
    files = declaration.files or _files_of_producer(project, node, port)
    if files and all(name in project.datasets for name in files.values()):
        samples = [project.datasets[name].sample for name in files.values()]
        use_samples = choices.data is DataSource.SAMPLE and all(samples)
        make = _sample_files if use_samples else _synthetic_files
        made = [file for pattern, name in files.items() for file in make(project, pattern, name)]
        _refuse_twins(node, port, made)
        return PlannedInput(
            port=port,
            container_path=container_path,
            origin=Origin.SAMPLE if use_samples else Origin.SYNTHETIC,
            files=tuple(made),
        )
    if not declaration.required:
        return PlannedInput(port=port, container_path=container_path, origin=Origin.ABSENT)
    return None


def _refuse_twins(node: str, port: str, files: list[FileToMake]) -> None:
    names = [file.name for file in files]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"input {port} of {node} would get two files named {name}",
                "give the files of the port names or globs that differ",
            )


def _synthetic_files(project: Project, pattern: str, dataset: str) -> list[FileToMake]:
    """Return one file, or as many as the dataset has shards."""
    shards = project.datasets[dataset].shards
    if shards == 1:
        return [FileToMake(name=concrete_name(pattern, dataset), dataset=dataset)]
    if "*" not in pattern:
        raise UsageError(
            f"dataset {dataset} has {shards} shards, and the port names one file {pattern!r}",
            "give the port a glob, such as part-*.csv",
        )
    return [
        FileToMake(
            name=concrete_name(pattern, f"{dataset}-{part + 1:05d}"),
            dataset=dataset,
            part=part,
            parts=shards,
        )
        for part in range(shards)
    ]


def _sample_files(project: Project, pattern: str, dataset: str) -> list[FileToMake]:
    """Return the files of a dataset's sample, under names that the port's pattern matches."""
    path = project.path(project.datasets[dataset].sample or "")
    if path.is_file():
        return [_copied(pattern, path, dataset)]
    found = sorted(item for item in path.rglob("*") if item.is_file())
    if not found:
        raise UsageError(f"the sample folder {path} of dataset {dataset} is empty")
    return [
        FileToMake(name=_name_in_port(pattern, item, path), dataset=dataset, copied_from=item)
        for item in found
    ]


def _name_in_port(pattern: str, item: Path, folder: Path) -> str:
    """Return the name of a sample's file in the port: its own where the pattern matches it."""
    own = str(item.relative_to(folder))
    return own if fnmatch(own, pattern) else concrete_name(pattern, item.stem)


def _copied(pattern: str, path: Path, dataset: str = "") -> FileToMake:
    """Return the file under its own name, or under a declared one where its own does not match."""
    name = path.name if fnmatch(path.name, pattern) else concrete_name(pattern, path.stem)
    return FileToMake(name=name, dataset=dataset, copied_from=path)


def _from_folder(
    declaration: Port, port: str, container_path: str, origin: Origin, path: Path
) -> PlannedInput:
    if not path.exists():
        raise UsageError(
            f"{path} is not there; it was to be input {port}", "check the path of the data"
        )
    path = path.absolute()
    pattern = next(iter(declaration.files), "*")
    return PlannedInput(
        port=port,
        container_path=container_path,
        origin=origin,
        folder=path if path.is_dir() else None,
        files=(_copied(pattern, path),) if path.is_file() else (),
    )


def concrete_name(pattern: str, stem: str) -> str:
    """Return a file name that a glob matches: ``*.csv`` with stem ``customers``."""
    name = pattern.replace("**/", "").replace("*", stem).replace("?", "0")
    return name if fnmatch(name, pattern) or "**/" in pattern else f"{stem}{Path(pattern).suffix}"


def _files_of_producer(project: Project, node: str, port: str) -> dict[str, str]:
    """Return the files that an edge of any pipeline would bring to the input."""
    for pipeline in project.pipelines.values():
        for edge in pipeline.parsed_edges():
            same = edge.consumer == node or pipeline.step_of(edge.consumer) == node
            if same and edge.input == port and not edge.subpath:
                producer = project.steps[pipeline.step_of(edge.producer)]
                return dict(producer.outputs[edge.output].files)
    return {}


def _cannot_provide(project: Project, node: str, ports: list[str]) -> NothingProvidesError:
    options = [
        f"--data-dir {port}={_recent_output(project, node, port) or 'PATH'}" for port in ports
    ]
    return NothingProvidesError(
        f"nothing provides {', '.join(ports)} of {node}: only tables with a dataset can be "
        "generated",
        f"give it: {' '.join(options)}, or set `sample` of the port, or mark it "
        "`required: false`; after a run of its pipeline this hint names the folders to give",
    )


def _recent_output(project: Project, node: str, port: str) -> str:
    """Return the folder that the newest run on this machine left for the input, or ''."""
    for pipeline in project.pipelines.values():
        for edge in pipeline.parsed_edges():
            if edge.input == port and node in (edge.consumer, pipeline.step_of(edge.consumer)):
                step = project.steps[pipeline.step_of(edge.producer)]
                for run in reversed(all_runs(project.state_folder)):
                    root = output_folder(run.step(edge.producer), step, edge.output)
                    folder = root / edge.subpath
                    if folder.is_dir() and any(folder.iterdir()):
                        return shlex.quote(os.path.relpath(folder))
    return ""


def _plan(
    project: Project,
    kind: RunKind,
    name: str,
    steps: tuple[PlannedStep, ...],
    choices: Choices,
    sandboxing: Sandboxing,
) -> Plan:
    _check_folders(steps, choices)
    _check_sandbox(steps, sandboxing)
    steps = tuple(
        step.model_copy(
            update={
                "cold": why_cold(
                    project, step, in_sandbox=sandboxing.is_available, asked=choices.cold
                )
            }
        )
        for step in steps
    )
    return Plan(
        kind=kind,
        name=name,
        project=project.project,
        root=project.root,
        steps=steps,
        data_source=choices.data,
        scenario=", ".join(choices.scenarios) if kind == "matrix" else steps[0].on.case.name,
        seed=_seed(project, choices),
        rows=choices.rows,
        log_limit=project.defaults.log_limit,
        explore=choices.explore,
        reuse=_reuse(project, kind, name, choices),
        reports=choices.reports or project.defaults.reports,
        report_columns=project.defaults.report_columns,
        command=_command(project, kind, name, choices),
        sandbox_refusal=sandboxing.refusal,
    )


def _reuse(project: Project, kind: RunKind, name: str, choices: Choices) -> ReusePolicy:
    resume = ""
    if choices.resume:
        runs = all_runs(project.state_folder)
        resume = last_run(runs, kind, name, lambda run: not owner_is_alive(run))
    return ReusePolicy(cache=choices.cache, force=choices.force, resume=resume)


def _check_folders(steps: tuple[PlannedStep, ...], choices: Choices) -> None:
    known = {f"{step.node}.{item.port}" for step in steps for item in step.inputs}
    for name in choices.folders:
        if name not in known:
            raise UsageError(f"--data-dir: there is no input {name!r}", did_you_mean(name, known))


def _check_sandbox(steps: tuple[PlannedStep, ...], sandboxing: Sandboxing) -> None:
    """Refuse what needs /opt/ml where this machine can't provide it."""
    if sandboxing.is_available:
        return
    refused = [step.node for step in steps if step.step.kind not in _MAPPABLE]
    if refused:
        raise InfrastructureError(
            f"{', '.join(refused)} can't run here: /opt/ml needs a sandbox, and there is none "
            f"({sandboxing.refusal})",
            f"{sandboxing.remedy}. Steps of kind callable and command run without.",
        )


def _directory(project: Project) -> list[str]:
    """Return the words that lead to the project from here."""
    return [] if Path.cwd() == project.root else ["-C", os.path.relpath(project.root)]


def _command(project: Project, kind: RunKind, name: str, choices: Choices) -> str:
    """Return what to type to get the same plan again."""
    return spell_command(project, (_COMMANDS[kind], name), choices)


def spell_command(project: Project, command: tuple[str, ...], choices: Choices) -> str:
    """Return what to type to call a command with these choices."""
    words = ["mlvalidate", *command, *_directory(project)]
    for scenario in choices.scenarios:
        words += ["--scenario", scenario]
    if choices.data is not DataSource.SYNTHETIC:
        words += ["--data", choices.data.value]
    for port, path in choices.folders.items():
        words += ["--data-dir", f"{port}={path}"]
    if choices.rows is not None:
        words += ["--rows", str(choices.rows)]
    if choices.seed is not None:
        words += ["--seed", str(choices.seed)]
    if choices.entry is not None:
        words += ["--entry", choices.entry.value]
    if choices.explore is not None:
        words += ["--explore", str(choices.explore)]
    if choices.sandbox is not SandboxChoice.AUTO:
        words += ["--sandbox", choices.sandbox.value]
    for option, names in choices.selection.options:
        for each in names:
            words += [option, each]
    if choices.cold:
        words.append("--cold")
    return shlex.join(words)
