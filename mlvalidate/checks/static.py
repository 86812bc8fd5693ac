"""C101 to C113: the contract of a step against its script, before anything runs.

An error is what certainly fails; what probably does is a warning; guesses are not reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mlvalidate.checks.base import Rule, join_names
from mlvalidate.core.contracts import ENTRY_BOTH, Kind, Step
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.plan import PlannedStep
from mlvalidate.core.suggest import did_you_mean, nearest
from mlvalidate.project.script_facts import Option, Read, ScriptFacts


@dataclass(frozen=True)
class CodeProbe:
    """What an interpreter says of code: modules it lacks, files it can't compile with the reason.

    ``errors`` maps a file to line and message.
    """

    missing: frozenset[str] = frozenset()
    errors: Mapping[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Contract:
    """A planned step with all that is known before it runs.

    ``environment`` are the names of the variables that the container sets, ``argv`` the words
    behind the script.
    """

    planned: PlannedStep
    facts: ScriptFacts
    probe: CodeProbe
    environment: frozenset[str]
    argv: tuple[str, ...]
    reproduce: str
    requirements: str = ""

    @property
    def step(self) -> Step:
        return self.planned.step

    @property
    def runs_as_program(self) -> bool:
        return self.step.kind is not Kind.CALLABLE or self.step.entry == ENTRY_BOTH

    @property
    def runs_as_function(self) -> bool:
        return self.step.kind is Kind.CALLABLE or self.step.entry == ENTRY_BOTH


class ScriptUnparsable(Rule):
    """The step's interpreter can't compile the script, or a module of its own that it imports.

    What to do: correct the line; or run the step with the Python that the script is written for.
    """

    code = "C101"


class ArgumentUnknown(Rule):
    """The contract passes an option that the script's argparse parser does not have.

    The script would end with exit code 2. With `parse_known_args` it goes on with the option's
    default, and nobody notices: that is a warning. Parsers with subcommands, options made in a
    loop, or a use for what `parse_known_args` leaves over are not judged.

    What to do: correct the name in `args` or `hyperparameters`, or add the option to the script.
    """

    code = "C102"


class ArgumentInvalid(Rule):
    """The value of an argument is not among the option's `choices`, or not of its `type`.

    What to do: correct the value in the contract, or the option.
    """

    code = "C103"


class ArgumentMissing(Rule):
    """The script requires an option that the contract does not give.

    What to do: add it to `args` or `hyperparameters`.
    """

    code = "C104"


class EnvironmentMissing(Rule):
    """The script reads an environment variable without a default, and nothing sets it.

    An error where the script certainly passes there (at its top level or in its `__main__` block),
    a warning elsewhere.

    What to do: add it to `env`, or give it a default: `os.environ.get("NAME", "default")`.
    """

    code = "C105"


class PathUndeclared(Rule):
    """The script mentions a path below /opt/ml that belongs to no port of the step.

    SageMaker's own paths (/opt/ml/model, /opt/ml/output/failure, /opt/ml/input/config ...) don't
    count.

    What to do: declare a port with that `path`, or correct one of the two.
    """

    code = "C106"
    severity = Severity.WARNING


class PortUnused(Rule):
    """A port is declared, and the script mentions its path nowhere, nor is it told by argument.

    What to do: correct the port's `path`, or remove the port.
    """

    code = "C107"
    severity = Severity.WARNING


class ImportMissing(Rule):
    """The script imports a module that its interpreter does not have.

    Imports within `try` or in a function are a warning, those that certainly run an error.

    What to do: install it in the interpreter that `python:` names.
    """

    code = "C108"


class EntryUnfit(Rule):
    """The function that a callable step calls is not there, or takes other parameters.

    Expected is `main(input_paths, output_paths, environ_vars, job_args)`, perhaps with `logger`.

    What to do: correct `entry`, or the function.
    """

    code = "C109"


class NothingToRun(Rule):
    """The script defines things and runs nothing: it has no `__main__` block and no call.

    Run as a program it ends at once with exit code 0.

    What to do: add `if __name__ == "__main__": main()`, or make it a step of kind callable.
    """

    code = "C110"


class JobArgumentMissing(Rule):
    """The function reads an attribute of `job_args` that the contract does not give.

    What to do: add it to `args`, or read it with `getattr(job_args, name, default)`.
    """

    code = "C112"
    severity = Severity.WARNING


class EnvironmentUnused(Rule):
    """The contract sets a variable that the script never reads, and it reads one of a like name.

    The one that it reads has a default, so nothing fails: the script goes on with the default.

    What to do: give both the same name.
    """

    code = "C113"
    severity = Severity.WARNING


RULES: tuple[type[Rule], ...] = (
    ScriptUnparsable,
    ArgumentUnknown,
    ArgumentInvalid,
    ArgumentMissing,
    EnvironmentMissing,
    PathUndeclared,
    PortUnused,
    ImportMissing,
    EntryUnfit,
    NothingToRun,
    JobArgumentMissing,
    EnvironmentUnused,
)
# Below these SageMaker itself puts or takes things.
_RESERVED = (
    "/opt/ml/code", "/opt/ml/model", "/opt/ml/output", "/opt/ml/input/config", "/opt/ml/config",
    "/opt/ml/input/data/sm_drivers", "/opt/ml/checkpoints", "/opt/ml/errors",
)  # fmt: skip


# What a script that ran to its end, with good outputs, does not refute.
_LASTING = frozenset({NothingToRun.code, "C111", EnvironmentUnused.code})


def unrefuted(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what is left of static findings after a run that went well.

    A predicted failure that did not come is a warning: on another way through the code it may.
    """
    kept = []
    for finding in findings:
        is_silent = finding.code == ArgumentUnknown.code and finding.severity is Severity.WARNING
        if finding.code in _LASTING or is_silent:
            kept.append(finding)
        elif finding.severity is Severity.ERROR:
            kept.append(finding.model_copy(update={"severity": Severity.WARNING}))
    return tuple(kept)


