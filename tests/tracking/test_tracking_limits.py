"""MLflow's own validation accepts whatever has passed through our limits."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.utils import validation

from mlvalidate.tracking import limits
from mlvalidate.tracking.limits import Metric

names = st.text(max_size=400) | st.text(alphabet="ab./ :-_é#%\0\n\\", max_size=300)
any_text = st.text(max_size=200) | st.text(alphabet=st.characters(), max_size=100)


@given(names)
def test_keys_are_valid(name: str) -> None:
    key = limits.clean_key(name)
    validation._validate_param(key, "x")
    validation._validate_tag(key, "x")
    validation._validate_metric_name(key)
    assert "\n" not in key


@given(names)
def test_a_clean_key_is_left_as_it_is(name: str) -> None:
    key = limits.clean_key(name)
    assert limits.clean_key(key) == key


def test_good_keys_stay() -> None:
    for key in ("duration_s", "rows.train", "evaluate/auc", "system/process_rss_mb", "a b:c-d"):
        assert limits.clean_key(key) == key


@given(st.lists(names, unique=True, max_size=20))
def test_two_names_never_become_one_key(given_names: list[str]) -> None:
    cleaned = limits.clean_keys({name: name for name in given_names})
    assert sorted(cleaned.values()) == sorted(given_names)
    for key in cleaned:
        validation._validate_metric_name(key)


def test_the_right_name_keeps_its_key() -> None:
    assert limits.clean_keys({"a?": 1, "a_": 2})["a_"] == 2


@given(st.lists(names, unique=True, max_size=20))
def test_artifact_paths_are_safe_everywhere(given_names: list[str]) -> None:
    paths = limits.artifact_paths({f"data/{name}": name for name in given_names})
    assert sorted(paths.values()) == sorted(given_names)
    for path in paths:
        assert not set(path) & set("#?%\\\0\n")
        assert all(part not in ("", ".", "..") for part in path.split("/"))
        assert all(len(part.encode()) <= 255 for part in path.split("/"))


@given(any_text, st.integers(min_value=40, max_value=300))
def test_cut_text_fits_and_says_so(text: str, limit: int) -> None:
    cut = limits.cut_text(text, limit)
    assert len(cut) <= limit
    assert "\0" not in cut
    cut.encode()
    if len(text) > limit:
        assert cut.endswith(f"… [cut: {len(text)} characters]")


def test_values_of_params_and_tags_are_kept_whole_up_to_the_limit() -> None:
    assert limits.param_value("x" * 6000) == "x" * 6000
    assert len(limits.param_value("x" * 6001)) == 6000
    assert limits.tag_value("x" * 8000) == "x" * 8000
    assert len(limits.tag_value("x" * 8001)) == 8000


def test_a_lone_surrogate_does_not_stop_the_record() -> None:
    assert limits.clean_text("a\udcffb") == "a?b"


@given(st.text(max_size=600))
def test_run_names(name: str) -> None:
    assert 0 < len(limits.run_name(name)) <= 250


@given(st.floats())
def test_metric_values(value: float) -> None:
    stored = limits.metric_value(value)
    assert math.isnan(stored) == math.isnan(value)
    assert not math.isinf(stored)
    if math.isfinite(value):
        assert stored == value


@given(
    st.integers(0, 2500),
    st.lists(st.text(alphabet="aé\0", max_size=6000), max_size=250),
    st.lists(st.integers(0, 8000), max_size=250),
)
@settings(max_examples=25, deadline=None)
def test_batches_hold_everything_within_the_limits(
    points: int, params: list[str], tags: list[int]
) -> None:
    metrics = [Metric("m" * 250, n, 1, n) for n in range(points)]
    given_params = {f"p{n}": value for n, value in enumerate(params)}
    given_tags = {f"t{n}": "ü" * length for n, length in enumerate(tags)}
    batches = limits.split_batches(metrics, given_params, given_tags)
    assert [m for batch in batches for m in batch.metrics] == metrics
    assert dict(item for batch in batches for item in batch.params) == given_params
    assert dict(item for batch in batches for item in batch.tags) == given_tags
    for batch in batches:
        validation._validate_batch_log_limits(batch.metrics, batch.params, batch.tags)
        assert batch.metrics or batch.params or batch.tags
        request = {
            "run_id": "r" * 32,
            "metrics": [vars(metric) for metric in batch.metrics],
            "params": [{"key": key, "value": value} for key, value in batch.params],
            "tags": [{"key": key, "value": value} for key, value in batch.tags],
        }
        validation._validate_batch_log_api_req(json.dumps(request))


def test_an_ordinary_step_is_one_batch() -> None:
    metrics = [Metric("m", n, 1, n) for n in range(700)]
    assert len(limits.split_batches(metrics, {"p": "1"}, {"t": "2"})) == 1
    assert limits.split_batches([], {}, {}) == []


@given(st.lists(st.text(max_size=3000), max_size=10), st.integers(2, 9000))
def test_a_list_that_is_cut_is_still_json(items: list[str], limit: int) -> None:
    text = limits.json_list(items, limit)
    assert len(text) <= limit
    assert json.loads(text) == items[: len(json.loads(text))]


def test_schema_of_a_table_with_endless_columns() -> None:
    columns = [(f"column-{n}-{'x' * 100}", "long") for n in range(20_000)]
    schema = limits.dataset_schema(columns)
    assert len(schema) <= 1_048_575
    assert len(json.loads(schema)["mlflow_colspec"]) == 5000
    assert limits.dataset_schema([]) == '{"mlflow_colspec": []}'


def test_names_and_digests_of_datasets() -> None:
    assert len(limits.dataset_name("x" * 900)) == 500
    assert limits.dataset_name("") == "data"
    assert limits.dataset_digest("f" * 64) == "f" * 36
