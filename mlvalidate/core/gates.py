"""Gates: conditions on the figures of a run, such as ``evaluate.auc >= 0.70``.

Some figures are about the run and its history: ``regression.duration <= 20%``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from mlvalidate.core.model import Model

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_GATE = re.compile(
    r"\s*(?P<metric>[A-Za-z_][\w.\-]*)\s*(?:\(\s*(?P<last>[1-9]\d{0,3})\s*\)\s*)?(?P<operator><=|>=|==|!=|<|>)\s*"
    r"(?P<threshold>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*(?P<percent>%?)\s*"
)

# What every step offers to gates, beside the metrics that it declares itself.
STEP_METRICS = ("duration_s", "cpu_s", "peak_rss_mb", "read_mb", "written_mb")
FINDING_METRICS = ("findings.error", "findings.warning", "findings.info")
# What a run, or a node of it, is in comparison with the baseline.
REGRESSIONS = {"regression.duration": "duration_s", "regression.memory": "peak_rss_mb"}
BASELINE_METRICS = (*REGRESSIONS, "new_findings", "schema_changes")
# Of the last runs: only the run has it.
PASS_RATE = "pass_rate"
# Over how many runs, where the gate does not say.
LAST_RUNS = 20


class Gate(Model):
    """``metric operator threshold``, taken apart. ``last`` runs are those of a pass rate."""

    text: str
    metric: str
    operator: str
    threshold: float
    last: int = LAST_RUNS

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Build a gate from its text; ValueError when it is no comparison with a number."""
        match = _GATE.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is no gate: expected `metric operator number`, "
                "such as `evaluate.auc >= 0.7` or `findings.error == 0`"
            )
        if match["last"] and match["metric"] != PASS_RATE:
            raise ValueError(f"{text!r} is no gate: only `{PASS_RATE}` is over a number of runs")
        return cls(
            text=text.strip(),
            metric=match["metric"],
            operator=match["operator"],
            threshold=float(match["threshold"]) / (100 if match["percent"] else 1),
            last=int(match["last"] or LAST_RUNS),
        )

    @property
    def is_about_run(self) -> bool:
        """True for figures of the whole run: `findings.error`, `duration_s`, `new_findings`."""
        return self.metric in (*FINDING_METRICS, *STEP_METRICS, *BASELINE_METRICS, PASS_RATE)

    @property
    def is_about_history(self) -> bool:
        """True for figures that take recorded runs, of the run or of a node."""
        own = self.metric if self.is_about_run else self.metric.partition(".")[2]
        return own in BASELINE_METRICS or self.metric == PASS_RATE

    @property
    def figure(self) -> str:
        """The name of the figure: a pass rate is one for each number of runs."""
        return f"{PASS_RATE}({self.last})" if self.metric == PASS_RATE else self.metric

    @property
    def is_implied(self) -> bool:
        """True for `findings.error == 0`, which every run has to satisfy anyway."""
        return (self.metric, self.operator, self.threshold) == ("findings.error", "==", 0)

    @property
    def node(self) -> str:
        """The node that the gate looks at; meaningless when it is about the run."""
        return self.metric.partition(".")[0]

    def holds(self, value: float) -> bool:
        """Tell whether ``value`` satisfies the gate."""
        return _OPERATORS[self.operator](value, self.threshold)
