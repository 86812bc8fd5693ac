"""The base of checks that a step declares, and F330 to F333: rows, splits, keys."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

from mlvalidate.checks.base import Check, Judgement, join_names
from mlvalidate.checks.evidence import Evidence, PortContent
from mlvalidate.core.findings import MOST_EVIDENCE, Finding
from mlvalidate.core.suggest import did_you_mean

if TYPE_CHECKING:
    import pandas as pd


class DeclaredCheckBase(Check):
    """Runs once for each time that the step declares it."""

    # The key below `checks:`.
    key: ClassVar[str]

    def run(self, evidence: Evidence) -> Iterator[Finding]:
        for declared in evidence.planned.step.checks:
            options = getattr(declared, self.key)
            if options is not None:
                yield from self.judge(evidence, options)

    def judgements(self, evidence: Evidence) -> Iterator[Judgement]:
        """Yield one for each time that the step declares the check."""
        for declared in evidence.planned.step.checks:
            options = getattr(declared, self.key)
            if options is not None:
                yield Judgement(
                    describe(self.key, options),
                    partial(self.judge, evidence, options),
                    partial(self.nothing_for, evidence, options),
                    is_declared=True,
                )

    @abstractmethod
    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        """Yield what is wrong, as the declaration ``options`` wants it."""

    @abstractmethod
    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        """Return why there was nothing to look at for this declaration, or ''."""


def describe(key: str, options: Any) -> str:
    """Return a declaration on one line: ``disjoint (between: train, test; on: customer_id)``."""
    if isinstance(options, str):
        return f"{key} {options}"
    given = options.model_dump(by_alias=True, exclude_unset=True)
    said = "; ".join(f"{name}: {_as_words(value)}" for name, value in given.items())
    return f"{key} ({said})" if said else key


def _as_words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def without_table(evidence: Evidence, names: Iterable[str]) -> str:
    """Return which of the ports holds no table, or ''."""
    for name in names:
        port = evidence.port(name)
        if port is None or not port.tables:
            return f"{name} holds no table"
    return ""


def key_table(port: PortContent, columns: Sequence[str]) -> pd.DataFrame | None:
    """Return columns of all tables of a port below each other, as text; None without a table.

    Only tables that have all of the columns count. Rows with a null in one of them are left out.
    Numbers that are whole are spelt alike, whether a file has them as 7 or 7.0.
    """
    import pandas as pd

    frames = [
        key_columns(frame, columns)
        for _, frame in port.tables
        if frame.columns.is_unique and set(columns) <= set(frame.columns)
    ]
    return pd.concat(frames, ignore_index=True).dropna() if frames else None


def key_columns(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of a table as text, with whole numbers spelt alike."""
    return frame[list(columns)].apply(_as_key)


def _as_key(series: pd.Series) -> pd.Series:
    import pandas as pd

    if pd.api.types.is_float_dtype(series.dtype):
        whole = series.dropna()
        if len(whole) and (whole % 1 == 0).all():
            series = series.astype("Int64")
    return series.astype("string")


def missing_columns(port: PortContent, columns: Sequence[str]) -> str:
    """Return in words which columns a table of the port lacks, or ''."""
    for file, frame in port.tables:
        for column in columns:
            if column not in frame.columns:
                hint = did_you_mean(column, map(str, frame.columns))
                return f"{file.name} has no column {column!r}" + (f" ({hint})" if hint else "")
    return "" if port.tables else "it holds no table"


def show_keys(keys: pd.DataFrame) -> list[str]:
    """Return the first few keys as `a=1, b=2`."""
    rows = keys.head(MOST_EVIDENCE).to_dict("records")
    return [", ".join(f"{name}={cell}" for name, cell in row.items()) for row in rows]


class RowsDiffer(DeclaredCheckBase):
    """More or fewer rows come out than the declared `rows` allow for those that go in.

    Rows that a filter or an inner join drops are gone silently; rows that a join duplicates count
    twice in training.

    What to do: look for `dropna`, merges and filters; or widen `ratio`.
    """

    code = "F330"
    key = "rows"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        counts = {summary.port: summary.rows for summary in evidence.inputs}
        going_in = [counts.get(port) for port in options.source]
        outputs = [evidence.output(port) for port in options.target]
        coming_out = [port.rows if port else None for port in outputs]
        if None in going_in or any(port is None for port in outputs):
            return
        # An output without a table has no rows to show for those that went in.
        total_in = sum(filter(None, going_in))
        total_out = sum(filter(None, coming_out))
        least, greatest = options.ratio
        # Rounded to whole rows in the script's favour.
        if math.floor(total_in * least) <= total_out <= math.ceil(total_in * greatest):
            return
        ratio = total_out / total_in if total_in else float("inf")
        yield self.finding(
            evidence,
            f"{total_in} rows go in ({join_names(options.source)}) and {total_out} come out "
            f"({join_names(options.target)}): {ratio:.4g} per row, "
            f"declared are {least:g} to {greatest:g}",
            hint="look for dropna, inner joins and filters, or widen `ratio`",
            port=options.target[0],
        )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        counts = {summary.port: summary.rows for summary in evidence.inputs}
        for port in options.source:
            if counts.get(port) is None:
                return f"{port} holds no table whose rows were counted"
        return "" if any(evidence.output(port) for port in options.target) else "no such output"