def judge_contract(contract: Contract) -> Iterator[Finding]:
    """Yield what is wrong between a step's contract and its script."""
    if contract.probe.errors:
        for file, (line, message) in contract.probe.errors.items():
            yield _finding(contract, ScriptUnparsable, f"{file}: {message}", f"{file}:{line}")
        return
    if not contract.facts.readable:
        return
    yield from _judge_imports(contract)
    yield from _judge_environment(contract)
    yield from _judge_defaults(contract)
    if contract.runs_as_program:
        yield from _judge_arguments(contract)
        if contract.step.script and contract.facts.runs_nothing:
            yield _finding(
                contract,
                NothingToRun,
                f"{contract.facts.file} runs nothing: no `__main__` block, no call",
                f"{contract.facts.file}:1",
            )
    if contract.runs_as_function:
        yield from _judge_function(contract)
    yield from _judge_paths(contract)


def _judge_imports(contract: Contract) -> Iterator[Finding]:
    told = set()
    for each in contract.facts.imports:
        if each.module in contract.probe.missing and each.module not in told:
            told.add(each.module)
            hint = f"install it for {contract.planned.python}"
            if contract.requirements:
                hint += f": {contract.requirements} lists what the script needs"
            finding = _finding(
                contract,
                ImportMissing,
                f"the interpreter has no module {each.module!r}",
                f"{each.file}:{each.line}",
                hint,
            )
            severity = Severity.ERROR if each.certain else Severity.WARNING
            yield finding.model_copy(update={"severity": severity})


def _judge_environment(contract: Contract) -> Iterator[Finding]:
    told = set()
    for read in sorted(contract.facts.environment, key=lambda read: not read.certain):
        if read.name in contract.environment or read.name in told:
            continue
        told.add(read.name)
        # Through a function the `__main__` block does not run.
        certain = read.certain and contract.step.kind is not Kind.CALLABLE
        finding = _finding(
            contract,
            EnvironmentMissing,
            f"the script reads the environment variable {read.name}, which nothing sets",
            f"{read.file}:{read.line}",
            did_you_mean(read.name, contract.planned.env)
            if contract.planned.env
            else "add it to `env` of the step",
        )
        yield finding.model_copy(
            update={"severity": Severity.ERROR if certain else Severity.WARNING}
        )


