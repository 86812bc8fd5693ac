"""What a dataset refuses about itself."""

import pytest
from pydantic import ValidationError

from mlvalidate.core.datasets import Dataset


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ({"far": 0.3}, "names 'far', which is not among the columns"),
        ({"name": 0.3}, "names 'name', but keys"),
        ({"id": 0.3}, "names 'id', but keys"),
        ({"double": 0.3}, "names 'double', but keys"),
        ({"y": 0.3}, "names 'y', but keys"),
        ({"x": 0.8, "z": 0.8}, "the squares of its weights may sum to 1 at most"),
    ],
)
def test_a_signal_names_columns_that_can_foretell(signal: dict[str, float], said: str) -> None:
    columns = {
        "id": {"type": "integer"},
        "x": {"type": "float"},
        "z": {"type": "float"},
        "name": {"type": "string"},
        "double": {"type": "float", "derived": "2 * x"},
        "y": {"type": "boolean", "label": True, "signal": signal},
    }
    with pytest.raises(ValidationError, match=said):
        Dataset.model_validate({"key": "id", "columns": columns})


@pytest.mark.parametrize(
    "columns", [{"a\0": {"type": "text"}}, {"a": {"type": "category", "values": ["x", "\0"]}}]
)
@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_delimited_text_holds_no_nul(columns: dict[str, object], format: str) -> None:
    with pytest.raises(ValidationError, match=f"{format} can't hold"):
        Dataset.model_validate({"format": format, "columns": columns})
    Dataset.model_validate({"format": "parquet", "columns": columns})
