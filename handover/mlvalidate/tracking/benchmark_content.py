"""What the parent run of a benchmark holds beside that of any other run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlvalidate.core.benchmarks import Benchmark
from mlvalidate.core.events import RunStarted
from mlvalidate.core.results import PipelineResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.tracking import layout
from mlvalidate.tracking.content import Content, pipeline_content
from mlvalidate.tracking.limits import Metric


def benchmark_content(started: RunStarted, result: PipelineResult, folder: RunFolder) -> Content:
    """Return what a parent holds at its end: figures over rows, their growth, and the chart."""
    whole = pipeline_content(started, result)
    if result.benchmark is None:
        return whole
    timestamp = round(result.finished_at * 1000)
    # Copies of each measurement's figures would bury those that count.
    own = [metric for metric in whole.metrics if "/" not in metric.key]
    chart = {layout.BENCHMARK_CHART: folder.benchmark_chart}
    return replace(
        whole,
        metrics=(*own, *_metrics(result.benchmark, timestamp)),
        files=chart if folder.benchmark_chart.is_file() else {},
    )


def _metrics(benchmark: Benchmark, timestamp: int) -> Iterator[Metric]:
    for volume in benchmark.volumes:
        for figure in layout.BENCHMARK_FIGURES:
            value = getattr(volume, figure).value
            yield Metric(layout.benchmark_metric(figure), value, timestamp, volume.rows)
    for figure in ("duration_s", "peak_rss_mb"):
        growth = getattr(benchmark, figure)
        if growth is None:
            continue
        yield from _estimate(f"{figure}.exponent", growth.exponent, timestamp)
        if growth.predicted is not None:
            yield from _estimate(f"{figure}.predicted", growth.predicted, timestamp)


def _estimate(name: str, estimate: object, timestamp: int) -> Iterator[Metric]:
    for suffix, attribute in (("", "value"), (".low", "low"), (".high", "high")):
        value = getattr(estimate, attribute)
        if value is not None:
            yield Metric(layout.growth_metric(f"{name}{suffix}"), value, timestamp)
