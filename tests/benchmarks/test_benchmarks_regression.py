"""What is claimed of the verdicts on timings, on a part of what the benchmark compares."""

from __future__ import annotations

import pytest

from benchmarks import regression


@pytest.mark.parametrize("noise", ["normal, 8 %", "lognormal, 8 %", "lognormal, 30 %"])
def test_false_alarms_are_rare_and_a_true_slowdown_is_found(noise: str) -> None:
    # Seeded: the same every time.
    false = regression._rate(regression._simulated(noise, 800, 1.0), wrong=True)
    assert false.reported / false.times <= 0.0175
    found = regression._rate(regression._simulated(noise, 200, regression.SLOWDOWN), wrong=False)
    if "30" in noise:
        # Where nobody can say, nothing is said; the bare rule cries wolf.
        assert false.bare / false.times > 0.3
    else:
        assert found.reported / found.times >= 0.93


def test_the_table_has_a_row_for_each_noise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["regression.py", "--pairs", "5", "--timings", "30", "--size", "100"]
    monkeypatch.setattr("sys.argv", words)
    regression.main()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(regression.NOISES) + 3
