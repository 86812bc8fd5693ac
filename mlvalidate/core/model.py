"""The base of every declared, planned and reported thing: frozen, strict about its keys."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """An immutable value that serialises to JSON and refuses keys that it does not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        # JSON has no NaN and no infinity: as texts they survive the journal.
        ser_json_inf_nan="strings",
    )

    # Fields that redaction leaves alone: they are checked against other fields, and name no secret.
    structural: ClassVar[frozenset[str]] = frozenset()
