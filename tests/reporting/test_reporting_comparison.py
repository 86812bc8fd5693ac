"""A comparison in the terminal."""

from __future__ import annotations

import io

from comparison_builders import make_comparison

from mlvalidate.core.comparison import FailOn, StepComparison, Timing
from mlvalidate.reporting import comparison_words as words
from mlvalidate.reporting.comparison import print_comparison
from mlvalidate.reporting.console import make_console

SHOWN = """\
before  churn 20251009-085320-ab12cd, passed, main c0ffeec0ff
after   churn 20251010-085320-ab12cd, failed, main beefbeefbe, with uncommitted changes

step status time memory rows findings outputs
prepare passed -> failed 1.00s -> 1.21s slower 100MB -> 101MB train 400 -> 380 1 new, 1 fixed \
1 file, 3 columns changed, 1 drifted
train passed - -
old passed -> not there - -

prepare
  changed: code, data
  arg.test-ratio: 0.2 -> 0.3
  time: 1.00s -> 1.21s (1.21 times, 1.12 to 1.30), slower, by 6 and 7 runs
  runs left out: 3 on another machine
  rows of train 400 -> 380
  metric auc 0.8125 -> none
  new: X201 error: exit code 1 <script>alert(1)</script> | `x`
  fixed: F301 error: exit code 1 <script>alert(1)</script> | `x`
  output train/train.csv: column <script>alert(1)</script> | `x`  added (int64)
  output train/train.csv: column b removed (str)
  output train/train.csv: column c retyped (int64 -> float64)
  output train/train.csv: column age has drifted (ks p-value 0.001)
  output train/new.csv: added

old
  time: cannot say, it did not run now

run
  seed: 1 -> 2
  new: G601 error: exit code 1 <script>alert(1)</script> | `x`
  commits c0ffee..beefbeef
    beefbeef Break it
  the run had changes that were not committed

"""


def shown(*fail_on: FailOn, quiet: bool = False) -> str:
    stream = io.StringIO()
    print_comparison(make_console(stream, width=200), make_comparison(), fail_on, quiet=quiet)
    return stream.getvalue()


def squeezed(text: str) -> list[list[str]]:
    """Return the words of each line: how wide columns are is the library's matter."""
    return [line.split() for line in text.splitlines() if not line.startswith("─")]


def test_everything_is_told() -> None:
    assert squeezed(shown()) == squeezed(f"{SHOWN}2 of 3 steps changed\n")


def test_what_it_fails_on_comes_last() -> None:
    verdict = shown(FailOn.SLOWER, FailOn.NEW_FINDINGS, FailOn.MEMORY).splitlines()[-1]
    assert verdict == "FAILED on slower (prepare), new-findings (prepare, run)"
    assert shown(FailOn.STATUS, quiet=True) == "FAILED on status (prepare, old)\n"


def test_each_sort_of_change_is_seen() -> None:
    failures = make_comparison().failures(tuple(FailOn))
    assert set(failures) == set(FailOn) - {FailOn.MEMORY}


def test_a_verdict_that_cannot_be_given_has_its_reason() -> None:
    timing = Timing(
        figure="duration_s", verdict="cannot say", before=1, after=2, ratio=2, reason="too few"
    )
    assert words.timing_words(timing) == "time: 1.00s -> 2.00s (2.00 times), cannot say: too few"
    step = StepComparison(node="a", status_before="passed", status_after="passed")
    assert words.details(step.model_copy(update={"timings": (timing,)})) == []


def test_a_long_list_is_shortened_and_says_so() -> None:
    comparison = make_comparison()
    fault = comparison.steps[0].new_findings[0]
    many = tuple(fault.model_copy(update={"code": f"X{number}"}) for number in range(30))
    step = comparison.steps[1].model_copy(update={"new_findings": many})
    assert words.details(step)[-1] == "and 20 more, see --json"
