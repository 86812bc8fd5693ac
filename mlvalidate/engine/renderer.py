"""The renderer: a process that makes the reports of a run that is over, at the lowest priority.

`python -m mlvalidate.engine.renderer RUN_FOLDER`. Nobody waits for it, and it outlives the command.
It holds `reports.lock` for as long as it lives, and says in `reports/log.jsonl` what is done.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

from mlvalidate.core.run_folder import RunFolder
from mlvalidate.data.reports.log import ReportDone, append_done
from mlvalidate.data.reports.orders import ReportOrder, ReportPlan

_NICE = 19
# A report that takes longer is given up.
_SECONDS_PER_REPORT = 300


def main() -> int:
    """Render every report of the plan."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, _give_up)
    os.nice(_NICE)
    folder = RunFolder(Path(sys.argv[1]))
    plan = ReportPlan.model_validate_json(folder.reports_plan.read_text(encoding="utf-8"))
    for order in plan.orders:
        problem = _render(order)
        done = ReportDone(node=order.node, port=order.port, table=order.table, problem=problem)
        append_done(folder.reports_log, done)
    return 0


def _render(order: ReportOrder) -> str:
    """Render one report; return why it could not be. The others are not to suffer from it."""
    from mlvalidate.data.reports.rendering import NothingToShowError, render_report

    signal.alarm(_SECONDS_PER_REPORT)
    try:
        render_report(order)
    except NothingToShowError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:300]
    finally:
        signal.alarm(0)
    return ""


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"it took more than {_SECONDS_PER_REPORT} s")


if __name__ == "__main__":
    sys.exit(main())
