"""How large a difference has to be before anybody cares for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LeastEffect:
    """A smaller difference is none: as a share of what was before, and in its unit."""

    share: float = 0.0
    absolute: float = 0.0


ANY_EFFECT = LeastEffect()
