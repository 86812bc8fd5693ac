"""Shows a plan, or executes it and shows what comes of it."""

from __future__ import annotations

import os
import shlex
import time
from contextlib import closing
from typing import TYPE_CHECKING, Generic, ParamSpec

from mlvalidate.cli.output import console_for, write_out
from mlvalidate.cli.reports import ReportFiles
from mlvalidate.cli.run_options import RunOptions
from mlvalidate.cli.settings import Settings
from mlvalidate.core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlvalidate.core.contracts import Project
    from mlvalidate.core.plan import Plan
    from mlvalidate.core.suite import SuitePlan

P = ParamSpec("P")


def run_plan(settings: Settings, project: Project, plan: Plan, options: RunOptions) -> ExitCode:
    """Execute the plan, or show it for --dry-run, and return the exit code."""
    if options.dry_run:
        return _show(settings, project, plan)
    return _execute(settings, project, plan, options)


def _show(settings: Settings, project: Project, plan: Plan) -> ExitCode:
    from mlvalidate import api
    from mlvalidate.reporting.plan_view import print_plan, redact_plan

    plan = redact_plan(api.foresee(project, plan), os.environ)
    if settings.json:
        write_out(plan.model_dump_json(indent=2))
    else:
        print_plan(console_for(settings), plan)
    return ExitCode.PASSED


def _execute(settings: Settings, project: Project, plan: Plan, options: RunOptions) -> ExitCode:
    from mlvalidate import api
    from mlvalidate.reporting.live import choose_progress
    from mlvalidate.reporting.summary import print_summary

    files = ReportFiles.prepare(options)
    console = console_for(settings)
    progress = choose_progress(console, verbose=settings.verbose, quiet=settings.quiet)
    display = _Display(progress.handle)
    with closing(progress):
        result = api.execute(
            project, plan, on_event=display.handle, record=not options.no_record, jobs=options.jobs
        )
    if settings.json:
        write_out(result.model_dump_json(indent=2))
    try:
        display.raise_fault()
        print_summary(
            console,
            result,
            api.run_folder(project, result),
            verbose=settings.verbose,
            quiet=settings.quiet,
            sync_command=_sync_command(settings),
        )
    finally:
        files.write(settings, project, result)
    return result.exit_code


def run_suite(
    settings: Settings, project: Project, suite: SuitePlan, options: RunOptions
) -> ExitCode:
    """Execute all plans, or show them for --dry-run, and return the exit code."""
    if options.dry_run:
        return _show_suite(settings, suite)
    return _execute_suite(settings, project, suite, options)


def _show_suite(settings: Settings, suite: SuitePlan) -> ExitCode:
    from mlvalidate.reporting.plan_view import print_plan, redact_plan
    from mlvalidate.reporting.suite import print_suite_plan

    plans = tuple(redact_plan(plan, os.environ) for plan in suite.plans)
    suite = suite.model_copy(update={"plans": plans})
    if settings.json:
        write_out(suite.model_dump_json(indent=2))
    else:
        print_suite_plan(console_for(settings), suite, print_plan)
    return ExitCode.PASSED


def _execute_suite(
    settings: Settings, project: Project, suite: SuitePlan, options: RunOptions
) -> ExitCode:
    from mlvalidate import api
    from mlvalidate.reporting.live import choose_progress
    from mlvalidate.reporting.suite import SuiteProgress, print_suite_summary

    files = ReportFiles.prepare(options)
    console = console_for(settings)
    progress = choose_progress(console, verbose=settings.verbose, quiet=settings.quiet)
    with closing(progress):
        display = _Display(SuiteProgress(progress, suite, time.time()).handle)
        result = api.execute_all(
            project, suite, display.handle, record=not options.no_record, jobs=options.jobs
        )
    if settings.json:
        write_out(result.model_dump_json(indent=2))
    try:
        display.raise_fault()
        print_suite_summary(
            console,
            result,
            lambda run: api.run_folder(project, run),
            verbose=settings.verbose,
            quiet=settings.quiet,
            sync_command=_sync_command(settings),
        )
    finally:
        files.write(settings, project, result)
    return result.exit_code


class _Display(Generic[P]):
    """Keeps a fault of the display from ending the run: it is raised when the run is over."""

    def __init__(self, handle: Callable[P, None]) -> None:
        self._handle = handle
        self._fault: Exception | None = None

    def handle(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Show an event, unless an earlier one could not be shown."""
        if self._fault is None:
            try:
                self._handle(*args, **kwargs)
            except Exception as error:
                self._fault = error

    def raise_fault(self) -> None:
        """Raise what went wrong, if anything did."""
        if self._fault is not None:
            raise self._fault


def _sync_command(settings: Settings) -> str:
    if settings.directory is None:
        return "mlvalidate sync"
    return f"mlvalidate sync -C {shlex.quote(str(settings.directory))}"
