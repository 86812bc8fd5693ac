"""Tables in parts: exact over all of them, and small in memory."""

from __future__ import annotations

from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvalidate.core.columns import Column
from mlvalidate.core.datasets import Dataset, FileFormat
from mlvalidate.data import parts
from mlvalidate.data.conformity import find_faults
from mlvalidate.data.distinct import DistinctValues
from mlvalidate.data.draws import Draws, Stratum
from mlvalidate.data.family import Family
from mlvalidate.data.files import read_table
from mlvalidate.data.generation import write_dataset
from mlvalidate.data.parts import apportion, fill_in_order, parts_of
from mlvalidate.data.synthesis import UnsatisfiableSchema, generate, generate_parts


def dataset(columns: dict[str, Any], **more: Any) -> Dataset:
    return Dataset.model_validate({"columns": columns, **more})


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "ROWS_AT_ONCE", 100)


# --- arithmetic -------------------------------------------------------------------------------


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_parts_cover_the_rows_and_share_things_out(rows: int, things: int) -> None:
    things = min(things, rows)
    found = parts_of(rows)
    assert [part.start for part in found] == [0, *accumulate(part.size for part in found)][:-1]
    assert sum(part.size for part in found) == rows
    assert max(part.size for part in found) <= parts.ROWS_AT_ONCE
    shares = [part.share_of(things) for part in found]
    assert [i for share in shares for i in (share.start, share.stop)][1:-1:2] == [
        share.stop for share in shares
    ][:-1]
    assert sum(map(len, shares)) == things
    assert all(len(share) <= part.size for share, part in zip(shares, found, strict=True))


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6), st.data())
def test_counts_are_split_exactly(counts: list[int], data: st.DataObject) -> None:
    total = sum(counts)
    ends = sorted(data.draw(st.lists(st.integers(0, total), max_size=5)))
    sizes = [high - low for low, high in zip([0, *ends], [*ends, total], strict=True)]
    for split in (apportion(counts, sizes), fill_in_order(counts, sizes)):
        assert [sum(part) for part in split] == sizes
        assert [sum(part[i] for part in split) for i in range(len(counts))] == counts
        assert all(count >= 0 for part in split for count in part)
    for part, size in zip(apportion(counts, sizes), sizes, strict=True):
        if len(sizes) == 2:
            even = (count * size / max(total, 1) for count in counts)
            assert all(abs(got - want) < 1 for got, want in zip(part, even, strict=True))


@given(st.integers(1, 3000), st.integers(0, 2**32))
def test_permutations_are_some(limit: int, seed: int) -> None:
    permuted = Draws(seed, "a").permutation(limit)(np.arange(limit, dtype=np.uint64))
    assert sorted(permuted.tolist()) == list(range(limit))


def test_permutations_are_the_same_everywhere_and_look_random() -> None:
    ranks = np.arange(4000, dtype=np.uint64)
    permuted = Draws(1, "a").permutation(10**6)(ranks)
    assert permuted[:4].tolist() == [7196, 224039, 270809, 770163]
    assert abs(np.corrcoef(ranks, permuted)[0, 1]) < 0.1
    assert np.abs(np.bincount((permuted % np.uint64(10)).astype(int)) - 400).max() < 80
    assert len(set(Draws(1, "a").permutation(2**62)(ranks).tolist())) == 4000


@given(st.integers(1, 10), st.integers(1, 2**64), st.integers(0, 100))
def test_strata_follow_each_other(count: int, limit: int, seed: int) -> None:
    ends = [Stratum(i, i + 1, count, seed, "a").below(limit, 50) for i in range(count)]
    assert all(low.max() <= high.min() for low, high in pairwise(ends))
    assert max(int(each.max()) for each in ends) < limit
    shares = Stratum(count - 1, count, count, seed, "a").uniform(50)
    assert shares.min() >= (count - 1) / count


# --- whole tables -----------------------------------------------------------------------------

COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"type": "string", "pattern": "[A-Z]{2}[0-9]{2}"},
    "code": {"type": "integer", "min": 1, "max": 1050, "unique": True, "null": 0.1},
    "ratio": {"type": "float", "unique": True, "null": 0.3},
    "words": {"type": "text", "unique": True},
    "mail": {"type": "string", "like": "email", "unique": True},
    "odd": {"type": "string", "pattern": "(a|b|ab){1,12}", "unique": True},
    "long": {"type": "string", "pattern": "[a-z]{1,30}", "unique": True},
    "uuid": {"type": "string", "like": "uuid", "unique": True},
    "rank": {"type": "integer", "unique": True, "monotone": "decreasing"},
    "share": {"type": "float", "unique": True, "monotone": "increasing"},
    "seen": {"type": "datetime", "monotone": "increasing", "null": 0.2},
    "level": {"type": "float", "distribution": "normal", "monotone": "decreasing"},
    "stage": {"type": "integer", "values": {5: 0.2, 1: 0.5, 3: 0.3}, "monotone": "increasing"},
    "down": {"type": "integer", "rate": 0.3, "monotone": "decreasing", "null": 0.05},
    "plan": {"type": "category", "values": {"a": 0.615, "b": 0.384, "c": 0.001}, "null": 0.007},
    "amount": {"type": "float", "distribution": "lognormal", "null": 0.05},
    "units": {"type": "integer", "distribution": {"kind": "poisson", "mean": 3}},
    "total": {"type": "float", "derived": "amount * units", "null": 0.05},
    "tags": {"type": "list", "items": {"type": "string"}},
    "born": {"type": "date"},
    "churned": {"type": "boolean", "rate": 0.123, "label": True},
}
WHOLE = dataset(
    COLUMNS,
    key="id",
    rules=["units > 0 or amount < 1"],
    correlations={"amount": {"units": 0.5}},
)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("rows", [101, 1000])
def test_everything_holds_over_all_parts(rows: int) -> None:
    made = list(generate_parts(WHOLE, rows, 1, "d"))
    assert max(map(len, made)) <= 100
    assert len({tuple(map(str, each.dtypes)) for each in made}) == 1
    table = generate(WHOLE, rows, 1, "d")
    pd.testing.assert_frame_equal(pd.concat(made, ignore_index=True), table)
    assert len(table) == rows
    assert find_faults(table, WHOLE, FileFormat.PARQUET) == ()
    nulls = {name: round(rows * column.get("null", 0)) for name, column in COLUMNS.items()}
    nulls["total"] = nulls["amount"]
    assert table.isna().sum().to_dict() == nulls
    assert int(table["churned"].sum()) == round(rows * 0.123)
    filled = rows - nulls["plan"]
    counts = table["plan"].value_counts()
    assert abs(counts["a"] - 0.615 * filled) < 1 and abs(counts["b"] - 0.384 * filled) < 1
    for part in made:
        assert abs((part["plan"] == "a").sum() - 0.615 * len(part)) <= 2
    assert table["stage"].value_counts().to_dict()[5] == round(rows * 0.2)
    assert table["id"].str[0].head(100).nunique() > 15  # not in order


@pytest.mark.usefixtures("small_parts")
def test_parts_differ_and_come_again() -> None:
    made = list(generate_parts(WHOLE, 300, 1, "d"))
    for name in ("amount", "plan", "units", "born"):
        assert made[0][name].tolist() != made[1][name].tolist()
    pd.testing.assert_frame_equal(made[2], list(generate_parts(WHOLE, 300, 1, "d"))[2])
    assert made[0]["id"].tolist() != next(generate_parts(WHOLE, 300, 2, "d"))["id"].tolist()


