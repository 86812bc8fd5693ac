"""What goes wrong, told in one clear message, and the exit code that it leads to."""

from __future__ import annotations

import errno
import os
import sys
import traceback

import click

from mlvalidate.core.errors import ExitCode, MlvalidateError
from mlvalidate.reporting.text import one_line, plain

DEBUG_VARIABLE = "MLVALIDATE_DEBUG"

# Faults of the machine that the user can mend; any other OSError is taken for a bug of ours.
_MACHINE_FAULTS = {
    errno.ENOSPC: ("the disk is full", "free some space, or move the project to another disk"),
    errno.EDQUOT: ("the disk quota is used up", "free some space"),
    errno.EROFS: (
        "the file system is read-only",
        "mlvalidate writes to .mlvalidate in the project's folder: put the project where it can",
    ),
    errno.EACCES: ("permission denied", "see who owns the file, and who runs mlvalidate"),
    errno.EPERM: ("operation not permitted", "see who owns the file, and who runs mlvalidate"),
    errno.EMFILE: ("too many open files", "raise the limit: ulimit -n 4096"),
}


def report_fault(error: BaseException, *, verbose: bool = False) -> ExitCode:
    """Tell the user on stderr what went wrong, and return the exit code."""
    debug = verbose or os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")
    if isinstance(error, click.Abort | KeyboardInterrupt):
        _say("interrupted")
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        _say_error(error.format_message(), _usage_hint(error))
        return ExitCode.USAGE
    if isinstance(error, MlvalidateError):
        if debug:
            _say_traceback(error)
        _say_error(error.message, error.hint)
        return error.exit_code
    if isinstance(error, OSError) and error.errno in _MACHINE_FAULTS:
        if debug:
            _say_traceback(error)
        what, hint = _MACHINE_FAULTS[error.errno]
        _say_error(f"{what}: {error.filename}" if error.filename else what, hint)
        return ExitCode.INTERNAL
    _report_bug(error, debug=debug)
    return ExitCode.INTERNAL


def _report_bug(error: BaseException, *, debug: bool) -> None:
    if debug:
        _say_traceback(error)
    text = one_line(str(error))
    _say_error(
        f"{type(error).__name__}: {text}" if text else type(error).__name__,
        "this is a bug in mlvalidate, not in your scripts; please report it"
        + ("" if debug else f" with the traceback that -v or {DEBUG_VARIABLE}=1 shows"),
        label="internal error:",
    )


def _usage_hint(error: click.ClickException) -> str:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return f"see `{ctx.command_path} --help`" if ctx else ""


def _say_traceback(error: BaseException) -> None:
    _say(plain("".join(traceback.format_exception(error)).rstrip()))


def _say_error(message: str, hint: str, label: str = "error:") -> None:
    _say(f"{_styled(label, 'red')} {plain(message)}")
    if hint:
        _say(f"{_styled('hint:', 'cyan')} {plain(hint)}")


def _styled(text: str, colour: str) -> str:
    stream = sys.stderr
    plain_wanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if plain_wanted or not stream.isatty():
        return text
    return click.style(text, fg=colour, bold=True)


def _say(text: str) -> None:
    # A stderr that is full or gone can't be told anything; the exit code still tells.
    try:
        click.echo(text, err=True)
    except OSError:
        return
