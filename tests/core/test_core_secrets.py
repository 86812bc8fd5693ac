"""No secret reaches what is stored or shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvalidate.core.contracts import Access, Port, Step
from mlvalidate.core.events import RunStarted, parse_event
from mlvalidate.core.plan import DataSource, Origin, Plan, PlannedInput, PlannedStep
from mlvalidate.core.results import FileSummary, PortSummary, Status, StepResult
from mlvalidate.core.secrets import MASK, Redactor, is_secret_name

KEY_ID = "AKIA" + "IOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"

secrets = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="*"),
    min_size=6,
    max_size=30,
)


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASSWD", "DB_PWD", "SECRET", "client_secret", "API_KEY", "apikey", "api-key",
        "X-Api-Key", "GITHUB_TOKEN", "auth-token", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "SSH_PRIVATE_KEY", "GOOGLE_CREDENTIALS", "KEY", "ENCRYPTION_KEY", "SENTRY_DSN", "db-pass",
        "BASIC_AUTH", "CONNECTION_STRING", "PGPASSWORD", "SIGNING_KEY", "passphrase",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "PWD", "OLDPWD", "HOME", "PATH", "TOKENIZERS_PARALLELISM", "tokenizer", "keyword", "monkey",
        "AUTHOR", "key_columns", "KEYBOARD", "compass", "max_depth", "SM_CHANNEL_TRAIN", "bypass",
    ],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@given(st.lists(secrets, min_size=1, max_size=4), st.data())
def test_no_secret_survives(values: list[str], data: st.DataObject) -> None:
    redactor = Redactor(values)
    pieces = st.one_of(st.sampled_from(values), st.text(max_size=10))
    text = "".join(data.draw(st.lists(pieces, max_size=8)))
    redacted = redactor.redact(text)
    assert not [value for value in values if value in redacted]


@given(st.text())
def test_without_secrets_nothing_changes(text: str) -> None:
    if not any(part in text for part in ("://", "AKIA", "ASIA", "oken", "ey")):
        assert Redactor().redact(text) == text


def test_short_values_stand_for_other_things() -> None:
    assert Redactor(["true", "1", "12345"]).redact("true 1 12345") == "true 1 12345"


def test_the_longer_secret_goes_first() -> None:
    assert Redactor(["secret", "secret-more"]).redact("a secret-more b secret") == "a *** b ***"


def test_lines_of_a_private_key() -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nxyz\n-----END KEY-----"
    redacted = Redactor([key]).redact("log: MIIEpAIBAAKCAQEA\nxyz")
    assert redacted == "log: ***\nxyz"
    assert Redactor([key]).redact(f"<{key}>") == "<***>"


@pytest.mark.parametrize("prefix", ["AKIA", "ASIA", "ABIA", "ACCA"])
def test_access_key_ids(prefix: str) -> None:
    text = f"id={prefix}IOSFODNN7EXAMPLE, done"
    assert Redactor().redact(text) == "id=***, done"


def test_what_only_looks_like_a_key_id() -> None:
    for text in (
        "AKIA",
        "XAKIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPLEMORE",
        "akiaiosfodnn7example",
    ):
        assert Redactor().redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "AWS_SECRET_ACCESS_KEY={}",
        "export AWS_SECRET_ACCESS_KEY='{}'",
        "aws_secret_access_key = {}",
        '"SecretAccessKey": "{}"',
        "'SecretAccessKey': '{}'",
        "SecretAccessKey: {}",
        '{{\\"SecretAccessKey\\": \\"{}\\"}}',
        "<SecretAccessKey>{}</SecretAccessKey>",
        "aws configure set aws_secret_access_key {}",
        "--aws-secret-access-key {}",
        "--aws-secret-access-key={}",
        "['--secret-access-key', '{}']",
        "aws_session_token={}",
        '"SessionToken" : "{}"',
        "X-Amz-Security-Token={}&x=1",
        "client(aws_secret_access_key='{}', region_name='x')",
    ],
)
def test_secret_access_keys_in_many_notations(text: str) -> None:
    redacted = Redactor().redact(text.format(SECRET_KEY))
    assert SECRET_KEY not in redacted
    assert SECRET_KEY[-8:] not in redacted
    assert MASK in redacted
    # What stands around the value is still there.
    assert redacted == text.format(MASK)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("postgresql://me:hunter2@db:5432/x", "postgresql://me:***@db:5432/x"),
        ("redis://:hunter2@cache", "redis://:***@cache"),
        ("http://me:hun@ter2@host/x", "http://me:***@host/x"),
        ("see https://me:pw@a.b and s3://c:d@e", "see https://me:***@a.b and s3://c:***@e"),
        ("http://host:8080/path", "http://host:8080/path"),
        (
            "postgresql://db/x?user=me&password=hunter2&a=b",
            "postgresql://db/x?user=me&password=***&a=b",
        ),
        ("x://h?sslpassword=a%20b'", "x://h?sslpassword=***'"),
        ("x://h?passwordless=yes", "x://h?passwordless=yes"),
        ("http://host/a@b:c", "http://host/a@b:c"),
        ("mail me@host: x", "mail me@host: x"),
    ],
)
def test_passwords_in_urls(text: str, redacted: str) -> None:
    assert Redactor().redact(text) == redacted


def test_environments() -> None:
    redactor = Redactor.for_environment(
        {"API_KEY": "from-one"}, {"TOKEN": "from-two", "X": "other!"}
    )
    assert redactor.redact("from-one from-two other!") == "*** *** other!"


def make_plan(env: dict[str, str], **step: object) -> Plan:
    declared: dict[str, object] = {
        "kind": "training",
        "script": "train.py",
        "inputs": {"train": Port(path="/opt/ml/input/data/train", files={"token.csv": "file"})},
        "outputs": {"report": Port(path="/opt/ml/output/data")},
        "metrics": {"token_f1": "report/evaluation.json#f1"},
        "args": {"api-key": "hunter2hunter2", "pin": 123456, "password": 12345678, "verbose": True},
        "hyperparameters": {"depth": 4, "nested": {"secret": "deep", "rate": 0.1}, "tokens": True},
        **step,
    }
    return Plan(
        kind="pipeline",
        name="p",
        project="demo",
        root=Path("/project"),
        steps=(
            PlannedStep(
                node="train",
                step_name="train",
                step=Step.model_validate(declared),
                inputs=(
                    PlannedInput(
                        port="train",
                        container_path="/opt/ml/input/data/train",
                        origin=Origin.EDGE,
                    ),
                ),
                python=Path(sys.executable),
                timeout=1,
                memory=1,
                network=Access.DENY,
                credentials=Access.DENY,
                env=env,
            ),
        ),
        data_source=DataSource.SYNTHETIC,
        seed=0,
        log_limit=1,
        command="mlvalidate test-pipeline p",
    )


def test_settings_are_masked_by_their_names() -> None:
    plan = Redactor().redact_model(make_plan({"MY_TOKEN": "abc", "MODE": "fast"}))
    (planned,) = plan.steps
    assert planned.env == {"MY_TOKEN": MASK, "MODE": "fast"}
    assert planned.step.args == {
        "api-key": MASK, "pin": 123456, "password": MASK, "verbose": True,
    }  # fmt: skip
    assert planned.step.hyperparameters == {
        "depth": 4,
        "nested": {"secret": MASK, "rate": 0.1},
        "tokens": True,
    }


def test_names_of_ports_files_and_metrics_are_no_secrets() -> None:
    plan = make_plan({})
    step = Redactor().redact_model(plan).steps[0].step
    assert step.inputs == plan.steps[0].step.inputs
    assert step.metrics == plan.steps[0].step.metrics
    assert step.kind is plan.steps[0].step.kind


@given(
    st.sampled_from(
        ["pipeline", "training", "report", "/opt/ml", "evaluation", "output", "RunStarted",
         "train.py", "/opt/ml/input/data", "synthetic", "standard", "demodemo", "mlvalidate"]
    )
)  # fmt: skip
def test_a_secret_that_is_also_a_word_of_ours_breaks_nothing(value: str) -> None:
    plan = make_plan({"PASSWORD": value})
    redactor = Redactor.for_environment(plan.steps[0].env)
    event = redactor.redact_model(RunStarted(at=0, run_id="r", plan=plan))
    again = parse_event(event.model_dump_json())
    assert again == event
    assert event.plan.steps[0].env == {"PASSWORD": MASK}


def test_a_result() -> None:
    result = StepResult(
        node="n",
        step="n",
        kind="processing",
        entry_point="x.py",
        status=Status.PASSED,
        started_at=0,
        finished_at=1,
        command="python x.py --password hunter2hunter2",
        args={"password": "hunter2hunter2"},
        env={"TOKEN": "short"},
        message="could not log in with hunter2hunter2",
        outputs=(
            PortSummary(
                port="out",
                path="/opt/ml/x",
                files=(
                    FileSummary(
                        name="a.csv", size_bytes=1, digest="d", columns={"password": "object"}
                    ),
                ),
            ),
        ),
    )
    redacted = Redactor(["hunter2hunter2"]).redact_model(result)
    assert "hunter2" not in redacted.model_dump_json()
    assert redacted.env == {"TOKEN": MASK}
    assert redacted.outputs == result.outputs
    assert StepResult.model_validate_json(redacted.model_dump_json()) == redacted
    assert Redactor().redact_model(result).command == result.command
