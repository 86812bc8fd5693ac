"""F340, F341 and F347: what has to hold between the steps of a pipeline, on a whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mlvalidate.checks.base import Rule, join_names
from mlvalidate.checks.declared import key_columns, missing_columns, show_keys
from mlvalidate.checks.evidence import PortContent
from mlvalidate.checks.leakage import SchemasDiffer, schema_difference, schema_of
from mlvalidate.core.contracts import Pipeline
from mlvalidate.core.declared_checks import AgreeCheck, EqualCheck
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.results import PipelineResult, Status, StepResult

if TYPE_CHECKING:
    import pandas as pd

# Reads an output port of a node with its tables.
ReadPort = Callable[[str, str], PortContent]


class FiguresDiffer(Rule):
    """Two figures that a pipeline declares `equal` differ by more than the tolerance.

    A model that is judged on one path and used on another shows it here: train/serve skew.

    What to do: find the step that computes its figure in another way, or raise `tolerance`.
    """

    code = "F341"


class RowsDisagree(Rule):
    """Two outputs that a pipeline declares to `agree` say different things of the same row.

    Rows are matched by their key; rows that only one of the two has don't count. Where the same
    customers are scored while a model is judged and again in a batch, train/serve skew shows here
    row by row: features that are fitted anew, units and categories spelt otherwise, scores written
    beside the wrong ids. The step of the second output is blamed.

    What to do: compute the values by the same code on both paths; look at the examples.
    """

    code = "F347"


def judge_pipeline(
    pipeline: Pipeline, result: PipelineResult, read_port: ReadPort
) -> Iterator[Finding]:
    """Yield what does not hold between the steps of a run.

    Steps that did not pass don't count: their own findings say more.
    """
    passed = {step.node: step for step in result.steps if step.status is Status.PASSED}
    yield from _judge_schemas(result, passed, read_port)
    for check in pipeline.checks:
        if check.equal is not None:
            yield from _judge_figures(result, passed, check.equal)
        if check.agree is not None:
            nodes = {end.partition(".")[0] for end in check.agree.ports}
            if passed.keys() >= nodes:
                yield from _judge_rows(result, check.agree, read_port)


def _judge_figures(
    result: PipelineResult, passed: dict[str, StepResult], check: EqualCheck
) -> Iterator[Finding]:
    figures = result.figures
    names = check.figures
    nodes = [name.partition(".")[0] for name in names]
    if not passed.keys() >= set(nodes):
        return
    lacking = [name for name in names if name not in figures]
    if lacking:
        message = f"equal: the run has no value for {lacking[0]}"
        yield _finding(FiguresDiffer, result, nodes[1], message)
        return
    first, second = (figures[name] for name in names)
    # Not `>`: NaN is equal to nothing.
    if not abs(first - second) <= check.tolerance:
        yield _finding(
            FiguresDiffer,
            result,
            nodes[1],
            f"{names[0]} is {first:.6g} and {names[1]} is {second:.6g}: they should be equal "
            f"within {check.tolerance:g}",
        )


def _judge_rows(
    result: PipelineResult, check: AgreeCheck, read_port: ReadPort
) -> Iterator[Finding]:
    node, _, port = check.ports[1].partition(".")
    tables = []
    for end in check.ports:
        content = read_port(*end.split(".", 1))
        problem = missing_columns(content, (*check.on, *check.columns))
        if problem:
            message = f"agree: {end}: {problem}"
            yield _finding(RowsDisagree, result, end.partition(".")[0], message, port=content.port)
            return
        tables.append(_keyed(content, check))
    one, other = tables
    common = one.index.intersection(other.index)
    if common.empty:
        message = f"{check.ports[0]} and {check.ports[1]} have no {join_names(check.on)} in common"
        yield _finding(RowsDisagree, result, node, message, port=port)
        return
    for column in check.columns:
        first, second = one.loc[common, column], other.loc[common, column]
        differing = _differ(first, second, check.tolerance).to_numpy(dtype=bool)
        if differing.any():
            keys = show_keys(common[differing].to_frame(index=False))
            pairs = zip(first[differing], second[differing], strict=True)
            yield _finding(
                RowsDisagree,
                result,
                node,
                f"output {port}: {differing.sum()} of {len(common)} rows have another {column!r} "
                f"than {check.ports[0]} has for the same {join_names(check.on)}",
                port=port,
                column=column,
                evidence=tuple(
                    f"{key}: {column} is {_shown(ours)}, there {_shown(theirs)}"
                    for key, (theirs, ours) in zip(keys, pairs, strict=False)
                ),
            )


def _shown(value: object) -> str:
    import pandas as pd

    return "missing" if pd.isna(value) else str(value)


def _keyed(content: PortContent, check: AgreeCheck) -> pd.DataFrame:
    """Return the columns to compare by the key; rows whose key is missing or repeated are out."""
    import pandas as pd

    # Of columns of the same name the first counts.
    frames = [frame.loc[:, ~frame.columns.duplicated()] for _, frame in content.tables]
    keys = pd.concat([key_columns(frame, check.on) for frame in frames], ignore_index=True)
    values = pd.concat([frame[list(check.columns)] for frame in frames], ignore_index=True)
    known = keys.notna().all(axis=1) & ~keys.duplicated(keep=False)
    return values[known].set_index(pd.MultiIndex.from_frame(keys[known]))


def _differ(first: pd.Series, second: pd.Series, tolerance: float) -> pd.Series:
    """Tell for each row whether the values differ; nothing and nothing do not."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    either = first.isna() ^ second.isna()
    both = first.notna() & second.notna()
    numbers = all(is_numeric_dtype(s.dtype) and not is_bool_dtype(s.dtype) for s in (first, second))
    if numbers:
        return either | (both & ~((first - second).abs() <= tolerance))
    return either | (both & (first.astype("string") != second.astype("string")).fillna(False))


