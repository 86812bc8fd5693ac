"""F339, F342 and F343: inputs, JSON files and archives, as the step's checks want them."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from mlvalidate.checks.base import Check, join_names
from mlvalidate.checks.declared import DeclaredCheckBase
from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.sight import Sight, what_is_missing
from mlvalidate.core.findings import MOST_EVIDENCE, Finding
from mlvalidate.core.suggest import did_you_mean

# A JSON file, or a member of an archive, larger than this is not read.
MOST_BYTES = 64 * 10**6
MOST_MEMBERS = 100_000


class InputsChanged(DeclaredCheckBase):
    """The script wrote to its inputs, and the step declares `inputs_unchanged`.

    In the cloud the change is lost with the container; here it was made to a copy. Whoever reads
    the input again in the same script reads something else.

    What to do: write to an output or to a temporary folder.
    """

    code = "F339"
    key = "inputs_unchanged"

    def judge(self, evidence: Evidence, _options: Any) -> Iterator[Finding]:
        for item in evidence.planned.inputs:
            changed = [
                f"{change.change}: {change.path}"
                for change in evidence.outcome.changes
                if change.area == f"input:{item.port}"
            ]
            if changed:
                yield self.finding(
                    evidence,
                    f"input {item.port}: the script wrote to it: {join_names(changed, 3)}",
                    hint="write to an output or to a temporary folder",
                    port=item.port,
                    examples=changed,
                )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:  # noqa: ARG002
        return what_is_missing(Sight.WATCHED_INPUTS, evidence)


class JsonInvalid(DeclaredCheckBase):
    """A JSON file does not satisfy its declared `json_schema`.

    What to do: look at the place in the file that the message names.
    """

    code = "F342"
    key = "json_schema"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        from jsonschema import exceptions, validators

        name, _, file_name = options.file.partition("/")
        path = _find(evidence, name, file_name)
        if path is None:
            # That it is missing is said by F301 where it is declared.
            return
        try:
            content = _load_json(path)
        except ValueError as problem:
            yield self._finding(evidence, options, str(problem))
            return
        schema = load_schema(evidence.root / options.json_schema_file)
        validator = validators.validator_for(schema)(schema)
        errors = sorted(validator.iter_errors(content), key=exceptions.relevance, reverse=True)
        if errors:
            said = [f"{error.json_path}: {error.message}"[:300] for error in errors]
            yield self._finding(evidence, options, said[0], said[:MOST_EVIDENCE])

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        name, _, file_name = options.file.partition("/")
        return "" if _find(evidence, name, file_name) else f"{options.file} is not there"

    def _finding(
        self, evidence: Evidence, options: Any, problem: str, examples: list[str] | None = None
    ) -> Finding:
        name, _, file_name = options.file.partition("/")
        return self.finding(
            evidence,
            f"output {name}: {file_name} does not fit {options.json_schema_file}: {problem}",
            hint="correct what the script writes, or the schema",
            port=name,
            file=file_name,
            examples=examples or [],
        )


def load_schema(path: Path) -> Any:
    """Read a JSON Schema from JSON or YAML; ValueError with a reason when it is none."""
    import yaml
    from jsonschema import exceptions, validators

    try:
        schema = yaml.safe_load(path.read_text(encoding="utf-8"))
        validators.validator_for(schema).check_schema(schema)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name} can't be read: {error}") from None
    except exceptions.SchemaError as error:
        raise ValueError(f"{path.name} is no JSON Schema: {error.message}") from None
    if not isinstance(schema, dict | bool):
        raise ValueError(f"{path.name} is no JSON Schema")
    return schema


def _load_json(path: Path) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError("it is too large to be looked into")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from None


def _find(evidence: Evidence, port: str, name: str) -> Path | None:
    """Return the path of an output file, or None. Links out of the port don't count."""
    output = evidence.output(port)
    for file in output.files if output else ():
        if file.name == name and not file.problem:
            return file.path
    archive = evidence.packed.get(port)
    return archive if archive is not None and archive.name == name else None


class ArchiveContent(DeclaredCheckBase):
    """An archive lacks a member that the step's `archive` check wants, or holds a forbidden one.

    Those that it names under `json_members` are also read and must be JSON. Nothing is unpacked to
    disk.

    What to do: look at the members that are listed; paths in the archive count.
    """

    code = "F343"
    key = "archive"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        port, _, name = options.file.partition("/")
        path = _find(evidence, port, name)
        if path is None:
            yield self._finding(evidence, options, "is not there", [])
            return
        try:
            members = read_members(path, wanted=options.json_members)
        except (OSError, EOFError, ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
            yield self._finding(evidence, options, f"can't be read: {error}", [])
            return
        names = sorted(members)
        for wanted in dict.fromkeys((*options.members, *options.json_members)):
            if not any(fnmatch(member, wanted) for member in names):
                hint = did_you_mean(wanted, names)
                yield self._finding(evidence, options, f"has no member {wanted}", names, hint)
        for pattern in options.forbidden:
            found = [member for member in names if fnmatch(member, pattern)]
            if found:
                yield self._finding(evidence, options, f"holds {join_names(found, 3)}", found)
        for member in options.json_members:
            problem = _json_problem(members.get(member))
            if problem:
                yield self._finding(evidence, options, f"holds {member}, which {problem}", [])

    def nothing_for(self, evidence: Evidence, options: Any) -> str:  # noqa: ARG002
        # An archive that is not there is a finding.
        return ""

    def _finding(
        self,
        evidence: Evidence,
        options: Any,
        problem: str,
        members: list[str],
        hint: str = "",
    ) -> Finding:
        port, _, name = options.file.partition("/")
        return self.finding(
            evidence,
            f"output {port}: archive {name} {problem}",
            hint=hint or "paths in the archive count: tar.add(..., arcname=...) sets them",
            port=port,
            file=name,
            examples=members,
        )


def read_members(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Return the names of the files in an archive, and the content of the ``wanted`` ones.

    Nothing is written to disk. ValueError when it is no archive or holds too much.
    """
    found: dict[str, bytes] = {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist()[:MOST_MEMBERS]:
                if not info.is_dir():
                    content = b""
                    if info.filename in wanted:
                        with archive.open(info) as member:
                            content = _bounded(member.read(MOST_BYTES + 1))
                    found[info.filename] = content
        return found
    with tarfile.open(path, "r|*") as tar:
        for number, entry in enumerate(tar):
            if number >= MOST_MEMBERS:
                raise ValueError(f"it has more than {MOST_MEMBERS} members")
            if not entry.isfile():
                continue
            name = entry.name.removeprefix("./")
            stream = tar.extractfile(entry) if name in wanted else None
            found[name] = _bounded(stream.read(MOST_BYTES + 1)) if stream else b""
    return found


def _bounded(content: bytes) -> bytes:
    if len(content) > MOST_BYTES:
        raise ValueError("a member is too large to be looked into")
    return content


def _json_problem(content: bytes | None) -> str:
    if content is None:
        return ""
    try:
        json.loads(content)
    except (ValueError, RecursionError) as error:
        return f"is no JSON: {error}"
    return ""


CHECKS: tuple[type[Check], ...] = (InputsChanged, JsonInvalid, ArchiveContent)