def _judge_defaults(contract: Contract) -> Iterator[Finding]:
    """Yield variables that the script reads under another name than the contract sets."""
    facts, given = contract.facts, contract.planned.env
    if contract.runs_as_program:
        # A name that the script mentions may be read by a function that gets it.
        unused = [name for name in given if name not in facts.texts]
        yield from _renamed(contract, facts.optional_environment, unused)
    if contract.runs_as_function:
        read = {each.name for each in facts.environ_vars}
        unused = [name for name in given if name not in read]
        yield from _renamed(contract, facts.environ_vars, unused)


def _renamed(contract: Contract, reads: list[Read], unused: list[str]) -> Iterator[Finding]:
    for read in {each.name: each for each in reads}.values():
        meant = nearest(read.name, unused)
        if meant is not None and read.name not in contract.environment:
            yield _finding(
                contract,
                EnvironmentUnused,
                f"`env` sets {meant}, which the script never reads; it reads {read.name}",
                f"{read.file}:{read.line}",
                "give both the same name",
            )


def _judge_arguments(contract: Contract) -> Iterator[Finding]:
    options = contract.facts.options
    if options is None or contract.step.kind is Kind.COMMAND:
        return
    by_name = {name: option for option in options for name in option.names}
    given = dict(_given(contract.argv))
    positionals = [option for option in options if option.is_positional]
    for name, value in given.items():
        option = _look_up(name, by_name)
        if option is None:
            if not positionals:
                yield from _unknown(contract, name, by_name)
        else:
            yield from _judge_value(contract, name, value, option)
    known = {id(_look_up(name, by_name)) for name in given}
    for option in options:
        if option.required and not option.is_positional and id(option) not in known:
            yield _finding(
                contract,
                ArgumentMissing,
                f"the script requires {option.names[-1]}, which the contract does not give",
                f"{contract.facts.file}:{option.line}",
                "add it to `args`"
                if contract.step.kind is not Kind.TRAINING
                else "add it to `hyperparameters`",
            )


def _unknown(contract: Contract, name: str, by_name: Mapping[str, Option]) -> Iterator[Finding]:
    ignored = contract.facts.ignores_unknown
    # SageMaker hands hyperparameters over in other ways as well.
    if ignored and _reads_hyperparameters(contract.facts.texts, name.lstrip("-")):
        return
    finding = _finding(
        contract,
        ArgumentUnknown,
        f"the script has no option {name}" + (" and ignores it" if ignored else ""),
        contract.facts.file,
        did_you_mean(name, by_name),
    )
    severity = Severity.WARNING if ignored else Severity.ERROR
    yield finding.model_copy(update={"severity": severity})


def _reads_hyperparameters(texts: Iterable[str], name: str) -> bool:
    variables = ("SM_HPS", f"SM_HP_{name.upper().replace('-', '_')}")
    return any(text in variables or text.endswith("hyperparameters.json") for text in texts)


