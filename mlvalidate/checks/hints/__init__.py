"""Advice on a crashed script: what to do next, and which step is to blame.

The first rule that speaks wins. To add one, write a function whose docstring says what it tells,
and put it into `RULES`.
"""

from __future__ import annotations

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints import columns, files, limits, modules, surroundings, values, versions
from mlvalidate.checks.hints.advice import Advice, Rule
from mlvalidate.checks.hints.usage import wrong_usage

RULES: tuple[Rule, ...] = (
    surroundings.missing_environment,
    versions.removed_name,
    versions.removed_argument,
    versions.renamed_option,
    versions.foreign_pickle,
    columns.missing_column,
    columns.different_keys,
    modules.relative_import,
    modules.missing_module,
    files.missing_file,
    surroundings.no_network,
    surroundings.no_credentials,
    files.read_only,
    files.cross_device,
    values.encoding,
    values.json_numbers,
    values.text_for_number,
    values.missing_numbers,
    values.nothing_to_learn,
    values.wrong_date,
    values.wrong_accessor,
    limits.memory,
    limits.no_space,
    limits.no_process,
)


def advise(evidence: Evidence) -> Advice:
    """Return advice on a script that failed; empty when no rule knows better."""
    error = evidence.error
    if error is None:
        return wrong_usage(evidence) or Advice()
    while error is not None:
        for rule in RULES:
            advice = rule(error, evidence)
            if advice is not None:
                return advice
        error = error.cause
    return Advice()
