"""The options of the commands that run something."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlvalidate.cli.completions import complete_scenarios

if TYPE_CHECKING:
    from mlvalidate import api

_Decorator = Callable[[Callable[..., int]], Callable[..., int]]

# The values of core.plan.DataSource, which imports pydantic; a test compares them.
DATA_SOURCES = ("synthetic", "sample")
# The values of core.contracts.Reports.
REPORTS = ("all", "failed", "none")
# The values of core.plan.SandboxChoice.
SANDBOXES = ("auto", "none")


@dataclass(frozen=True)
class RunOptions:
    """What the user chose; fields have the names of `_OPTIONS`."""

    data: str = "synthetic"
    data_dirs: Mapping[str, Path] = field(default_factory=dict)
    rows: int | None = None
    seed: int | None = None
    scenarios: tuple[str, ...] = ()
    reports: str | None = None
    sandbox: str | None = None
    jobs: int | None = None
    cold: bool = False
    dry_run: bool = False
    no_record: bool = False
    no_cache: bool = False
    junit: Path | None = None
    markdown: Path | None = None
    sarif: Path | None = None
    outputs: tuple[tuple[str, Path], ...] = ()
    github: bool = False

    @property
    def wanted_reports(self) -> tuple[tuple[str, Path], ...]:
        """The formats in which the run is to be written, with their files."""
        named = (("junit", self.junit), ("markdown", self.markdown), ("sarif", self.sarif))
        return (*((name, path) for name, path in named if path is not None), *self.outputs)

    def for_api(self, entry: str | None = None, explore: int | None = None) -> api.Options:
        """Return the part that makes the plan."""
        from mlvalidate import api
        from mlvalidate.core.contracts import Reports
        from mlvalidate.core.plan import DataSource, Entry, SandboxChoice

        return api.Options(
            data=DataSource(self.data),
            data_dirs=self.data_dirs,
            rows=self.rows,
            seed=self.seed,
            entry=Entry(entry) if entry else None,
            scenarios=self.scenarios,
            explore=explore,
            reports=Reports(self.reports) if self.reports else None,
            sandbox=SandboxChoice(self.sandbox) if self.sandbox else None,
            cache=not self.no_cache,
            cold=self.cold,
        )


def run_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options, and pass them on as ``options``."""
    return _add(tuple(_OPTIONS), function)


def suite_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options that can be meant for several runs at once, and pass them on."""
    return _add([name for name in _OPTIONS if name != "data_dirs"], function)


def measurement_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options of a run whose figures are what counts, and pass them on."""
    return _add(("data_dirs", "seed", "dry_run", "no_record"), function)


def data_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options that say what data steps run on, and pass them on."""
    return _add(("data", "data_dirs", "rows", "seed"), function)


def _add(names: Sequence[str], function: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(function)
    def collect(*args: Any, **given: Any) -> int:
        chosen = RunOptions(**{name: given.pop(name) for name in names})
        return function(*args, options=chosen, **given)

    command: Callable[..., int] = collect
    for name in reversed(names):
        command = _OPTIONS[name](command)
    return command


def _parse_data_dirs(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for value in values:
        port, equals, path = value.partition("=")
        if not (port and equals and path):
            raise click.BadParameter(f"expected PORT=PATH, got {value!r}", ctx, param)
        if port in folders:
            raise click.BadParameter(f"{port!r} is given twice", ctx, param)
        # The shell leaves a ~ behind `=` alone.
        folders[port] = Path(path).expanduser().absolute()
        if not folders[port].exists():
            raise click.BadParameter(f"there is no file or folder {path!r}", ctx, param)
    return folders


def _parse_outputs(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, Path], ...]:
    outputs = []
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise click.BadParameter(f"expected NAME=FILE, got {value!r}", ctx, param)
        outputs.append((name, Path(path).expanduser()))
    return tuple(outputs)


def _report_option(name: str, help_text: str) -> _Decorator:
    file = click.Path(dir_okay=False, path_type=Path)
    return click.option(f"--{name}", type=file, metavar="FILE", help=help_text)


_OPTIONS: Mapping[str, _Decorator] = {
    "data": click.option(
        "--data",
        type=click.Choice(DATA_SOURCES),
        default="synthetic",
        show_default=True,
        help="Where inputs come from that no step produces.",
    ),
    "data_dirs": click.option(
        "--data-dir",
        "data_dirs",
        multiple=True,
        metavar="PORT=PATH",
        callback=_parse_data_dirs,
        help="Take an input from a file or folder; in a pipeline NODE.PORT=PATH. Repeatable.",
    ),
    "rows": click.option(
        "--rows",
        type=click.IntRange(min=1),
        metavar="N",
        help="Rows of each synthetic dataset (default: as the dataset says).",
    ),
    "seed": click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        help="Seed of the synthetic data (default: as the project says).",
    ),
    "scenarios": click.option(
        "--scenario",
        "scenarios",
        multiple=True,
        metavar="S",
        shell_complete=complete_scenarios,
        help="Shape the synthetic data: a scenario, or scenario.case. Repeatable; `all` for a "
        "script.",
    ),
    "reports": click.option(
        "--reports",
        type=click.Choice(REPORTS),
        help="Render Evidently's reports of the outputs of all steps, of those with an error or "
        "a warning, or of none (default: as the project says, else all).",
    ),
    "jobs": click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="How many scripts run at once where they don't need each other's outputs (default: as "
        "many as there are cores). Their times are truest with 1.",
    ),
    "sandbox": click.option(
        "--sandbox",
        type=click.Choice(SANDBOXES),
        help="none: run scripts in the open, where they can reach all that you can "
        "(default: a sandbox where this machine has one).",
    ),
    "cold": click.option(
        "--cold",
        is_flag=True,
        help="Start each script in a new interpreter, not as a fork of one that is ready.",
    ),
    "dry_run": click.option(
        "--dry-run", is_flag=True, help="Show what would run, and run nothing."
    ),
    "no_record": click.option("--no-record", is_flag=True, help="Don't record the run in MLflow."),
    "no_cache": click.option(
        "--no-cache",
        is_flag=True,
        help="Run steps although nothing has changed since they passed, and keep none of them.",
    ),
    "junit": _report_option("junit", "Write the run as JUnit's XML, for CI services."),
    "markdown": _report_option("markdown", "Write the run in markdown, for a comment."),
    "sarif": _report_option("sarif", "Write the findings as SARIF, for code scanning."),
    "outputs": click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="NAME=FILE",
        callback=_parse_outputs,
        help="Write the run in a format by its name: junit, markdown, sarif or one of a plugin. "
        "Repeatable.",
    ),
    "github": click.option(
        "--github",
        is_flag=True,
        help="Annotate lines of code, and write the summary of the job on GitHub.",
    ),
}
