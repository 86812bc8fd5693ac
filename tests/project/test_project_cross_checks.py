"""Names that refer to something, edges, cycles and gates."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from mlvalidate.core.contracts import Project

Load = Callable[..., Project]
Failure = Callable[..., str]

CHURN = dedent(
    """\
    version: 1
    project: churn
    datasets:
      customers: {sample: data/customers.csv, columns: {id: {type: integer}}}
    steps:
      preprocess:
        script: scripts/preprocess.py
        inputs: {raw: {files: {"*.csv": customers}}}
        outputs: {train: {files: {train.csv: customers}}, test: {}}
      train:
        kind: training
        script: scripts/train.py
        inputs: {train: {}}
        outputs: {model: {files: {model.joblib: file}}}
      evaluate:
        kind: command
        command: [sh, -c, "cp {inputs.model}/* {outputs.report} && echo {x} {inputs}"]
        inputs: {model: {files: {model.tar.gz: archive}}, test: {}}
        outputs: {report: {files: {evaluation.json: json}}}
        metrics: {auc: "report/evaluation.json#metrics.auc"}
    """
)
PIPELINE = dedent(
    """\
    pipelines:
      churn:
        nodes: [preprocess, {fit: {step: train, hyperparameters: {depth: 1}}}, evaluate]
        edges:
          fit.train: preprocess.train
          evaluate.model: fit.model
          evaluate.test: preprocess.test/small
    gates:
      - findings.error == 0
      - duration_s < 1e2
      - fit.duration_s <= 30
      - train.findings.warning == 0
      - preprocess.rows.train > 10
      - evaluate.auc >= 0.70
    """
)


def test_a_whole_project(load: Load) -> None:
    project = load(CHURN + PIPELINE)

    assert [edge.source for edge in project.pipelines["churn"].parsed_edges()] == [
        "preprocess.train",
        "fit.model",
        "preprocess.test/small",
    ]
    assert len(project.parsed_gates) == 6


def test_contents_of_ports(failure: Failure) -> None:
    text = CHURN.replace('{"*.csv": customers}', '{"*.csv": customer}')
    text = text.replace("joblib: file", "joblib: fil").replace("evaluation.json: json", "x: table")
    text = text.replace("#metrics.auc", "#auc").replace("report/evaluation.json", "report/x")

    assert (
        failure(text)
        == """
mlvalidate.yaml:8:37: steps.preprocess.inputs.raw.files["*.csv"]: \
expected a dataset or one of file, json, archive, found 'customer'
  did you mean 'customers'?
mlvalidate.yaml:14:45: steps.train.outputs.model.files["model.joblib"]: \
expected a dataset or one of file, json, archive, found 'fil'
  did you mean 'file'?
mlvalidate.yaml:19:35: steps.evaluate.outputs.report.files.x: \
expected a dataset or one of file, json, archive, found 'table'
  there is 'archive', 'customers', 'file', 'json'
"""
    )


def test_a_dataset_with_the_name_of_a_file_kind(failure: Failure) -> None:
    text = CHURN.replace("steps:\n", "  json: {columns: {id: {type: integer}}}\nsteps:\n")

    assert (
        failure(text)
        == """
mlvalidate.yaml:5:3: datasets.json: 'json' can't be a dataset: \
a port's files use that word for a kind of file
"""
    )


def test_placeholders_of_a_command(failure: Failure) -> None:
    text = CHURN.replace("{inputs.model}", "{inputs.modle}").replace("{outputs.r", "{outputs.inr")

    assert (
        failure(text)
        == """
mlvalidate.yaml:17:23: steps.evaluate.command[2]: {inputs.modle}: the step has no input 'modle'
  did you mean 'model'?
mlvalidate.yaml:17:23: steps.evaluate.command[2]: {outputs.inreport}: \
the step has no output 'inreport'
  did you mean 'report'?