@pytest.mark.usefixtures("small_parts")
def test_dependence_holds_in_parts() -> None:
    columns = {
        "x": {"type": "float"},
        "y": {"type": "float"},
        "bought": {"type": "boolean", "rate": 0.5, "label": True, "signal": 1},
    }
    made = generate(dataset(columns, correlations={"x": {"y": 0.8}}), 5000, 0)
    assert abs(made["x"].corr(made["y"], method="spearman") - 0.8) < 0.03
    means = [
        part["x"].corr(part["bought"].astype(float)) for _, part in made.groupby(made.index // 100)
    ]
    assert min(np.abs(means)) > 0.05 and len(set(np.sign(means))) == 1


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(
    ("pattern", "rows"), [("[A-Z]{2}", 676), ("(A|B|AB){1,2}[A-Z]", 180), ("N[A-Z]|[0-9]{3}", 1026)]
)
def test_every_value_there_is_gets_used(pattern: str, rows: int) -> None:
    declared = dataset({"a": {"type": "string", "pattern": pattern, "unique": True}})
    count = len(generate_all(pattern))
    made = generate(declared, min(rows, count), 0)["a"]
    assert made.is_unique
    if "N" in pattern or pattern == "[A-Z]{2}":
        assert made.tolist().index("NA") >= rows - 100  # what looks missing comes last
    with pytest.raises(UnsatisfiableSchema, match=rf"column 'a': {count + 1} different values are"):
        generate(declared, count + 1, 0)


def generate_all(pattern: str) -> set[str]:
    from mlvalidate.data.patterns import parse_pattern
    from mlvalidate.data.strings import spell

    language = parse_pattern(pattern)
    return set(spell(language, np.arange(language.count, dtype=np.uint64)))


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(
    ("columns", "key"),
    [
        (
            {
                "a": {"type": "integer", "max": 49, "min": 0},
                "b": {"type": "integer", "min": 1, "max": 20},
            },
            None,
        ),
        ({"a": {"type": "float"}, "b": {"type": "category", "values": list("abcdefghijkl")}}, None),
        ({"a": {"type": "string", "pattern": "(a|b|ab){9}"}, "b": {"type": "date"}}, None),
        ({"a": {"type": "integer", "foreign_key": "one.id"}, "b": {"type": "boolean"}}, None),
    ],
)
def test_composite_keys_in_parts(columns: dict[str, Any], key: None) -> None:
    one = dataset({"id": {"type": "integer", "unique": True}})
    family = Family({"one": one}, 800)
    made = generate(dataset(columns, key=list(columns)), 1000, 3, "d", family)
    assert not made.duplicated().any()
    assert made["a"].duplicated().any()
    if "foreign_key" in columns["a"]:
        assert set(made["a"]) <= set(generate(one, 800, 3, "one")["id"])


def test_keys_of_foreign_keys_refer() -> None:
    one = dataset({"id": {"type": "string", "pattern": "[A-Z]{3}"}}, key="id")
    family = Family({"one": one}, 40)
    columns = {"one": {"type": "string", "foreign_key": "one.id"}, "n": {"type": "integer"}}
    made = generate(dataset(columns, key=["one", "n"]), 60, 3, "d", family)
    assert set(made["one"]) <= set(generate(one, 40, 3, "one")["id"])
    assert not made.duplicated().any()


def test_a_key_with_a_column_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    columns: dict[str, Any] = {
        "id": {"type": "integer", "max": 20, "min": 0},
        "day": {"type": "date", "monotone": "decreasing", "min": "2020-01-01", "max": "2020-01-09"},
    }
    declared = dataset(columns, key=["id", "day"])
    made = generate(declared, 90, 0)
    assert not made.duplicated().any()
    assert made["day"].is_monotonic_decreasing
    monkeypatch.setattr(parts, "ROWS_AT_ONCE", 50)
    with pytest.raises(
        UnsatisfiableSchema, match="key 'id', 'day': it has a column in order, 'day'"
    ):
        generate(declared, 90, 0)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("type", ["string", "integer", "date"])
def test_foreign_keys_to_large_tables(type: str) -> None:
    one = dataset({"id": {"type": type}, "other": {"type": "float"}}, key="id")
    many = dataset({"one": {"type": type, "foreign_key": "one.id", "null": 0.1}})
    family = Family({"one": one}, 450)
    made = generate(many, 900, 5, "many", family)["one"]
    whole = set(generate(one, 450, 5, "one")["id"])
    assert set(made.dropna()) <= whole and made.nunique() > 300
    assert made.isna().sum() == 90
    twin = dataset({"one": {"type": type, "foreign_key": "one.id", "unique": True}})
    assert set(generate(twin, 450, 5, "twin", family)["one"]) == whole
    with pytest.raises(UnsatisfiableSchema, match="451 different values are needed"):
        generate(twin, 451, 5, "twin", family)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(0, 2**32))
def test_distinct_values_never_repeat(size: int, seed: int) -> None:
    column = Column.model_validate({"type": "string", "pattern": "[ab]{1,9}|a?b?"})
    values = DistinctValues(column, 3 * size, seed, "a")
    found = [*values.take(range(size)), *values.take(range(size, 3 * size))]
    assert len(set(found)) == len(found) == min(3 * size, 1023)


# --- files ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("format", FileFormat)
@pytest.mark.parametrize(("rows", "files"), [(450, 1), (450, 4), (2, 3), (0, 2)])
def test_files_are_written_in_parts(
    tmp_path: Path, format: FileFormat, rows: int, files: int
) -> None:
    declared = WHOLE.model_copy(update={"format": format})
    names = [tmp_path / "deep" / f"{index}.{format.value}" for index in range(files)]
    written = write_dataset(declared, "d", names, rows=rows, seed=1, family=Family())
    assert list(written) == names and sum(written.values()) == rows
    assert max(written.values()) - min(written.values()) <= 1
    filled = [path for path, size in written.items() if size or format is not FileFormat.JSONL]
    back = [read_table(path, format, declared) for path in filled]
    assert [len(frame) for frame in back] == [written[path] for path in filled]
    if rows > files:
        table = pd.concat(back, ignore_index=True)
        assert table["id"].tolist() == generate(declared, rows, 1, "d")["id"].tolist()
        assert find_faults(table, declared, format) == ()


@pytest.mark.usefixtures("small_parts")
def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    declared = dataset({"a": {"type": "string", "pattern": "(A|B|AB){1,3}", "unique": True}})
    names = [tmp_path / "a.csv", tmp_path / "b.csv"]
    with pytest.raises(UnsatisfiableSchema):
        write_dataset(declared, "d", names, rows=150, seed=1, family=Family())
    assert list(tmp_path.iterdir()) == []
