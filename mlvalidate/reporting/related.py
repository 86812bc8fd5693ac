"""What earlier runs know about a fault, in words."""

from __future__ import annotations

from mlvalidate.core.related import RelatedIssue, RunReference


def related_line(issue: RelatedIssue) -> str:
    """Return one line, such as ``X201 in train: seen before in run A; fixed by run B``."""
    runs = ", ".join(run.run_id for run in issue.seen_in)
    parts = [
        f"seen before in run{'s' if len(issue.seen_in) > 1 else ''} {runs}"
        if runs
        else "not seen before",
        f"fixed by run {_named(issue.fixed_by)}" if issue.fixed_by else "",
        f"last passed in run {_named(issue.last_passed)}" if issue.last_passed else "",
    ]
    return f"{issue.code} in {issue.node}: {'; '.join(part for part in parts if part)}"


def _named(run: RunReference) -> str:
    if not run.commit:
        return run.run_id
    return f"{run.run_id} at commit {run.commit[:10]}{' with changes' if run.is_dirty else ''}"