"""
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{step: train,",
            "{step: trian,",
            "23:38: pipelines.churn.nodes.fit.step: there is no step 'trian'\n"
            "  did you mean 'train'?",
        ),
        (
            "[preprocess,",
            "[preproces,",
            "23:13: pipelines.churn.nodes.preproces.step: there is no step 'preproces'\n"
            "  did you mean 'preprocess'?\n"
            'mlvalidate.yaml:25:18: pipelines.churn.edges["fit.train"]: '
            "the pipeline has no node 'preprocess'\n"
            "  did you mean 'preproces'?\n"
            'mlvalidate.yaml:27:22: pipelines.churn.edges["evaluate.test"]: '
            "the pipeline has no node 'preprocess'\n"
            "  did you mean 'preproces'?",
        ),
        (
            ", evaluate]",
            ", {evaluate: {hyperparameters: {depth: 1}}}]",
            "23:88: pipelines.churn.nodes.evaluate.hyperparameters: "
            "hyperparameters are for steps of kind training, 'evaluate' is not one",
        ),
        (
            "fit.train: preprocess.train",
            "fit: preprocess",
            "25:12: pipelines.churn.edges.fit: expected consumer.input, got 'fit'",
        ),
        (
            "preprocess.train\n",
            "preprocess\n",
            '25:18: pipelines.churn.edges["fit.train"]: '
            "expected producer.output or producer.output/folder, got 'preprocess'",
        ),
        (
            "test/small",
            "test/../train",
            '27:22: pipelines.churn.edges["evaluate.test"]: '
            "'preprocess.test/../train' leaves the producer's output",
        ),
        (
            "fit.train:",
            "fti.train:",
            "25:7: pipelines.churn.edges[\"fti.train\"]: the pipeline has no node 'fti'\n"
            "  did you mean 'fit'?",
        ),
        (
            "fit.train: preprocess.train",
            "fit.trian: preprocess.tarin",
            "25:7: pipelines.churn.edges[\"fit.trian\"]: 'fit' has no input 'trian'\n"
            "  did you mean 'train'?\n"
            'mlvalidate.yaml:25:18: pipelines.churn.edges["fit.trian"]: '
            "'preprocess' has no output 'tarin'\n"
            "  did you mean 'train'?",
        ),
        (
            "evaluate.test: ",
            "evaluate.model: ",
            '27:7: pipelines.churn.edges["evaluate.model"]: '
            "duplicate key: it is set in line 26 already",
        ),
    ],
)
def test_pipelines(failure: Failure, old: str, new: str, message: str) -> None:
    assert PIPELINE.count(old) == 1

    assert failure(CHURN + PIPELINE.replace(old, new)) == f"\nmlvalidate.yaml:{message}\n"


def test_a_step_without_ports(failure: Failure, minimal: str) -> None:
    text = minimal + "pipelines: {p: {nodes: [train], edges: {train.x: train.y}}}\n"

    assert (
        failure(text)
        == """
mlvalidate.yaml:8:41: pipelines.p.edges["train.x"]: 'train' has no input 'x'
  the step declares no inputs
mlvalidate.yaml:8:50: pipelines.p.edges["train.x"]: 'train' has no output 'y'
  the step declares no outputs
"""
    )


def test_an_edge_from_a_node_without_step_is_told_once(failure: Failure, minimal: str) -> None:
    text = minimal + "pipelines: {p: {nodes: [xyz, uvw: {step: xyz}], edges: {xyz.a: uvw.b}}}\n"

    assert (
        failure(text)
        == """
mlvalidate.yaml:8:25: pipelines.p.nodes.xyz.step: there is no step 'xyz'
  there is 'train'
mlvalidate.yaml:8:42: pipelines.p.nodes.uvw.step: there is no step 'xyz'
  there is 'train'
"""
    )


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ("{a.i: a.o}", '11:13: pipelines.p.edges["a.i"]: the edges form a cycle: a -> a'),
        (
            "{b.i: a.o, a.i: b.o}",
            '11:23: pipelines.p.edges["a.i"]: the edges form a cycle: a -> b -> a',
        ),
        (
            "{b.i: a.o, c.i: b.o, a.i: c.o}",
            '11:33: pipelines.p.edges["a.i"]: the edges form a cycle: a -> b -> c -> a',
        ),
    ],
)
def test_cycles(failure: Failure, edges: str, message: str) -> None:
    text = f"""\
version: 1
project: churn
steps:
  a: &a
    script: scripts/train.py
    inputs: {{i: {{}}}}
    outputs: {{o: {{}}}}
pipelines:
  p:
    nodes: {{a: {{}}, b: {{step: a}}, c: {{step: a}}}}
    edges: {edges}
