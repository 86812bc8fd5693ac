"""X2xx: how the script ran."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from mlvalidate.checks.base import Check, join_names
from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints import advise
from mlvalidate.checks.limits import met_file_limit
from mlvalidate.checks.sight import Sight
from mlvalidate.checks.traceback import parse_python_error
from mlvalidate.core.contracts import Network
from mlvalidate.core.execution import Stop
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.secrets import MASK
from mlvalidate.core.units import format_duration, format_size


class ScriptFailed(Check):
    """The script ended with an exit code other than 0.

    SageMaker marks the job as failed. The finding names the exception with the innermost line of
    your own code, taken from the traceback on stderr, and the message that the script left in
    /opt/ml/output/failure or /opt/ml/output/message. When a column is missing that another step
    should have written, that step is blamed and `observed in` names the one that crashed.

    What to do: open the location; the full log is in the run's folder and in MLflow.
    """

    code = "X201"
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        outcome = evidence.outcome
        if outcome.stop is not None or outcome.exit_code in (0, None) or met_file_limit(evidence):
            return
        error = evidence.error
        advice = advise(evidence)
        if error is None:
            message = f"the script ended with exit code {outcome.exit_code}"
        else:
            message = f"{error.type}: {error.message}" if error.message else error.type
        finding = self.finding(
            evidence,
            message[:1000],
            hint=advice.hint,
            port=advice.port,
            column=advice.column,
            location=error.location if error else None,
            function=error.function if error else "",
            examples=_last_words(evidence),
        )
        if advice.blame:
            finding = finding.model_copy(
                update={"step": advice.blame, "observed_in": evidence.node}
            )
        yield finding


def _last_words(evidence: Evidence) -> list[str]:
    """Return the message for SageMaker, or the last lines of stderr beside the traceback."""
    if evidence.message and parse_python_error(evidence.message) is None:
        return [evidence.message]
    if evidence.error is not None:
        return list(evidence.error.after[-3:])
    text = evidence.stderr.strip() or evidence.stdout.strip()
    return [line for line in text.splitlines() if line.strip()][-3:]


class ScriptKilled(Check):
    """A signal ended the script, and it was not mlvalidate that sent it.

    SIGSEGV and SIGABRT come from native code (a library built for another version, a stack
    overflow), SIGKILL mostly from the kernel when memory runs out.

    What to do: run the script with `python -X faulthandler` to see the Python line of a crash in
    native code; compare the versions of compiled packages with the container's.
    """

    code = "X202"
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        outcome = evidence.outcome
        if outcome.stop is not None or outcome.signal is None or met_file_limit(evidence):
            return
        name = signal_name(outcome.signal)
        hints = {
            "SIGSEGV": "native code crashed: env PYTHONFAULTHANDLER=1 shows the Python line",
            "SIGABRT": "native code gave up: env PYTHONFAULTHANDLER=1 shows the Python line",
            "SIGKILL": "the script or the kernel (out of memory) killed the process",
        }
        yield self.finding(
            evidence,
            f"the script was killed by {name}",
            hint=hints.get(name, ""),
            examples=_last_words(evidence),
        )


def signal_name(number: int) -> str:
    """Return `SIGSEGV` for 11; the number itself for a signal without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class TimedOut(Check):
    """The script ran longer than its `timeout` and was ended: SIGTERM, then SIGKILL.

    What to do: if the script hangs, look at the last lines of its log (a wait for an optional
    input, a lock, a network answer); if it is just slow, raise `timeout` in the step or defaults.
    """

    code = "X203"
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if evidence.outcome.stop is Stop.TIMEOUT:
            limit = format_duration(evidence.planned.timeout)
            yield self.finding(
                evidence,
                f"the script was still running after {limit}",
                hint=f"raise `timeout` of step {evidence.planned.step_name} if this is expected",
                examples=_last_words(evidence),
            )


class OutOfMemory(Check):
    """The script and its child processes together used more memory than `memory` allows.

    They are killed at once, as a container would be. Pages that forked workers share count once,
    and so do files in `/dev/shm` and in folders that the script makes in `/`: they are in memory.

    What to do: raise `memory` to what the instance type has, or read the data in chunks.
    """

    code = "X204"
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if evidence.outcome.stop is Stop.MEMORY:
            used = max(evidence.outcome.peak_memory, evidence.outcome.peak_rss)
            yield self.finding(
                evidence,
                f"the script used {format_size(used)} of memory; "
                f"the limit is {format_size(evidence.planned.memory)}",
                hint=f"raise `memory` of step {evidence.planned.step_name} if the instance has it",
            )


class NotStarted(Check):
    """The script's interpreter or command could not be started.

    What to do: check `python:` and `command:`; inside the sandbox /tmp, /opt and the home folder
    are private, so a program that lies there is visible only when the interpreter needs it.
    """

    code = "X205"
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if evidence.outcome.start_failure:
            yield self.finding(
                evidence,
                f"the script did not start: {evidence.outcome.start_failure}",
                hint="check the step's `python` or `command`",
            )