def _judge_schemas(
    result: PipelineResult, passed: dict[str, StepResult], read_port: ReadPort
) -> Iterator[Finding]:
    """Compare the same files of nodes that run the same step."""
    columns: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for step in passed.values():
        for port in step.outputs:
            for file in port.files:
                if file.columns is not None:
                    place = (step.step, port.port, file.name)
                    columns.setdefault(place, {})[step.node] = file.columns
    for (_, port_name, file_name), by_node in columns.items():
        # Only what differs as read is looked at again: gaps alone turn whole numbers into floats.
        if len({tuple(each.items()) for each in by_node.values()}) > 1:
            yield from _compare_nodes(result, list(by_node), port_name, file_name, read_port)


def _compare_nodes(
    result: PipelineResult, nodes: list[str], port: str, file: str, read_port: ReadPort
) -> Iterator[Finding]:
    schemas = {node: _schema_of_file(read_port(node, port), file) for node in nodes}
    # Of several that are equally frequent, the first one that occurs.
    usual = Counter(tuple(schema.items()) for schema in schemas.values()).most_common(1)[0][0]
    model = next(node for node, schema in schemas.items() if tuple(schema.items()) == usual)
    for node, schema in schemas.items():
        difference = schema_difference(schemas[model], schema)
        if difference:
            yield _finding(
                SchemasDiffer,
                result,
                node,
                f"output {port}: {file} differs from that of {model}, which runs the same step: "
                f"{difference}",
                port=port,
                file=file,
            ).model_copy(update={"severity": Severity.WARNING})


def _schema_of_file(content: PortContent, name: str) -> dict[str, str]:
    """Return the schema of a table without the columns that may be absent."""
    file, frame = next(each for each in content.tables if each[0].name == name)
    declared = file.dataset.columns if file.dataset else {}
    optional = {column for column, declaration in declared.items() if declaration.optional}
    schema = schema_of(frame)
    return {column: kind for column, kind in schema.items() if column not in optional}


_HINTS = {
    FiguresDiffer: "one of the steps computes its figure in another way, or on other rows",
    RowsDisagree: "compute the values by the same code on both paths",
    SchemasDiffer: "build both by the same code, whatever the arguments",
}


def _finding(
    rule: type[Rule],
    result: PipelineResult,
    node: str,
    message: str,
    *,
    port: str | None = None,
    file: str | None = None,
    column: str | None = None,
    evidence: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        code=rule.code,
        severity=rule.severity,
        message=message,
        step=node,
        port=port,
        file=file,
        column=column,
        evidence=evidence,
        hint=_HINTS[rule],
        reproduce=result.command,
    )
