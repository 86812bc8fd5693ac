"""What a project file says about itself: keys, types, values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlvalidate.core.contracts import Project
from mlvalidate.project import Problem, ProjectError

Load = Callable[..., Project]
Failure = Callable[..., str]


def test_a_file_with_many_faults_tells_them_all(failure: Failure) -> None:
    assert (
        failure(
            """\
        version: 2
        project: 5
        step: {}
        steps:
          train:
            kinds: training
            script: [a]
            timeout: soon
            memory: {}
            inputs:
              x: {path: /tmp/x}
            args: {a: {b: 1}, c: [1, [2]]}
            env: {A: , B: [1]}
          2nd: {script: scripts/train.py}
          empty:
        """
        )
        == """
mlvalidate.yaml:1:10: version: expected 1, found the number 2
mlvalidate.yaml:2:10: project: expected a text, found the number 5
  put it in quotes: "5"
mlvalidate.yaml:3:1: step: unknown key
  did you mean 'steps'?
mlvalidate.yaml:6:5: steps.train.kinds: unknown key
  did you mean 'kind'?
mlvalidate.yaml:7:5: steps.train.script: expected a text, found a list
mlvalidate.yaml:8:14: steps.train.timeout: expected a duration such as 30s, 10m or 1h30m, got 'soon'
mlvalidate.yaml:9:5: steps.train.memory: expected a size such as 512MB or 2GB
mlvalidate.yaml:11:17: steps.train.inputs.x.path: expected a path below /opt/ml, \
such as /opt/ml/processing/input
mlvalidate.yaml:12:12: steps.train.args.a: expected true or false, a number, a text or a list, \
found a mapping
mlvalidate.yaml:12:30: steps.train.args.c[1]: expected true or false, a number or a text, \
found a list
mlvalidate.yaml:13:11: steps.train.env.A: expected a text, found nothing
mlvalidate.yaml:13:16: steps.train.env.B: expected a text, found a list
mlvalidate.yaml:14:3: steps["2nd"]: expected a name of letters, digits, _ and - \
that starts with no digit, found '2nd'
mlvalidate.yaml:15:3: steps.empty: expected a mapping, found nothing
"""
    )


def test_datasets_with_many_faults(failure: Failure, minimal: str) -> None:
    text = f"""{minimal}
datasets:
  d:
    columns:
      a: {{type: integr, min: 1, min: 2}}
      b: {{type: category}}
      c: {{type: string, length: [1], null: 3, values: [{{}}]}}
      d: {{type: float, min: abc, rows: 1}}
      e: {{typ: float}}
      1: {{type: float}}
      f: {{type: integer, min: 5, max: 1}}
      g: {{type: boolean, rate: 1}}
      h: {{type: boolean, rate: 0}}
      i: {{type: string, length: [1, 2, 3], description: true}}
      j: {{min: 1}}
      k: {{type: date, min: 2019-13-45}}
      l: {{type: string, pattern: "("}}
    key: 5
    format: cvs
    rows: 1.5
  e:
    rows: 0
    columns: {{}}
    key: [a, 1]
"""

    assert (
        failure(text)
        == """
mlvalidate.yaml:12:17: datasets.d.columns.a.type: expected integer, float, boolean, category, \
string, datetime, date, text, list or json, found 'integr'
  did you mean 'integer'?
mlvalidate.yaml:12:33: datasets.d.columns.a.min: duplicate key: it is set in line 12 already
mlvalidate.yaml:13:7: datasets.d.columns.b: a category needs `values`: a list, \
or a mapping value -> weight
mlvalidate.yaml:14:25: datasets.d.columns.c.length: expected one value more, found a list
mlvalidate.yaml:14:44: datasets.d.columns.c.null: expected a number of at most 1, \
found the number 3
mlvalidate.yaml:14:56: datasets.d.columns.c.values[0]: expected true or false, a number or a text, \
found a mapping
mlvalidate.yaml:15:29: datasets.d.columns.d.min: expected a number or a date and time, found 'abc'
mlvalidate.yaml:15:34: datasets.d.columns.d.rows: unknown key
  known keys: type, description, min, max, null, values, pattern, length, unique, optional, label, \
