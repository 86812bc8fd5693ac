"""The chart of a benchmark."""

from mlvalidate.core.benchmarks import Benchmark, Estimate, Growth, VolumeFigures
from mlvalidate.reporting.figures.growth import growth_figure


def test_the_chart_has_measurements_curves_and_the_prediction() -> None:
    def estimate(value: float) -> Estimate:
        return Estimate(value=value, low=value / 2, high=value * 2)

    growth = Growth(
        kind="n", confidence=0.9, exponent=estimate(1.0), start=1, factor=0.01,
        predicted=estimate(101),
    )  # fmt: skip
    volumes = tuple(
        VolumeFigures(
            rows=rows, measurements=3, duration_s=estimate(1 + rows / 100), cpu_s=estimate(1),
            peak_rss_mb=estimate(5),
        )
        for rows in (100, 1000)
    )  # fmt: skip
    benchmark = Benchmark(
        step="<b>s", volumes=volumes, duration_s=growth, volume=10_000, timeout_s=60, memory_mb=9
    )
    figure = growth_figure(benchmark)
    fitted, measured, predicted, memory = figure.data
    assert (fitted.x[0], round(fitted.x[-1]), round(fitted.y[-1])) == (100, 10_000, 101)
    assert list(measured.x) == [100, 1000]
    assert list(measured.y) == [2, 11]
    assert list(predicted.x) == [10_000]
    assert list(memory.y) == [5, 5]
    assert [shape.y0 for shape in figure.layout.shapes] == [60]
