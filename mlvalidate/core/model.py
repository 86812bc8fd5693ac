"""The base of every declared, planned and reported thing: frozen, strict about its keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """An immutable value that serialises to JSON and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
