"""The errors that reach a user as one clear message, and the exit codes they lead to."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller. Documented in docs/reference/exit-codes.md."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    INTERNAL = 3
    NOTHING_RAN = 5
    INTERRUPTED = 130


class MlvalidateError(Exception):
    """Base of every error that is shown without a traceback.

    ``hint`` says what to do next; it is printed on a line of its own.
    """

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MlvalidateError):
    """The call or the project file is wrong: the user can mend it."""

    exit_code = ExitCode.USAGE


class NothingProvidesError(UsageError):
    """An input of a step has no source: no step, no dataset, no sample, no folder."""


class InfrastructureError(MlvalidateError):
    """This machine can't do it: no namespaces, a full disk, an interpreter that does not start."""

    exit_code = ExitCode.INTERNAL
