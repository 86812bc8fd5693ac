"""What the parent run of a benchmark holds beside that of any other run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mlvalidate.core.benchmarks import Benchmark, Estimate
from mlvalidate.core.events import RunStarted
from mlvalidate.core.results import PipelineResult
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.reporting.figures.growth import growth_figure
from mlvalidate.tracking import layout
from mlvalidate.tracking.content import Content, pipeline_content
from mlvalidate.tracking.limits import Metric


def benchmark_content(started: RunStarted, result: PipelineResult, folder: RunFolder) -> Content:
    """Return what a parent holds at its end: figures over rows, growth, the chart, profiles."""
    whole = pipeline_content(started, result)
    if result.benchmark is None or not result.benchmark.volumes:
        return whole
    timestamp = round(result.finished_at * 1000)
    # Copies of each measurement's figures would bury those that count.
    own = [metric for metric in whole.metrics if "/" not in metric.key]
    chart = growth_figure(result.benchmark).to_html(include_plotlyjs=True)
    return replace(
        whole,
        metrics=(*own, *_metrics(result.benchmark, timestamp)),
        texts={**whole.texts, layout.GROWTH_FIGURE: chart},
        files={**whole.files, **_profiles(result.benchmark, folder)},
    )


def _profiles(benchmark: Benchmark, folder: RunFolder) -> dict[str, Path]:
    """Return the profilers' own files by their artifact paths."""
    return {
        layout.profile_file(Path(file).name): folder.root / file
        for profile in benchmark.profiles
        for file in profile.files
    }


def _metrics(benchmark: Benchmark, timestamp: int) -> Iterator[Metric]:
    for volume in benchmark.volumes:
        for figure in layout.BENCHMARK_FIGURES:
            value = getattr(volume, figure).value
            yield Metric(layout.benchmark_metric(figure), value, timestamp, volume.rows)
    for figure, growth in (
        ("duration_s", benchmark.duration_s),
        ("peak_rss_mb", benchmark.peak_rss_mb),
    ):
        if growth is None:
            continue
        yield from _estimate(f"{figure}.exponent", growth.exponent, timestamp)
        if growth.predicted is not None:
            yield from _estimate(f"{figure}.predicted", growth.predicted, timestamp)


def _estimate(name: str, estimate: Estimate, timestamp: int) -> Iterator[Metric]:
    bounds = {"": estimate.value, ".low": estimate.low, ".high": estimate.high}
    for suffix, value in bounds.items():
        if value is not None:
            yield Metric(layout.growth_metric(name + suffix), value, timestamp)
