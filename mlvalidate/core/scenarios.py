"""Scenarios: how synthetic data is shaped, and what a step is expected to do with it.

A scenario has one case or several, written ``scenario`` or ``scenario.case``. The case of some is
the name of a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from mlvalidate.core.model import Model
from mlvalidate.core.suggest import did_you_mean


class Scenario(StrEnum):
    """How synthetic data is shaped."""

    STANDARD = "standard"
    BOUNDARY = "boundary"
    EDGE = "edge"
    MISSING = "missing"
    EMPTY = "empty"
    TYPE_MISMATCH = "type_mismatch"
    MALFORMED = "malformed"
    MISSING_COLUMN = "missing_column"
    EXTRA_COLUMN = "extra_column"
    REORDERED_COLUMNS = "reordered_columns"
    DUPLICATE_KEYS = "duplicate_keys"
    UNSEEN_CATEGORY = "unseen_category"
    OUT_OF_RANGE = "out_of_range"
    DRIFTED = "drifted"
    LARGE = "large"
    # An input that a search found and that was kept; the case is its id.
    KEPT = "case"


class Expectation(StrEnum):
    """What a step has to do with the data of a case."""

    # Succeed, with valid outputs.
    PASS = "pass"
    # Fail, and say clearly why.
    REJECT = "reject"
    # Either of them.
    TOLERATE = "tolerate"


class Trait(StrEnum):
    """What is unusual about data that is within the contract, so that nobody wonders at it."""

    # Columns hold one value, or hardly another.
    UNIFORM = "uniform"
    # Far more nulls than usual.
    SPARSE = "sparse"
    # Distributed otherwise than usual.
    SHIFTED = "shifted"


# The cases of a scenario, in the order in which they run; none: the scenario is its only case.
CASES: Mapping[Scenario, tuple[str, ...]] = {
    Scenario.BOUNDARY: ("lowest", "highest", "zero"),
    Scenario.EDGE: (
        "one_row", "all_same", "single_category", "unicode", "punctuation", "skew",
    ),
    Scenario.MISSING: ("more_nulls", "null_column", "required"),
    Scenario.MALFORMED: ("truncated", "ragged", "encoding", "delimiter"),
}  # fmt: skip
# Their case is a column.
OF_A_COLUMN = (
    Scenario.TYPE_MISMATCH,
    Scenario.MISSING_COLUMN,
    Scenario.UNSEEN_CATEGORY,
    Scenario.OUT_OF_RANGE,
)
_REJECTED = {
    "empty",
    "missing.required",
    "type_mismatch",
    "malformed",
    "missing_column",
    "duplicate_keys",
    "unseen_category",
    "out_of_range",
}
# Of rows that were reshaped anything may be constant: a column, or what a model says.
_RESHAPED = (Trait.UNIFORM, Trait.SHIFTED)
_TRAITS: Mapping[Scenario, tuple[Trait, ...]] = {
    Scenario.BOUNDARY: _RESHAPED,
    Scenario.EDGE: _RESHAPED,
    Scenario.MISSING: (*_RESHAPED, Trait.SPARSE),
    Scenario.DRIFTED: _RESHAPED,
    Scenario.KEPT: tuple(Trait),
}


class Case(Model):
    """One way to shape data. ``variant`` is empty, a name of `CASES`, a column, or an id."""

    scenario: Scenario = Scenario.STANDARD
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Case:
        """Read ``scenario`` or ``scenario.case``; ValueError, with a suggestion, for neither."""
        name, _, variant = text.partition(".")
        known = [scenario.value for scenario in Scenario]
        if name not in known:
            hint = did_you_mean(name, known)
            raise ValueError(f"there is no scenario {name!r}" + (f": {hint}" if hint else ""))
        scenario = Scenario(name)
        free = scenario in OF_A_COLUMN or scenario is Scenario.KEPT
        if variant and not free and variant not in CASES.get(scenario, ()):
            variants = CASES.get(scenario, ())
            said = did_you_mean(variant, variants) if variants else "it is its only case"
            raise ValueError(f"scenario {name} has no case {variant!r}: {said}")
        return cls(scenario=scenario, variant=variant)

    @property
    def name(self) -> str:
        """The case as it is written."""
        return f"{self.scenario}.{self.variant}" if self.variant else self.scenario.value

    @property
    def is_standard(self) -> bool:
        return self.scenario is Scenario.STANDARD

    @property
    def is_of_a_column(self) -> bool:
        """True when the case is about one column."""
        return self.scenario in OF_A_COLUMN

    @property
    def usual_expectation(self) -> Expectation:
        """What is expected where the contract of a step says nothing."""
        rejected = self.name in _REJECTED or self.scenario.value in _REJECTED
        return Expectation.REJECT if rejected else Expectation.PASS

    @property
    def traits(self) -> frozenset[Trait]:
        """What is unusual about the data although it is within the contract."""
        if self.usual_expectation is Expectation.REJECT:
            return frozenset(Trait)
        return frozenset(_TRAITS.get(self.scenario, ()))

    def expand(self) -> Iterator[Case]:
        """Yield the cases of a scenario that is named without one; else the case itself."""
        variants = CASES.get(self.scenario, ()) if not self.variant else ()
        for variant in variants:
            yield Case(scenario=self.scenario, variant=variant)
        if not variants:
            yield self


STANDARD = Case()


def every_case() -> Iterator[Case]:
    """Yield the cases of all scenarios, but for the inputs that were kept."""
    for scenario in Scenario:
        if scenario is not Scenario.KEPT:
            yield from Case(scenario=scenario).expand()


def expected_of(case: Case, declared: Mapping[str, Expectation]) -> Expectation:
    """Return what is expected, by the most specific declaration of ``expect:``."""
    for name in (case.name, case.scenario.value):
        if name in declared:
            return declared[name]
    return case.usual_expectation