"""

    assert failure(text) == f"\nmlvalidate.yaml:{message}\n"


@pytest.mark.parametrize(
    ("gate", "message", "hint"),
    [
        (
            "auc is good",
            "'auc is good' is no gate: expected `metric operator number`, "
            "such as `evaluate.auc >= 0.7` or `findings.error == 0`",
            "",
        ),
        ("auc > 0", "a run has no figure 'auc'", "did you mean 'evaluate.auc'?"),
        ("evaluate > 0", "a run has no figure 'evaluate'", "name a figure of it, such as "
         "evaluate.duration_s"),
        ("duration < 5", "a run has no figure 'duration'", "did you mean 'duration_s'?"),
        ("findings.errors == 0", "a run has no figure 'findings.errors'",
         "did you mean 'findings.error'?"),
        ("findings.x == 0", "a run has no figure 'findings.x'", "did you mean 'findings.info'?"),
        ("quux > 1", "a run has no figure 'quux'", "a run has 'cpu_s', 'duration_s', "
         "'findings.error', 'findings.info', 'findings.warning', 'new_findings', 'pass_rate', "
         "'peak_rss_mb', 'read_mb', 'regression.duration', 'regression.memory', "
         "'schema_changes', 'written_mb'"),
        ("regression.memoryy < 1", "a run has no figure 'regression.memoryy'",
         "did you mean 'regression.memory'?"),
        ("train.pass_rate > 0.5", "'train' has no figure 'pass_rate'",
         "runs have it: write pass_rate"),
        ("evalute.auc > 0", "there is no node or step 'evalute'", "did you mean 'evaluate'?"),
        ("evaluate.acu > 0", "'evaluate' has no figure 'acu'", "did you mean 'auc'?"),
        ("train.auc > 0", "'train' has no figure 'auc'", "it has 'cpu_s', 'duration_s', "
         "'findings.error', 'findings.info', 'findings.warning', 'new_findings', 'peak_rss_mb', "
         "'quality.model.columns', 'quality.model.constant_columns', "
         "'quality.model.duplicate_share', 'quality.model.null_share', 'read_mb', "
         "'regression.duration', 'regression.memory', 'rows.model', 'schema_changes', "
         "'written_mb'"),
        ("preprocess.rows.tran > 0", "'preprocess' has no figure 'rows.tran'",
         "did you mean 'rows.train'?"),
        ("preprocess.quality.train.null_shares <= 0.1",
         "'preprocess' has no figure 'quality.train.null_shares'",
         "did you mean 'quality.train.null_share'?"),
        ("preprocess.quality.train.null_share.id < 1",
         "'preprocess' has no figure 'quality.train.null_share.id'",
         "figures of columns need `column_figures: true` in the dataset"),
        ("preprocess.drift.train.share <= 0.3",
         "'preprocess' has no figure 'drift.train.share'",
         "no dataset of the output 'train' declares a `reference`"),
        ("preprocess.drift.tran.share <= 0.3",
         "'preprocess' has no figure 'drift.tran.share'",
         "there is no output 'tran': did you mean 'train'?"),
        ("fit.rows.modle > 0", "'fit' has no figure 'rows.modle'", "did you mean 'rows.model'?"),
    ],
)  # fmt: skip
def test_gates(failure: Failure, gate: str, message: str, hint: str) -> None:
    text = CHURN + PIPELINE.replace("findings.error == 0", gate)

    hint_line = f"\n  {hint}" if hint else ""
    assert failure(text) == f"\nmlvalidate.yaml:29:5: gates[0]: {message}{hint_line}\n"


def test_gates_on_quality_and_drift(load: Load) -> None:
    declared = "column_figures: true, reference: input, columns: {id: {type: integer}}"
    text = CHURN.replace("columns: {id: {type: integer}}", declared) + dedent(
        """\
        gates:
          - preprocess.quality.train.null_share <= 0.1
          - preprocess.quality.test.duplicate_share == 0
          - preprocess.quality.train.null_share.id == 0
          - preprocess.drift.train.share <= 0.3
          - preprocess.drift.train.score.id <= 0.1
        """
    )

    assert len(load(text).gates) == 5


def test_a_gate_on_a_step_with_very_many_figures_lists_them(failure: Failure) -> None:
    ports = ", ".join(f"p{number}: {{}}" for number in range(6))
    text = CHURN.replace("test: {}}", f"test: {{}}, {ports}}}", 1) + "gates: [preprocess.zzz > 0]\n"

    assert "\n  it has 'cpu_s', 'duration_s', " in failure(text)


def test_a_node_that_runs_different_steps_may_have_the_figures_of_either(load: Load) -> None:
    text = f"""{CHURN}
pipelines:
  one: {{nodes: [preprocess, {{last: {{step: train}}}}]}}
  two: {{nodes: [preprocess, {{last: {{step: evaluate}}}}]}}
gates: [last.auc > 0, last.rows.model > 0]
"""

    assert len(load(text).gates) == 2