class SplitsOverlap(DeclaredCheckBase):
    """Splits that are declared `disjoint` have keys in common.

    A model that is judged on rows it was trained on looks better than it is.

    What to do: split by key and not by row, and split before rows are duplicated or sampled.
    """

    code = "F331"
    key = "disjoint"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        tables = {}
        for name in options.between:
            port = evidence.output(name)
            if port is None or not port.tables:
                continue
            problem = missing_columns(port, options.on)
            if problem:
                yield self.finding(evidence, f"output {name}: disjoint on {problem}", port=name)
                continue
            tables[name] = key_table(port, options.on)
        for (one, first), (other, second) in combinations(tables.items(), 2):
            assert first is not None
            assert second is not None
            common = _in_both(first, second)
            if len(common):
                yield self.finding(
                    evidence,
                    f"outputs {one} and {other} share {len(common)} keys "
                    f"({join_names(options.on)}); {one} has {len(first)} rows, "
                    f"{other} {len(second)}",
                    hint="split by key, before rows are duplicated or sampled",
                    port=other,
                    column=options.on[0],
                    examples=show_keys(common),
                )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        tables = [name for name in options.between if not without_table(evidence, (name,))]
        return "" if len(tables) > 1 else without_table(evidence, options.between)


def _in_both(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return the keys that two tables with the same columns share, each once."""
    if len(first.columns) == 1 and not _share_texts(first.iloc[:, 0], second.iloc[:, 0]):
        return first.head(0)
    return first.drop_duplicates().merge(second.drop_duplicates())


def _share_texts(first: pd.Series, second: pd.Series) -> bool:
    """Return whether a text is in both columns, without an index of the longer one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    least, most = sorted((pa.array(first), pa.array(second)), key=len)
    return bool(pc.any(pc.is_in(most, value_set=least)).as_py())


class RowsRepeated(DeclaredCheckBase):
    """Values that are declared `unique` in an output occur more than once.

    What to do: look for rows that were duplicated, by a join or a concatenation for example.
    """

    code = "F332"
    key = "unique"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        port = evidence.output(options.port)
        if port is None or not port.tables:
            return
        problem = missing_columns(port, options.on)
        keys = None if problem else key_table(port, options.on)
        if keys is None:
            yield self.finding(evidence, f"output {port.port}: unique: {problem}", port=port.port)
            return
        repeated = keys[keys.duplicated(keep=False)]
        if len(repeated):
            yield self.finding(
                evidence,
                f"output {port.port}: {len(repeated)} of {len(keys)} rows share their "
                f"{join_names(options.on)} with another row",
                hint="joins and concatenations duplicate rows; drop_duplicates removes them",
                port=port.port,
                column=options.on[0],
                examples=show_keys(repeated.drop_duplicates()),
            )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        return without_table(evidence, (options.port,))


class ReferenceBroken(DeclaredCheckBase):
    """Values that are declared a `foreign_key` are missing where they should be found.

    What to do: look for rows that were dropped on one side, or for keys that were spelt anew (`7`
    and `7.0` count as the same, `007` does not).
    """

    code = "F333"
    key = "foreign_key"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        sides = []
        for end in (options.source, options.target):
            name, _, column = end.partition(".")
            port = evidence.port(name)
            if port is None or not port.tables:
                return
            problem = missing_columns(port, (column,))
            if problem:
                yield self.finding(evidence, f"foreign_key {end}: {problem}", port=name)
                return
            keys = key_table(port, (column,))
            assert keys is not None
            sides.append(keys[column])
        found, known = sides
        lost = found[~found.isin(known)]
        if len(lost):
            name, _, column = options.source.partition(".")
            yield self.finding(
                evidence,
                f"{options.source}: {len(lost)} of {len(found)} values are not in {options.target}",
                hint="rows were dropped on one side, or keys were spelt anew",
                port=name,
                column=column,
                examples=[f"{column}={value}" for value in lost.drop_duplicates().head(5)],
            )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        ends = (options.source, options.target)
        return without_table(evidence, (end.partition(".")[0] for end in ends))


CHECKS: tuple[type[Check], ...] = (RowsDiffer, SplitsOverlap, RowsRepeated, ReferenceBroken)
