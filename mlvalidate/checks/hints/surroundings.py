"""What a step is not given unless its contract asks for it."""

from __future__ import annotations

import re

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints.advice import Advice
from mlvalidate.checks.traceback import PythonError
from mlvalidate.core.contracts import Access
from mlvalidate.core.suggest import did_you_mean, nearest


def missing_environment(error: PythonError, evidence: Evidence) -> Advice | None:
    """Name the key of the contract that sets a variable which the script did not find."""
    if error.type != "KeyError" or not error.frames:
        return None
    last = error.frames[-1].file
    if not (last.endswith("/os.py") or last == "<frozen os>"):
        return None
    name = error.message.strip("'\"")
    step = evidence.planned.step_name
    if name.startswith("SM_CHANNEL_"):
        channel = name.removeprefix("SM_CHANNEL_").lower()
        return Advice(f"step {step} has no input {channel!r}: declare it in `inputs`")
    if name.startswith("SM_HP_"):
        parameter = name.removeprefix("SM_HP_").lower()
        return Advice(f"step {step} has no hyperparameter {parameter!r}: declare it")
    known = sorted(evidence.planned.env)
    suggestion = did_you_mean(name, known) if nearest(name, known) else ""
    return Advice(
        f"the variable {name} is not set: add it to `env` of step {step}"
        + (f"; {suggestion}" if suggestion else "")
    )


def no_credentials(error: PythonError, evidence: Evidence) -> Advice | None:
    """Name the keys that let a step use AWS: credentials, network, region."""
    planned = evidence.planned
    if error.type == "NoRegionError":
        return Advice(f"set AWS_DEFAULT_REGION in `env` of step {planned.step_name}")
    if error.type not in (
        "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
        "ProfileNotFound", "EndpointConnectionError",
    ):  # fmt: skip
        return None
    missing = [
        f"`{name}: allow`"
        for name, access in (("credentials", planned.credentials), ("network", planned.network))
        if access == Access.DENY
    ]
    if not missing:
        return Advice("the step may use AWS, but this machine has no access to it: try `aws sts`")
    return Advice(
        f"steps have no AWS credentials and no network unless {' and '.join(missing)} stands in "
        f"step {planned.step_name}"
    )


_NETWORK_ERRORS = re.compile(
    r"\b(?:Network is unreachable|Name or service not known|[Nn]ame resolution|Failed to resolve"
    r"|Max retries exceeded|Connection refused|Cannot connect to host|timed out)\b"
)


def no_network(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say that the sandbox refused a connection, and which key allows it."""
    refused = any(note.kind == "network" for note in evidence.notes)
    if not refused or evidence.planned.network.is_open:
        return None
    if not _NETWORK_ERRORS.search(error.message):
        return None
    return Advice(
        f"the network is refused: set `network: allow` in step {evidence.planned.step_name}"
    )