rate, signal, like, distribution, monotone, derived, foreign_key, items, fields, drift
mlvalidate.yaml:16:11: datasets.d.columns.e.typ: unknown key
  did you mean 'type'?
mlvalidate.yaml:17:7: datasets.d.columns[1]: expected a text as key, found the number 1
  put it in quotes: "1"
mlvalidate.yaml:18:7: datasets.d.columns.f: `min` (5) is greater than `max` (1)
mlvalidate.yaml:19:32: datasets.d.columns.g.rate: expected a number less than 1, found the number 1
mlvalidate.yaml:20:32: datasets.d.columns.h.rate: expected a number greater than 0, \
found the number 0
mlvalidate.yaml:21:25: datasets.d.columns.i.length: expected 2 values, found a list
mlvalidate.yaml:21:57: datasets.d.columns.i.description: expected a text, found true
  put it in quotes: "true"
mlvalidate.yaml:22:7: datasets.d.columns.j.type: missing
  one of integer, float, boolean, category, string, datetime, date, text, list, json
mlvalidate.yaml:23:28: datasets.d.columns.k.min: expected a number or a date and time, \
found '2019-13-45'
mlvalidate.yaml:24:7: datasets.d.columns.l: `pattern` is no regular expression: \
missing ), unterminated subpattern at position 0
mlvalidate.yaml:25:10: datasets.d.key: expected a text or a list, found the number 5
  put it in quotes: "5"
mlvalidate.yaml:26:13: datasets.d.format: expected csv, tsv, parquet, json or jsonl, found 'cvs'
  did you mean 'csv'?
... and 4 more
"""
    )


def test_the_rest_of_the_dataset_faults(failure: Failure, minimal: str) -> None:
    text = f"""{minimal}
datasets:
  d:
    key: 5
    format: cvs
    rows: 1.5
    columns: {{a: {{type: text}}}}
  e:
    rows: 0
    columns: {{}}
    key: [a, 1]
  {"x" * 101}: {{columns: {{a: {{type: text}}}}}}
"""

    assert (
        failure(text)
        == f"""
mlvalidate.yaml:11:10: datasets.d.key: expected a text or a list, found the number 5
  put it in quotes: "5"
mlvalidate.yaml:12:13: datasets.d.format: expected csv, tsv, parquet, json or jsonl, found 'cvs'
  did you mean 'csv'?
mlvalidate.yaml:13:11: datasets.d.rows: expected a whole number, found the number 1.5
mlvalidate.yaml:16:11: datasets.e.rows: expected a number of at least 1, found the number 0
mlvalidate.yaml:17:5: datasets.e.columns: expected at least one entry, found none
mlvalidate.yaml:18:14: datasets.e.key[1]: expected a text, found the number 1
  put it in quotes: "1"
mlvalidate.yaml:19:3: datasets.{"x" * 101}: expected a name of at most 100 characters
"""
    )


def test_missing_keys_at_the_top(failure: Failure) -> None:
    assert (
        failure("description: nothing else\n")
        == """
mlvalidate.yaml:1:1: version: missing
  add `version: 1`
mlvalidate.yaml:1:1: project: missing
mlvalidate.yaml:1:1: steps: missing
"""
    )


@pytest.mark.parametrize(
    ("top", "found"), [("- a\n", "a list"), ("text\n", "'text'"), ("5\n", "the number 5")]
)
def test_the_top_is_a_mapping(failure: Failure, top: str, found: str) -> None:
    assert failure(top) == f"\nmlvalidate.yaml:1:1: expected a mapping, found {found}\n"


def test_keys_that_are_no_texts(failure: Failure, minimal: str) -> None:
    assert (
        failure(minimal + "2: 2\n2.5: 3\n")
        == """
mlvalidate.yaml:8:1: [2]: unknown key
  known keys: version, project, description, tracking, defaults, cache, datasets, steps, \
pipelines, gates
mlvalidate.yaml:9:1: ["2.5"]: unknown key
  known keys: version, project, description, tracking, defaults, cache, datasets, steps, \
