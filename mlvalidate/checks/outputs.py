"""F30x: which files the script left, and where."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import PurePosixPath

from mlvalidate.checks.base import Check, join_names
from mlvalidate.checks.evidence import Evidence, PortContent
from mlvalidate.checks.sight import Sight
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.suggest import did_you_mean


class OutputMissing(Check):
    """A required output port is empty, or a file that it declares is not there.

    SageMaker uploads whatever the folder holds, and the next job fails or, worse, works on
    nothing. The finding lists what the port and the other outputs hold instead: a file in the
    wrong folder is the most frequent cause.

    What to do: write the file where the contract says, or correct `path` and `files` of the port.
    """

    code = "F301"
    looks_at = Sight.OUTPUTS

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if wrote_nothing(evidence):
            return
        for output in evidence.outputs:
            if not output.declaration.required:
                continue
            missing = missing_patterns(output)
            if is_empty(output):
                yield self._missing(evidence, output, None)
            for pattern in () if is_empty(output) else missing:
                yield self._missing(evidence, output, pattern)

    def _missing(self, evidence: Evidence, output: PortContent, pattern: str | None) -> Finding:
        elsewhere = {
            f"{other.path}/{file.name}"
            for other in evidence.outputs
            if other.port != output.port
            for file in other.files
            if pattern and fnmatch(file.name.rpartition("/")[2], pattern.rpartition("/")[2])
        } | {
            stray
            for stray in evidence.stray_files
            if pattern is None or fnmatch(stray, f"*/{pattern}")
        }
        if elsewhere:
            hint = f"the script wrote {join_names(sorted(elsewhere), 3)}"
        elif pattern and output.files:
            hint = did_you_mean(pattern, [file.name for file in output.files])
        else:
            hint = f"nothing was written to {output.path}"
        what = f"the file {pattern} is missing" if pattern else "the output is empty"
        return self.finding(
            evidence,
            f"output {output.port}: {what}",
            hint=hint,
            port=output.port,
            file=pattern,
            examples=[f"{output.path}/{file.name}" for file in output.files],
        )


def missing_patterns(output: PortContent) -> list[str]:
    """Return the declared names and globs that no file of the port matches."""
    return [
        pattern
        for pattern in output.declaration.files
        if not any(file.name == pattern or fnmatch(file.name, pattern) for file in output.files)
    ]


def wrote_nothing(evidence: Evidence) -> bool:
    """Tell whether a step that has to write something has left all its outputs empty."""
    required = [output for output in evidence.outputs if output.declaration.required]
    return bool(required) and all(is_empty(output) for output in evidence.outputs)


def is_empty(output: PortContent) -> bool:
    """Tell whether a port holds nothing; undeclared files without any bytes are nothing as well."""
    return not any(file.size or file.problem or file.is_declared for file in output.files)


class NothingWritten(Check):
    """The script ended with exit code 0 and all its outputs are empty.

    This is the worst kind of failure: the pipeline goes on with nothing. Usual causes are an
    early `sys.exit(0)`, an exception that is caught and only logged, paths that are only set in
    another environment, and a loop over an input that matched no file.

    What to do: read the log of the step; make the script fail when it has nothing to do.
    """

    code = "F306"
    looks_at = Sight.OUTPUTS

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if wrote_nothing(evidence):
            paths = [output.path for output in evidence.outputs]
            stray = evidence.stray_files
            yield self.finding(
                evidence,
                "the script ended with exit code 0 and wrote nothing",
                hint=(
                    f"it wrote {join_names(stray, 3)} instead"
                    if stray
                    else f"expected files below {join_names(paths)}"
                ),
                examples=(evidence.stderr or evidence.stdout).strip().splitlines()[-3:],
            )


class FileEmpty(Check):
    """A declared output file has no bytes, or a table no rows.

    What to do: find out why nothing was left: a filter that matches no row, a join without
    partners, a file that was opened and never written.
    """

    code = "F302"
    looks_at = Sight.FILES

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output in evidence.outputs:
            for file in output.files:
                if file.problem or not file.is_declared:
                    continue
                if file.size == 0:
                    what = "is empty (0 bytes)"
                elif file.frame is not None and len(file.frame) == 0:
                    what = "has columns but no rows"
                else:
                    continue
                yield self.finding(
                    evidence,
                    f"output {output.port}: {file.name} {what}",
                    hint="make the script fail when it has nothing to write",
                    port=output.port,
                    file=file.name,
                )


class FileUndeclared(Check):
    """An output port holds a file that its `files` do not name.

    It is uploaded with the rest and read by whoever lists the folder, for example as one more
    shard of the training data.

    What to do: declare the file, or write temporary files to /tmp.
    """

    code = "F303"
    looks_at = Sight.FILES
    severity = Severity.WARNING

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output in evidence.outputs:
            if not output.declaration.files:
                continue
            undeclared = [file.name for file in output.files if not file.is_declared]
            if undeclared:
                yield self.finding(
                    evidence,
                    f"output {output.port}: {join_names(undeclared)} not declared",
                    hint=f"add to `files` of output {output.port}, or write to /tmp",
                    port=output.port,
                    file=undeclared[0],
                    examples=[f"{output.path}/{name}" for name in undeclared],
                )


class InputChanged(Check):
    """The script changed or deleted files in one of its inputs.

    In SageMaker each job has its own copy, so the next job does not see the change; what comes
    after it in the same script does. Files that are merely added (an archive unpacked in place)
    do not count. The producer's files stay as they were.

    What to do: write to an output or to /tmp instead.
    """

    code = "F304"
    looks_at = Sight.WATCHED_INPUTS
    severity = Severity.WARNING

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if any(check.inputs_unchanged for check in evidence.planned.step.checks):
            return  # F339 says it, and as an error
        for item in evidence.planned.inputs:
            changes = [
                change
                for change in evidence.outcome.changes
                if change.area == f"input:{item.port}" and change.change != "added"
            ]
            if changes:
                yield self.finding(
                    evidence,
                    f"input {item.port}: the script changed "
                    f"{join_names([change.path for change in changes], 3)}",
                    hint="write to an output or to /tmp instead",
                    port=item.port,
                    file=changes[0].path,
                    examples=[f"{c.change}: {item.container_path}/{c.path}" for c in changes],
                )


class WroteElsewhere(Check):
    """The script wrote files below /opt/ml that belong to no output.

    Nothing of it lasts when the container ends, and nobody downstream receives it. Often it is an
    output with a mistyped path.

    What to do: declare an output for what is needed later; use /tmp for the rest.
    """

    code = "F305"
    looks_at = Sight.OUTPUTS
    severity = Severity.WARNING

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        if evidence.stray_files and not wrote_nothing(evidence):
            declared = [output.path for output in evidence.outputs]
            yield self.finding(
                evidence,
                f"the script wrote {join_names(evidence.stray_files, 3)} outside its outputs",
                hint=f"outputs are {join_names(declared)}" if declared else "declare an output",
                file=evidence.stray_files[0],
                location=evidence.writer_of(evidence.stray_files),
                examples=evidence.stray_files,
            )


class WroteThrowaway(Check):
    """The script wrote or changed files outside /opt/ml and /tmp, which are thrown away.

    The working folder, the project and the home folder are private copies here, as they are in the
    container: nothing of it lasts. Unpacking a model into the working folder is harmless.

    What to do: nothing, or write to an output what is needed later.
    """

    code = "F310"
    looks_at = Sight.SANDBOX
    severity = Severity.INFO

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        places = _changed_outside(evidence)
        if places and not wrote_nothing(evidence):
            yield self.finding(
                evidence,
                f"the script wrote {join_names(places, 3)}, which does not last",
                hint="write to an output what is needed later",
                file=places[0],
                location=evidence.writer_of(places),
                examples=places,
            )


def _changed_outside(evidence: Evidence) -> list[str]:
    """Return paths of what was changed in the project, in `/`, in /opt or in the home folder."""
    return [
        str(PurePosixPath(evidence.root if change.area == "project" else change.area, change.path))
        for change in evidence.outcome.changes
        if not change.area.startswith(("input:", "packages", "code"))
    ]


class UnsafeFile(Check):
    """An output holds something that can't be passed on: a link out of the port, a pipe, a socket.

    mlvalidate does not follow such links, since the script decides where they lead.

    What to do: write regular files; copy what a link points to.
    """

    code = "F308"
    looks_at = Sight.FILES

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for output in evidence.outputs:
            for file in output.files:
                if file.problem:
                    yield self.finding(
                        evidence,
                        f"output {output.port}: {file.name} {file.problem}",
                        hint="write a regular file",
                        port=output.port,
                        file=file.name,
                    )


class MetricMissing(Check):
    """A metric that the step declares could not be read from its output.

    What to do: correct the path behind `#` in `metrics`, or write the number.
    """

    code = "F315"
    looks_at = Sight.METRICS

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for metric, reason in evidence.failed_metrics.items():
            yield self.finding(
                evidence,
                f"metric {metric} has no value: {reason}",
                hint=f"declared as {evidence.planned.step.metrics[metric]}",
            )


CHECKS: tuple[type[Check], ...] = (
    OutputMissing,
    NothingWritten,
    FileEmpty,
    FileUndeclared,
    InputChanged,
    WroteElsewhere,
    WroteThrowaway,
    UnsafeFile,
    MetricMissing,
)
