"""Broken, hostile and odd YAML."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from mlvalidate.core.contracts import Project
from mlvalidate.project.yaml_nodes import Mapping, Scalar
from mlvalidate.project.yaml_scalars import resolve
from mlvalidate.project.yaml_tree import parse_yaml

Load = Callable[..., Project]
Failure = Callable[..., str]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: b: c\n",
            """
mlvalidate.yaml:1:5: not valid YAML: mapping values are not allowed in this context
  1 | a: b: c
          ^
  a text with a colon and a space in it needs quotes
""",
        ),
        (
            "files: {*.csv: customers}\n",
            """
mlvalidate.yaml:1:10: not valid YAML: did not find expected alphabetic or numeric character \
while scanning an alias
  1 | files: {*.csv: customers}
               ^
  a text that starts with * needs quotes, such as "*.csv"
""",
        ),
        (
            "a:\n\tb: 1\n",
            """
mlvalidate.yaml:2:1: not valid YAML: found character that cannot start any token \
while scanning for the next token
  2 | →b: 1
      ^
  indent with spaces, not with tabs
""",
        ),
        (
            "a: @x\n",
            """
mlvalidate.yaml:1:4: not valid YAML: found character that cannot start any token \
while scanning for the next token
  1 | a: @x
         ^
  a text that starts with @ needs quotes
""",
        ),
        (
            "a: {b: ${X}}\n",
            """
mlvalidate.yaml:1:9: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping
  1 | a: {b: ${X}}
              ^
  inside { } and [ ] a variable needs quotes: "${NAME}"
""",
        ),
        (
            "a: 'x\n",
            """
mlvalidate.yaml:2:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar
  close the quotes
""",
        ),
        (
            "a: \x01\n",
            """
mlvalidate.yaml:1:4: not valid YAML: the control character '\\x01'
  1 | a: \x01
         ^
""",
        ),
        (
            "- a\nb: 1\n",
            """
mlvalidate.yaml:2:1: not valid YAML: did not find expected '-' indicator \
while parsing a block collection
  2 | b: 1
      ^
""",
        ),
        (
            "a: 1\n---\nb: 1\n",
            """
mlvalidate.yaml:2:1: a second document: expected one, without `---` between
""",
        ),
        (
            "a: *.csv\n",
            """
mlvalidate.yaml:1:5: not valid YAML: did not find expected alphabetic or numeric character \
while scanning an alias
  1 | a: *.csv
          ^
  a text that starts with * needs quotes, such as "*.csv"
""",
        ),
        (
            "a: *all\n",
            """
mlvalidate.yaml:1:4: a: the alias *all has no anchor above it
  a text that starts with * needs quotes: "*all"
""",
        ),
        (
            "a: &a [*a]\n",
            """
mlvalidate.yaml:1:8: a[0]: the alias *a has no anchor above it
  a text that starts with * needs quotes: "*a"
""",
        ),
    ],
)
def test_broken_yaml(failure: Failure, text: str, message: str) -> None:
    assert failure(text) == message


def test_a_long_line_is_cut(failure: Failure) -> None:
    message = failure("x" * 300 + ": b: c\n")

    assert f"\n  1 | {'x' * 57}: b: c\n      {' ' * 60}^\n" in message


def test_aliases_that_explode_are_refused(failure: Failure) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert failure("\n".join(lines)) == (
        "\nmlvalidate.yaml:5:5: a4: its aliases stand for more than 100000 values\n"
    )


def test_bottomless_nesting_is_refused(failure: Failure) -> None:
    assert failure("a: " + "[" * 5000) == (
        "\nmlvalidate.yaml:1:54: a[0][0]: nested deeper than 50 levels\n"
    )


def test_faults_that_leave_the_rest_readable_are_all_told(failure: Failure, minimal: str) -> None:
    text = f"""{minimal}
        hyperparameters:
          depth: !!python/object/apply:os.system [echo]
          depth: 1
          [a]: 2
          "": 3
          <<: [4]
    """
    text = text.replace("\n        ", "\n    ")

    assert (
        failure(text)
        == """
mlvalidate.yaml:10:14: steps.train.hyperparameters.depth: \
the tag !!python/object/apply:os.system is refused
  write the plain value
mlvalidate.yaml:11:7: steps.train.hyperparameters.depth: duplicate key: it is set in line 10 already
mlvalidate.yaml:12:7: steps.train.hyperparameters: a key must be a text, not a list or a mapping
mlvalidate.yaml:13:7: steps.train.hyperparameters: a value without a key
mlvalidate.yaml:14:11: steps.train.hyperparameters["<<"]: \
expected mappings to merge, such as *anchor
"""
    )


def test_anchors_aliases_and_merges(load: Load) -> None:
    project = load(
        """
        version: 1
        project: churn
        steps:
          train: &train
            kind: training
            script: scripts/train.py
            hyperparameters: &shared {depth: 4, rate: 1e-3}
          again:
            <<: *train
            hyperparameters: {depth: 5, <<: *shared}
          third:
            <<: [{timeout: 5s}, *train]
        """
    )

    assert project.steps["again"].script == "scripts/train.py"
    assert project.steps["again"].hyperparameters == {"depth": 5, "rate": 0.001}
    assert project.steps["third"].timeout == 5
    assert project.steps["third"].hyperparameters == {"depth": 4, "rate": 0.001}


def test_what_an_alias_repeats_is_wrong_once(failure: Failure) -> None:
    text = """\
        version: 1
        project: churn
        defaults:
          env: {A: &broken "${MISSING"}
        steps:
          train:
            kind: training
            script: scripts/train.py
            hyperparameters: {x: *broken}
            env: &env {B: [1]}
          again: {kind: training, script: scripts/train.py, env: *env}
        """

    assert (
        failure(text)
        == """
mlvalidate.yaml:4:12: defaults.env.A: expected ${NAME} or ${NAME:-default}, found '${MISSING'
  write $${ for a literal ${
mlvalidate.yaml:9:26: steps.train.hyperparameters.x: expected ${NAME} or ${NAME:-default}, \
found '${MISSING'
  write $${ for a literal ${
mlvalidate.yaml:10:16: steps.train.env.B: expected a text, found a list
"""
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("0", 0),
        ("-17", -17),
        ("+5", 5),
        ("0x1F", 31),
        ("0o17", 15),
        ("012345", "012345"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1.2.3", "1.2.3"),
        ("9" * 64, int("9" * 64)),
        ("9" * 5000, "9" * 5000),
        ("9" * 65 + ".5", "9" * 65 + ".5"),
        ("null", "null"),
        ("", ""),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    found = resolve(text)

    assert found == value
    assert type(found) is type(value)


def test_nan() -> None:
    found = resolve(".NaN")
    assert isinstance(found, float)
    assert math.isnan(found)


def test_quotes_and_tags_make_texts() -> None:
    tree, faults = parse_yaml("{a: '1', b: \"true\", c: !!str 5, d: ! 6, null: 7, 8: ~}")

    assert not faults
    assert isinstance(tree, Mapping)
    nodes = {entry.key: entry.node for entry in tree.entries}
    assert list(nodes) == ["a", "b", "c", "d", "null", 8]
    assert all(isinstance(node, Scalar) and not node.is_plain for node in list(nodes.values())[:4])
    assert isinstance(nodes[8], Scalar)
    assert nodes[8].is_null
