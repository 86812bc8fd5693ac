from __future__ import annotations

from report_builders import SNAPSHOTS, console, full_plan, plan, printed

from mlvalidate.core.contracts import Kind, Step
from mlvalidate.core.plan import ColdReason, ColdStart, Plan
from mlvalidate.reporting.plan_view import print_plan, redact_plan


def test_the_whole_plan() -> None:
    pipe = console(100)
    print_plan(pipe, redact_plan(full_plan(), {}))
    assert printed(pipe) == (SNAPSHOTS / "plan.txt").read_text()


def test_secrets_are_kept_out() -> None:
    shown = redact_plan(full_plan(), {"DB_PASSWORD": "two words"})
    text = shown.model_dump_json()
    assert "tok-123456" not in text
    assert "two words" not in text
    assert Plan.model_validate_json(text).steps[0].env == {"API_TOKEN": "***", "MODE": "fast"}


def test_a_command_is_the_entry_point() -> None:
    command = Step(kind=Kind.COMMAND, command=("Rscript", "fit.R", "{outputs.model}"))
    base = plan()
    pipe = console()
    step = base.steps[0].model_copy(update={"step": command})
    print_plan(pipe, base.model_copy(update={"steps": (step,)}))
    assert "1. preprocess command Rscript fit.R {outputs.model}\n" in printed(pipe)


def test_why_a_step_starts_cold() -> None:
    base = plan()
    cold = ColdStart(reason=ColdReason.ENVIRONMENT, detail="OMP_NUM_THREADS")
    pipe = console()
    step = base.steps[0].model_copy(update={"cold": cold})
    print_plan(pipe, base.model_copy(update={"steps": (step,)}))
    assert "   starts cold: OMP_NUM_THREADS is read before the script begins\n" in printed(pipe)
