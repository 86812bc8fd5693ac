"""A comparison in which everything has happened, for the tests of what shows it."""

from __future__ import annotations

from mlvalidate.core.comparison import (
    ColumnChange,
    ComparedRun,
    Comparison,
    Difference,
    FigureChange,
    Pool,
    StepComparison,
    TableChange,
    Timing,
)
from mlvalidate.core.findings import Finding, Severity
from mlvalidate.core.quality import ColumnDrift

NASTY = "<script>alert(1)</script> | `x` \x1b[31m"


def make_comparison() -> Comparison:
    """Return runs of three steps: one changed in every way, one as it was, one that is gone."""
    fault = Finding(code="X201", severity=Severity.ERROR, message=f"exit code 1 {NASTY}")
    drift = ColumnDrift(
        column="age", test="ks", score=0.001, threshold=0.05, drifted=True, null_shares=(0.0, 0.0)
    )
    table = TableChange(
        port="train",
        file="train.csv",
        columns=(
            ColumnChange(change="added", column=NASTY, after="int64"),
            ColumnChange(change="removed", column="b", before="str"),
            ColumnChange(change="retyped", column="c", before="int64", after="float64"),
        ),
        drift=(drift,),
    )
    changed = StepComparison(
        node="prepare",
        status_before="passed",
        status_after="failed",
        timings=(
            Timing(
                figure="duration_s", verdict="slower", before=1.0, after=1.21, ratio=1.21,
                low=1.12, high=1.3, values_before=(1.0,) * 6, values_after=(1.21,) * 7,
            ),
            Timing(
                figure="peak_rss_mb", verdict="cannot say", before=100, after=101, ratio=1.01,
                values_before=(100,), values_after=(101,), reason="1 and 1 are too few",
            ),
        ),
        pool=Pool(left_out={"on another machine": 3}),
        rows=(FigureChange(name="train", before=400, after=380),),
        metrics=(FigureChange(name="auc", before=0.8125, after=None),),
        new_findings=(fault,),
        fixed_findings=(fault.model_copy(update={"code": "F301"}),),
        tables=(table, TableChange(port="train", file="new.csv", change="added")),
        changed=("code", "data"),
        settings=(Difference(name="arg.test-ratio", before="0.2", after="0.3"),),
    )  # fmt: skip
    same = StepComparison(node="train", status_before="passed", status_after="passed")
    gone = StepComparison(node="old", status_before="passed", untimed="did not run now")
    run = ComparedRun(
        run_id="20251009-085320-ab12cd",
        name="churn",
        kind="pipeline",
        status="passed",
        started_at=1.76e9,
        commit="c0ffee" * 6,
        branch="main",
    )
    after = run.model_copy(update={"run_id": "20251010-085320-ab12cd", "status": "failed"})
    return Comparison(
        before=run,
        after=after.model_copy(update={"is_dirty": True, "commit": "beef" * 10}),
        reference="last-passed",
        baselines=(run.run_id,),
        steps=(changed, same, gone),
        new_findings=(fault.model_copy(update={"code": "G601"}),),
        environment=(Difference(name="seed", before="1", after="2"),),
        git_range="c0ffee..beefbeef",
        commits=("beefbeef Break it",),
        notes=("the run had changes that were not committed",),
    )
