"""What a project declares, for ``mlvalidate list``."""

from __future__ import annotations

from typing import TypedDict

from rich.console import Console
from rich.text import Text

from mlvalidate.core.contracts import Pipeline, Project
from mlvalidate.reporting.console import write
from mlvalidate.reporting.text import count, one_line


class PipelineListing(TypedDict):
    """A pipeline: its nodes in the order of execution and its edges as declared."""

    description: str
    nodes: list[str]
    edges: dict[str, str]


class StepListing(TypedDict):
    """A step: its entry point and the names of its ports."""

    description: str
    kind: str
    entry_point: str
    inputs: list[str]
    outputs: list[str]


class DatasetListing(TypedDict):
    """A dataset: its format, the rows that are generated, and its columns with their types."""

    description: str
    format: str
    rows: int
    sample: str | None
    columns: dict[str, str]
    notes: list[str]


class ProjectListing(TypedDict):
    """Everything that ``mlvalidate list --json`` prints."""

    project: str
    root: str
    pipelines: dict[str, PipelineListing]
    steps: dict[str, StepListing]
    datasets: dict[str, DatasetListing]


def list_project(project: Project) -> ProjectListing:
    """Return what the project declares as plain data."""
    return {
        "project": project.project,
        "root": str(project.root),
        "pipelines": {
            name: {
                "description": pipeline.description,
                "nodes": order_nodes(pipeline),
                "edges": dict(pipeline.edges),
            }
            for name, pipeline in project.pipelines.items()
        },
        "steps": {
            name: {
                "description": step.description,
                "kind": step.kind.value,
                "entry_point": step.entry_point,
                "inputs": list(step.inputs),
                "outputs": list(step.outputs),
            }
            for name, step in project.steps.items()
        },
        "datasets": {
            name: {
                "description": dataset.description,
                "format": dataset.format.value,
                "rows": dataset.rows,
                "sample": dataset.sample,
                "columns": {name: c.type.value for name, c in dataset.columns.items()},
                "notes": list(dataset.notes),
            }
            for name, dataset in project.datasets.items()
        },
    }


def print_project(console: Console, project: Project) -> None:
    """Print the pipelines with their nodes in order, the steps and the datasets."""
    listing = list_project(project)
    write(console, Text(f"project {listing['project']} in {one_line(listing['root'])}", "bold"))
    pipelines = [
        (name, " -> ".join(item["nodes"]), item["description"])
        for name, item in listing["pipelines"].items()
    ]
    steps = [
        (name, f"{item['kind']} {item['entry_point']}", item["description"])
        for name, item in listing["steps"].items()
    ]
    datasets = [
        (
            name,
            _describe_dataset(item),
            "\n".join(filter(None, [item["description"], *item["notes"]])),
        )
        for name, item in listing["datasets"].items()
    ]
    for title, rows in (("pipelines", pipelines), ("steps", steps), ("datasets", datasets)):
        _print_section(console, title, rows)


def order_nodes(pipeline: Pipeline) -> list[str]:
    """Return the nodes, producers first; nodes that don't depend on each other as declared."""
    producers: dict[str, set[str]] = {node: set() for node in pipeline.nodes}
    for edge in pipeline.parsed_edges():
        producers[edge.consumer].add(edge.producer)
    order: list[str] = []
    while len(order) < len(producers):
        # The loader refuses cycles, so there is always a next one.
        order.append(
            next(n for n, needs in producers.items() if n not in order and needs <= set(order))
        )
    return order


def _describe_dataset(item: DatasetListing) -> str:
    facts = (
        item["format"],
        count(len(item["columns"]), "column"),
        count(item["rows"], "synthetic row"),
        f"sample {item['sample']}" if item["sample"] else "",
    )
    return ", ".join(fact for fact in facts if fact)


def _print_section(console: Console, title: str, rows: list[tuple[str, str, str]]) -> None:
    if not rows:
        return
    console.print()
    console.print(Text(title, "bold"))
    for name, what, description in rows:
        write(console, Text.assemble((name, "cyan"), f"  {one_line(what)}"), indent=2)
        for line in filter(None, description.split("\n")):
            write(console, Text(one_line(line), "dim"), indent=4)