class ProcessesLeft(Check):
    """The script ended while processes that it had started were still running.

    The container ends with its entry point, so their work is lost. mlvalidate killed them.

    What to do: wait for the processes (`join`, `communicate`, `wait`) before the script ends.
    """

    code = "X206"
    severity = Severity.WARNING
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        outcome = evidence.outcome
        if outcome.leftovers and outcome.stop is None:
            yield self.finding(
                evidence,
                f"the script left {len(outcome.leftovers)} process(es) running, which were killed",
                hint="wait for child processes before the script ends",
                examples=outcome.leftovers,
            )


class NetworkRefused(Check):
    """The script tried to reach another host; steps have no network unless they say so.

    What to do: if the step needs it, set `network: allow` in the step, or `record` to have the
    hosts noted; otherwise take the call out, or pass the data in as an input.
    """

    code = "X207"
    looks_at = Sight.SANDBOX
    severity = Severity.WARNING
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.planned.network.is_open:
            yield from _tell_hosts(
                self,
                evidence,
                "tried to reach {}, which was refused",
                hint="set `network: allow` in the step if it needs the network",
            )


class NetworkUsed(Check):
    """The script reached for other hosts, as `network: record` lets it.

    All of them are in the step's `hosts` in the result. What Python connects to is noted, with the
    name that was looked up and the address; programs that the script starts are not looked into.

    What to do: nothing, or declare as inputs what the step fetches, so that runs can be compared.
    """

    code = "X215"
    looks_at = Sight.SANDBOX
    severity = Severity.INFO
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if evidence.planned.network is Network.RECORD:
            yield from _tell_hosts(
                self,
                evidence,
                "reached for {}",
                hint="declare as inputs what the step fetches, so that runs can be compared",
            )


def _tell_hosts(check: Check, evidence: Evidence, words: str, *, hint: str) -> Iterator[Finding]:
    """Yield one finding on all hosts that the script reached for, if it did; they replace `{}`."""
    contacts = evidence.notes_of("network")
    if contacts:
        hosts = dict.fromkeys(note.detail for note in contacts)
        yield check.finding(
            evidence,
            f"the script {words.format(join_names(hosts, 3))}",
            hint=hint,
            location=contacts[0].location or None,
            examples=dict.fromkeys(f"{n.detail} from {n.location}" for n in contacts),
        )


class InstallNeutralised(Check):
    """The script wanted to install packages; the call was noted and not executed.

    A container may change itself, a test must not change your environment.

    What to do: install what the script needs into the interpreter of the step (`python:`), in the
    versions that the script names.
    """

    code = "X208"
    severity = Severity.WARNING
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        calls = dict.fromkeys(note.detail for note in evidence.notes_of("pip"))
        if calls:
            yield self.finding(
                evidence,
                "the script calls an installer, which was noted and not executed",
                hint=f"install what is needed into {evidence.planned.python}",
                examples=calls,
            )


class LogShortened(Check):
    """The script printed more than `log_limit`; the head and the tail of its output were kept.

    What to do: nothing, or raise `defaults.log_limit`, or make the script print less: CloudWatch
    charges for every gigabyte.
    """

    code = "X209"
    severity = Severity.INFO
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for stream, dropped in evidence.log_dropped.items():
            yield self.finding(
                evidence,
                f"{format_size(dropped)} of {stream} were left out of the log",
                hint="raise `defaults.log_limit` to keep more",
                file=f"{stream}.log",
            )


class ExceptionSwallowed(Check):
    """The script printed a traceback and then ended with exit code 0.

    An exception that is caught and only logged is a frequent reason for outputs that are there and
    wrong. Where a retry or a fallback follows, all is well.

    What to do: look at the location; let exceptions through that nothing makes good.
    """

    code = "X211"
    severity = Severity.WARNING

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        error = evidence.error
        if error is not None:
            yield self.finding(
                evidence,
                f"the script ended with exit code 0 after {error.type}: {error.message}"[:500],
                hint="let the exception through unless something makes it good",
                location=error.location,
                function=error.function,
            )


class SecretPrinted(Check):
    """The script printed a secret: the value of a variable whose name says so, a key, a password.

    It is masked here. CloudWatch would keep it, for everybody who may read logs.

    What to do: don't print the environment, arguments or addresses as a whole.
    """

    code = "X212"
    severity = Severity.WARNING
    needs_success = False

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for stream in evidence.secret_logs:
            yield self.finding(
                evidence,
                f"the script printed a secret to {stream}, which is masked in the log",
                hint=f"look for {MASK} in the log; print names, not values",
                file=f"{stream}.log",
            )


class FailureDespiteSuccess(Check):
    """The script wrote /opt/ml/output/failure and then ended with exit code 0.

    SageMaker takes such a job for a success, so an error that the script noticed is swallowed.

    What to do: end with `sys.exit(1)` or let the exception through after writing the file.
    """

    code = "X210"
    severity = Severity.WARNING

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if evidence.message and evidence.planned.step.kind.value == "training":
            yield self.finding(
                evidence,
                "the script wrote a failure message and ended with exit code 0",
                hint="end with a non-zero exit code after writing /opt/ml/output/failure",
                examples=[evidence.message],
            )


CHECKS: tuple[type[Check], ...] = (
    ScriptFailed,
    ScriptKilled,
    TimedOut,
    OutOfMemory,
    NotStarted,
    ProcessesLeft,
    NetworkRefused,
    NetworkUsed,
    InstallNeutralised,
    LogShortened,
    FailureDespiteSuccess,
    ExceptionSwallowed,
    SecretPrinted,
)