def _given(argv: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Yield the options of a command line with their first value; None for a bare flag."""
    for number, word in enumerate(argv):
        if not word.startswith("-") or _is_number(word):
            continue
        name, equals, value = word.partition("=")
        following = argv[number + 1] if number + 1 < len(argv) else "-"
        bare = following.startswith("-") and not _is_number(following)
        yield name, value if equals else (None if bare else following)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _look_up(name: str, by_name: Mapping[str, Option]) -> Option | None:
    """Return the option that argparse would take: by its name, or the only one it begins."""
    if name in by_name:
        return by_name[name]
    if not name.startswith("--"):
        # `-n5`, or several short flags in one word.
        return by_name.get(name[:2])
    longer = {id(option): option for each, option in by_name.items() if each.startswith(name)}
    return next(iter(longer.values())) if len(longer) == 1 else None


def _judge_value(
    contract: Contract, name: str, value: str | None, option: Option
) -> Iterator[Finding]:
    place = f"{contract.facts.file}:{option.line}"
    if value is None or not option.takes_value:
        return
    typed: object = value
    if option.type in ("int", "float"):
        try:
            typed = int(value) if option.type == "int" else float(value)
        except ValueError:
            yield _finding(
                contract, ArgumentInvalid, f"{name} takes {option.type}, not {value!r}", place
            )
            return
    if option.choices is not None and typed not in option.choices:
        choices = join_names(map(str, option.choices))
        yield _finding(
            contract,
            ArgumentInvalid,
            f"{name} is one of {choices}, not {value!r}",
            place,
            did_you_mean(value, map(str, option.choices)),
        )


def _judge_function(contract: Contract) -> Iterator[Finding]:
    facts, name = contract.facts, contract.step.function
    function = facts.functions.get(name)
    if contract.step.module:
        return
    if function is None:
        if not {name, "*"} & facts.names:
            yield _finding(
                contract,
                EntryUnfit,
                f"{facts.file} has no function {name!r}",
                facts.file,
                did_you_mean(name, facts.functions),
            )
        return
    wanted = ("input_paths", "output_paths", "environ_vars", "job_args")
    given = len(wanted) + ("logger" in function.parameters)
    if not function.takes_any and not function.required <= given <= len(function.parameters):
        yield _finding(
            contract,
            EntryUnfit,
            f"{name} takes {len(function.parameters)} values "
            f"({', '.join(function.parameters) or 'none'}) and is called with {given}",
            f"{facts.file}:{function.line}",
            f"expected {name}({', '.join(wanted)})",
        )
    args = contract.step.args
    names = {key.replace("-", "_") for key in args} if isinstance(args, dict) else set()
    told: set[str] = set()
    for read in facts.job_args:
        if read.certain and read.name not in names | told and not _is_method(read):
            told.add(read.name)
            yield _finding(
                contract,
                JobArgumentMissing,
                f"{name} reads job_args.{read.name}, which the contract does not give",
                f"{read.file}:{read.line}",
                did_you_mean(read.name, names) if names else "add it to `args` of the step",
            )


def _is_method(read: Read) -> bool:
    return read.name.startswith("_") or read.name in ("get", "items", "keys", "values")


def _judge_paths(contract: Contract) -> Iterator[Finding]:
    step = contract.step
    ports = {
        step.container_path(direction, name): f"{direction} {name}"
        for direction, declared in (("input", step.inputs), ("output", step.outputs))
        for name in declared
    }
    told: set[str] = set()
    for literal in contract.facts.literals:
        path = str(PurePosixPath(literal.path))
        if literal.is_prefix or path in told or _is_owned(path, ports):
            continue
        told.add(path)
        yield _finding(
            contract,
            PathUndeclared,
            f"the script mentions {literal.path}, which belongs to no port",
            f"{literal.file}:{literal.line}",
            did_you_mean(path, ports) or "declare a port with that path",
        )
    if step.kind is Kind.PROCESSING:
        yield from _unused_ports(contract, ports)


def _is_owned(path: str, ports: Mapping[str, str]) -> bool:
    """Tell whether a path lies in a port or above one, or is SageMaker's own."""
    pure = PurePosixPath(path)
    if any(pure.is_relative_to(reserved) for reserved in _RESERVED):
        return True
    return any(
        pure.is_relative_to(port) or PurePosixPath(port).is_relative_to(pure) for port in ports
    )


def _unused_ports(contract: Contract, ports: Mapping[str, str]) -> Iterator[Finding]:
    """Yield ports of a processing step whose place the script can't know."""
    words = " ".join((*contract.argv, *contract.planned.env.values()))
    mentioned = [PurePosixPath(literal.path) for literal in contract.facts.literals]
    for path, name in ports.items():
        pure = PurePosixPath(path)
        near = any(pure.is_relative_to(each) or each.is_relative_to(pure) for each in mentioned)
        # The job's configuration file names all ports.
        reads_config = "processingjobconfig.json" in " ".join(contract.facts.texts)
        if near or path in words or reads_config or pure.name in contract.facts.texts:
            continue
        finding = _finding(
            contract,
            PortUnused,
            f"{name}: the script mentions {path} nowhere",
            contract.facts.file,
            did_you_mean(path, map(str, mentioned)) or "correct its `path`, or remove the port",
        )
        yield finding.model_copy(update={"port": name.partition(" ")[2]})


def _finding(
    contract: Contract, rule: type[Rule], message: str, location: str, hint: str = ""
) -> Finding:
    return Finding(
        code=rule.code,
        severity=rule.severity,
        message=message,
        step=contract.planned.node,
        location=location,
        hint=hint,
        reproduce=contract.reproduce,
    )
