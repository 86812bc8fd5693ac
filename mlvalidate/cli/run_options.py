"""The options of the commands that run something."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlvalidate.cli.completions import complete_scenarios

if TYPE_CHECKING:
    from mlvalidate import api

# The values of core.plan.DataSource, which imports pydantic; a test compares them.
DATA_SOURCES = ("synthetic", "sample")
# The values of core.contracts.Reports.
REPORTS = ("all", "failed", "none")


@dataclass(frozen=True)
class RunOptions:
    """What the user chose."""

    data: str
    data_dirs: dict[str, Path]
    rows: int | None
    seed: int | None
    scenarios: tuple[str, ...]
    reports: str | None
    cold: bool
    dry_run: bool
    record: bool

    def for_api(self, entry: str | None = None, explore: int | None = None) -> api.Options:
        """Return the part that makes the plan."""
        from mlvalidate import api
        from mlvalidate.core.contracts import Reports
        from mlvalidate.core.plan import DataSource, Entry

        return api.Options(
            data=DataSource(self.data),
            data_dirs=self.data_dirs,
            rows=self.rows,
            seed=self.seed,
            entry=Entry(entry) if entry else None,
            scenarios=self.scenarios,
            explore=explore,
            reports=Reports(self.reports) if self.reports else None,
            cold=self.cold,
        )


def run_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options, and pass them on as ``options``."""

    @functools.wraps(function)
    def collect(
        *args: Any,
        data: str,
        data_dirs: dict[str, Path],
        rows: int | None,
        seed: int | None,
        scenarios: tuple[str, ...],
        reports: str | None,
        cold: bool,
        dry_run: bool,
        no_record: bool,
        **rest: Any,
    ) -> int:
        record = not no_record
        options = RunOptions(data, data_dirs, rows, seed, scenarios, reports, cold, dry_run, record)
        return function(*args, options=options, **rest)

    for decorate in reversed(_OPTIONS):
        collect = decorate(collect)
    return collect


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


_OPTIONS = (
    click.option(
        "--data",
        type=click.Choice(DATA_SOURCES),
        default="synthetic",
        show_default=True,
        help="Where inputs come from that no step produces.",
    ),
    click.option(
        "--data-dir",
        "data_dirs",
        multiple=True,
        metavar="PORT=PATH",
        callback=_parse_data_dirs,
        help="Take an input from a file or folder; in a pipeline NODE.PORT=PATH. Repeatable.",
    ),
    click.option(
        "--rows",
        type=click.IntRange(min=1),
        metavar="N",
        help="Rows of each synthetic dataset (default: as the dataset says).",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        help="Seed of the synthetic data (default: as the project says).",
    ),
    click.option(
        "--scenario",
        "scenarios",
        multiple=True,
        metavar="S",
        shell_complete=complete_scenarios,
        help="Shape the synthetic data: a scenario, or scenario.case. Repeatable; `all` for a "
        "script.",
    ),
    click.option(
        "--reports",
        type=click.Choice(REPORTS),
        help="Render Evidently's reports of the outputs of all steps, of those with an error or "
        "a warning, or of none (default: as the project says, else all).",
    ),
    click.option(
        "--cold",
        is_flag=True,
        help="Start each script in a new interpreter, not as a fork of one that is ready.",
    ),
    click.option("--dry-run", is_flag=True, help="Show what would run, and run nothing."),
    click.option("--no-record", is_flag=True, help="Don't record the run in MLflow."),
)
