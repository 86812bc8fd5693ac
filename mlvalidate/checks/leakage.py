"""F334 to F336 and F340: what a model could learn wrongly from the outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlvalidate.checks.base import Check, join_names
from mlvalidate.checks.declared import DeclaredCheckBase, without_table
from mlvalidate.checks.evidence import Evidence, FileContent, PortContent
from mlvalidate.core.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

# How well one feature alone may foretell the label: the area under the ROC curve, or the share of
# rows that the most frequent label of each category gets right.
GREATEST_FORETELLING = 0.995
# With fewer rows, or fewer of the rarer label, chance alone foretells well.
LEAST_ROWS = 50
LEAST_OF_EACH = 10
# Labels with more values are numbers to predict: for those a rank correlation is looked at.
MOST_CLASSES = 20


class LabelLeaks(DeclaredCheckBase):
    """The label is among the features, or a single feature foretells it almost perfectly.

    Found are a column of the label's name in a port that must not have it, and columns that sort
    or group the rows by label without (hardly) an exception: the label itself under another name,
    or something that was only known afterwards.

    What to do: drop the column; if it is legitimate, list it under `ignore`.
    """

    code = "F334"
    key = "no_label_in"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        for name in options.ports:
            port = evidence.output(name)
            for file, frame in port.tables if port else ():
                yield from self._judge_table(evidence, options, name, file, frame)

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        ports = [evidence.output(name) for name in options.ports]
        tables = [table for port in ports if port for table in port.tables]
        if not tables:
            return without_table(evidence, options.ports)
        for file, frame in tables:
            label = options.label or (file.dataset.label if file.dataset else None)
            # A table in which the label of that name is not there has passed.
            if label is not None and (options.label or label in frame.columns):
                return ""
        return "no table has a label, and none is named"

    def _judge_table(
        self, evidence: Evidence, options: Any, port: str, file: FileContent, frame: pd.DataFrame
    ) -> Iterator[Finding]:
        declared = file.dataset.label if file.dataset else None
        label = options.label or declared
        if label is None or not frame.columns.is_unique or label not in frame.columns:
            return
        # Where the dataset has the label in the same file, its name is no surprise.
        if options.label and declared != label:
            yield self.finding(
                evidence,
                f"output {port}: {file.name} has the label {label!r} among the features",
                hint="drop it, or declare it with `label: true` in the dataset",
                port=port,
                file=file.name,
                column=label,
            )
            return
        keys = set(file.dataset.key_columns) if file.dataset else set()
        for column in frame.columns:
            if column == label or column in keys or column in options.ignore:
                continue
            share = foretelling(frame[column], frame[label])
            if share > GREATEST_FORETELLING:
                yield self.finding(
                    evidence,
                    f"output {port}: column {column!r} of {file.name} alone foretells the label "
                    f"{label!r} ({share:.1%})",
                    hint="it holds the label, or what was only known afterwards: drop it, or list "
                    "it under `ignore`",
                    port=port,
                    file=file.name,
                    column=str(column),
                )


def foretelling(feature: pd.Series, label: pd.Series) -> float:
    """Return how well a feature alone foretells the label, from 0.5 (not at all) to 1.

    0 where there are too few rows to tell, or where a feature has nearly as many values as rows
    and no order.
    """
    import pandas as pd

    known = feature.notna() & label.notna()
    feature, label = feature[known], label[known]
    counts = label.value_counts()
    if len(label) < LEAST_ROWS or len(counts) < 2:
        return 0.0
    is_number = pd.api.types.is_numeric_dtype(feature.dtype)
    if len(counts) > MOST_CLASSES:
        numeric = is_number and pd.api.types.is_numeric_dtype(label.dtype)
        if not numeric or feature.nunique() < 2:
            return 0.0
        return 0.5 + abs(float(feature.rank().corr(label.rank()))) / 2
    if counts.min() < LEAST_OF_EACH:
        return 0.0
    best = 0.0
    if feature.nunique() <= len(feature) / 10:
        most_frequent = label.groupby(feature.astype("string"), sort=False).agg(
            lambda group: group.value_counts().iloc[0]
        )
        right = float(most_frequent.sum()) / len(label)
        # Saying the most frequent label every time is right that often.
        base = float(counts.iloc[0]) / len(label)
        best = 0.5 + (right - base) / (1 - base) / 2
    if is_number and len(counts) == 2:
        best = max(best, _auc(feature, label == counts.index[0]))
    return best


def _auc(feature: pd.Series, positive: pd.Series) -> float:
    """Return the area under the ROC curve, of the feature or its negative: 0.5 to 1."""
    ranks = feature.astype("float64").rank()
    hits = int(positive.sum())
    others = len(positive) - hits
    area = (float(ranks[positive].sum()) - hits * (hits + 1) / 2) / (hits * others)
    return max(area, 1 - area)


class NumberNotFinite(DeclaredCheckBase):
    """A table of a port that is declared `finite` holds infinite numbers.

    Declared datasets are looked at anyway (F325); this is for tables without a dataset.

    What to do: look for a division by zero or the logarithm of zero.
    """

    code = "F335"
    key = "finite"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        import numpy as np

        ports = options.ports or [output.port for output in evidence.outputs]
        for name in ports:
            port = evidence.output(name)
            for file, frame in port.tables if port else ():
                if file.dataset is not None:
                    continue
                for column, series in frame.select_dtypes("float").items():
                    infinite = int(np.isinf(series.to_numpy(dtype="float64", na_value=0)).sum())
                    if infinite:
                        yield self.finding(
                            evidence,
                            f"output {name}: column {column!r} of {file.name} has {infinite} of "
                            f"{len(series)} infinite values",
                            hint="look for a division by zero or a logarithm of zero",
                            port=name,
                            file=file.name,
                            column=str(column),
                        )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        names = options.ports or [output.port for output in evidence.outputs]
        ports = [evidence.output(name) for name in names]
        return "" if any(port and port.tables for port in ports) else "no output holds a table"


class CategoryUnseen(DeclaredCheckBase):
    """Ports hold categories that the port which the model learns from does not have.

    Encoders fitted on the one fail on the others, or make nothing of them. Columns count whose
    dataset declares a category, and text columns with up to 50 values where none is declared. Of
    an input, the step that wrote it is blamed.

    What to do: split so that every category is in the training data, or map rare ones to `other`.
    """

    code = "F336"
    key = "known_categories"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        learned = evidence.port(options.known)
        known = _categories(learned) if learned else {}
        for name in options.ports:
            port = evidence.port(name)
            direction = "output" if evidence.output(name) else "input"
            for column, values in (_categories(port) if port else {}).items():
                unseen = sorted(values - known.get(column, values))
                if unseen:
                    finding = self.finding(
                        evidence,
                        f"{direction} {name}: column {column!r} has {len(unseen)} categories that "
                        f"{options.known} lacks: {join_names(unseen)}",
                        hint="map rare categories to one, or split so that all are in "
                        f"{options.known}",
                        port=name,
                        column=column,
                        examples=unseen,
                    )
                    producer = evidence.producer_of(name) if direction == "input" else None
                    yield finding.model_copy(
                        update={"step": producer, "observed_in": evidence.node} if producer else {}
                    )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        learned = evidence.port(options.known)
        if not (learned and _categories(learned)):
            return f"{options.known} holds no categories"
        ports = [evidence.port(name) for name in options.ports]
        return "" if any(port and port.tables for port in ports) else "no port holds a table"


def _categories(port: PortContent) -> dict[str, set[str]]:
    """Return the values of the categorical columns over all tables of a port."""
    import pandas as pd

    found: dict[str, set[str]] = {}
    for file, frame in port.tables:
        declared = file.dataset.columns if file.dataset else {}
        for name in frame.columns[~frame.columns.duplicated(keep=False)]:
            column = declared.get(str(name))
            values = frame[name].dropna()
            is_text = pd.api.types.is_string_dtype(values.dtype)
            if column.type.value == "category" if column else is_text and values.nunique() <= 50:
                found.setdefault(str(name), set()).update(map(str, values.unique()))
    return found


class SchemasDiffer(DeclaredCheckBase):
    """Tables that should have the same schema differ in columns, order or types.

    An error between ports that a step declares to have the `same_schema`: a model that is trained
    on one split and judged on another reads both alike. A warning between nodes of a pipeline that
    run the same step, such as a training and a calibration path: the same file of the same output
    is compared, and the node is blamed that differs from most others, or from the first.

    What to do: build all of them by the same function.
    """

    code = "F340"
    key = "same_schema"

    def judge(self, evidence: Evidence, options: Any) -> Iterator[Finding]:
        first: tuple[str, dict[str, str]] | None = None
        for name in options.ports:
            port = evidence.output(name)
            for file, frame in port.tables if port else ():
                schema = schema_of(frame)
                place = f"{name}/{file.name}"
                if first is None:
                    first = (place, schema)
                elif difference := schema_difference(first[1], schema):
                    yield self.finding(
                        evidence,
                        f"output {place} and {first[0]} differ: {difference}",
                        hint="build both by the same function",
                        port=name,
                        file=file.name,
                    )

    def nothing_for(self, evidence: Evidence, options: Any) -> str:
        ports = [evidence.output(name) for name in options.ports]
        tables = sum(len(port.tables) for port in ports if port)
        return "" if tables > 1 else "there are no two tables to compare"


def schema_of(frame: pd.DataFrame) -> dict[str, str]:
    """Return column -> kind of value; '' for a column without any value."""
    from mlvalidate.data.kinds import kind_of

    unique = frame.loc[:, ~frame.columns.duplicated()]
    # Whole numbers beside floats, and columns without a value, are no other type.
    return {
        str(name): ""
        if series.isna().all()
        else kind_of(series).value.replace("integer", "number").replace("float", "number")
        for name, series in unique.items()
    }


def schema_difference(first: dict[str, str], second: dict[str, str]) -> str:
    """Return in words in what two schemas differ, or ''."""
    lacking = [name for name in first if name not in second]
    added = [name for name in second if name not in first]
    changed = [
        f"{name} is {second[name]} and {first[name]}"
        for name in first
        if name in second and first[name] and second[name] and first[name] != second[name]
    ]
    parts = []
    if lacking:
        parts.append(f"it lacks {join_names(lacking)}")
    if added:
        parts.append(f"it has also {join_names(added)}")
    if changed:
        parts.append(join_names(changed))
    if not parts and list(first) != list(second):
        parts.append("the columns are in another order")
    return "; ".join(parts)


CHECKS: tuple[type[Check], ...] = (LabelLeaks, NumberNotFinite, CategoryUnseen, SchemasDiffer)