pipelines, gates
"""
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "a.b",
            "expected a name of letters, digits, _ and - that starts with no digit, found 'a.b'",
        ),
        ("x" * 101, f"expected at most 100 characters, found '{'x' * 57}...'"),
    ],
)
def test_the_name_of_the_project(failure: Failure, minimal: str, name: str, found: str) -> None:
    text = minimal.replace("project: churn", f"project: {name}")

    assert failure(text) == f"\nmlvalidate.yaml:3:10: project: {found}\n"


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            "[train, {b: {stpe: train}}]",
            "10:25: pipelines.p.nodes.b.stpe: unknown key\n  did you mean 'step'?",
        ),
        ("[train, {b: 5}]", "10:24: pipelines.p.nodes.b: expected a mapping, found the number 5"),
        (
            "[train, {b: {step: train, env: {A: []}}}]",
            "10:44: pipelines.p.nodes.b.env.A: expected a text, found a list",
        ),
        (
            "[train, {b: {env: {A: '${X}'}}}]",
            "10:34: pipelines.p.nodes[1].b.env.A: the environment variable X is not set\n"
            "  set it, or give a default: ${X:-...}",
        ),
        ("[train, train]", "10:5: pipelines.p.nodes: node 'train' is listed twice"),
        (
            "[[train]]",
            "10:5: pipelines.p.nodes: expected the names of steps, or mappings of a name to a node",
        ),
        ("train", "10:12: pipelines.p.nodes: expected a mapping, found 'train'"),
        ("[]", "10:5: pipelines.p.nodes: expected at least one entry, found none"),
        (
            "{train: {}, 1: {}}",
            "10:24: pipelines.p.nodes[1]: expected a text as key, found the number 1\n"
            '  put it in quotes: "1"',
        ),
    ],
)
def test_nodes(failure: Failure, minimal: str, nodes: str, message: str) -> None:
    text = f"{minimal}pipelines:\n  p:\n    nodes: {nodes}\n"

    assert failure(text) == f"\nmlvalidate.yaml:{message}\n"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{timeout: null}", "21: defaults.timeout: expected a duration such as 30s, 10m or 1h30m"),
        ("{timeout: .inf}", "21: defaults.timeout: a duration must be more than zero, and finite"),
        ("{memory: 1.5}", "20: defaults.memory: expected a size such as 512MB or 2GB"),
        ("{network: alow}", "21: defaults.network: expected deny, allow or record, found 'alow'\n"
         "  did you mean 'allow'?"),
        ("{network: 7}", "21: defaults.network: expected deny, allow or record, "
         "found the number 7"),
        ("{seed: .nan}", "18: defaults.seed: expected a number that is not infinite, "
         "found the number nan"),
    ],
)  # fmt: skip
def test_defaults(failure: Failure, minimal: str, value: str, message: str) -> None:
    assert failure(f"{minimal}defaults: {value}\n") == f"\nmlvalidate.yaml:8:{message}\n"


def test_a_choice_that_may_be_left_out(failure: Failure, minimal: str) -> None:
    assert (
        failure(minimal + "    network: x\n    hyperparameter: {}\n")
        == """
mlvalidate.yaml:8:14: steps.train.network: expected deny, allow or record, found 'x'
mlvalidate.yaml:9:5: steps.train.hyperparameter: unknown key
  did you mean 'hyperparameters'?
"""
    )


def test_problems_are_data(load: Load, minimal: str) -> None:
    with pytest.raises(ProjectError) as caught:
        load(minimal.replace("kind:", "kinds:"))

    assert caught.value.problems == (
        Problem(
            "mlvalidate.yaml", 6, 5, "steps.train.kinds", "unknown key", "did you mean 'kind'?"
        ),
    )


def test_only_the_first_twenty_are_shown(load: Load, minimal: str) -> None:
    with pytest.raises(ProjectError) as caught:
        load(minimal + "".join(f"unknown{number}: 1\n" for number in range(30)))

    assert len(caught.value.problems) == 30
    assert str(caught.value).count("unknown key") == 20
    assert str(caught.value).endswith("\n... and 10 more")


def test_categories_keep_their_yes_and_no(load: Load, minimal: str) -> None:
    project = load(
        minimal
        + "datasets: {d: {columns: {a: {type: category, values: {yes: .4, no: .6}, unique: no}}}}\n"
    )

    column = project.datasets["d"].columns["a"]
    assert column.weights == {"yes": 0.4, "no": 0.6}
    assert column.unique is False
