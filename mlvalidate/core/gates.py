"""Gates: conditions on the figures of a run, such as ``evaluate.auc >= 0.70``."""

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
    r"\s*(?P<metric>[A-Za-z_][\w.\-]*)\s*(?P<operator><=|>=|==|!=|<|>)\s*"
    r"(?P<threshold>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*"
)

# What every step offers to gates, beside the metrics that it declares itself.
STEP_METRICS = ("duration_s", "cpu_s", "peak_rss_mb", "read_mb", "written_mb")
FINDING_METRICS = ("findings.error", "findings.warning", "findings.info")


class Gate(Model):
    """``metric operator threshold``, taken apart."""

    text: str
    metric: str
    operator: str
    threshold: float

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Build a gate from its text; ValueError when it is no comparison with a number."""
        match = _GATE.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is no gate: expected `metric operator number`, "
                "such as `evaluate.auc >= 0.7` or `findings.error == 0`"
            )
        return cls(
            text=text.strip(),
            metric=match["metric"],
            operator=match["operator"],
            threshold=float(match["threshold"]),
        )

    @property
    def is_about_run(self) -> bool:
        """True for figures of the whole run: `findings.error`, `duration_s`."""
        return self.metric in (*FINDING_METRICS, *STEP_METRICS)

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
