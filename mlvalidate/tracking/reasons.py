"""Why MLflow did not take a record: its exceptions, told in one line without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from mlvalidate.core.errors import InfrastructureError
from mlvalidate.core.secrets import Redactor
from mlvalidate.tracking.store import PASSWORD, USERNAME, Store

_MOST_CHARACTERS = 300
_RESPONSE_BODY = re.compile(r"Response body: '(?P<text>[^'<>\n]{1,120})'")


class RecordingError(InfrastructureError):
    """MLflow did not take the record. The message is one line without secrets.

    `is_unreachable` tells that the store is away, and not that it refuses this record.
    """

    def __init__(self, message: str, is_unreachable: bool = False) -> None:
        super().__init__(message)
        self.is_unreachable = is_unreachable


@contextmanager
def mlflow_errors_told(store: Store) -> Iterator[None]:
    """Turn whatever a call into MLflow raises into a RecordingError.

    Its stores raise exceptions of requests, SQLAlchemy, botocore and other clients, with no common
    base: so put nothing but calls into MLflow inside.
    """
    try:
        yield
    except RecordingError:
        raise
    except Exception as error:
        fault = _network_fault(error)
        raise RecordingError(_describe(error, fault, store), is_unreachable=bool(fault)) from error


def _describe(error: BaseException, fault: str, store: Store) -> str:
    """Return one line about the error, with the network's fault where that is the cause."""
    if fault:
        what = "database" if store.is_database else "MLflow server"
        text = f"the {what} at {store.web_address or store.shown_uri} {fault}"
    elif "StoreURIException" in type(error).__name__:
        text = f"MLflow has no plugin for the store {store.shown_uri}"
        if store.scheme == "arn":
            text += "; install it with: pip install 'mlvalidate[sagemaker]'"
    elif refusal := _refusal(error, store):
        text = f"the MLflow server at {store.web_address or store.shown_uri} {refusal}"
    else:
        lines = str(error).strip().splitlines()
        text = lines[0] if lines else type(error).__name__
    text = Redactor.for_environment(os.environ).redact(text)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _refusal(error: BaseException, store: Store) -> str:
    """Return what a server says that does not let the user in; nothing when that was not it."""
    status = getattr(error, "get_http_status_code", int)()
    user = store.credentials.get(USERNAME) or os.environ.get(USERNAME, "")
    if status == HTTPStatus.UNAUTHORIZED and (user or os.environ.get("MLFLOW_TRACKING_TOKEN")):
        who = f"user {user!r} with this password" if user else "the token in MLFLOW_TRACKING_TOKEN"
        return f"does not accept {who} (401)"
    if status == HTTPStatus.UNAUTHORIZED:
        return f"asks for a user: set {USERNAME} and {PASSWORD} (401)"
    if status == HTTPStatus.FORBIDDEN:
        said = _RESPONSE_BODY.search(str(error))
        who = f"user {user!r}" if user else "you"
        answer = f", and says {said['text']!r}" if said else ""
        return f"does not let {who} write to the experiment {store.experiment!r} (403){answer}"
    return ""


def _network_fault(error: BaseException) -> str:
    """Return what went wrong on the way to a server, or nothing when that was not it."""
    names = {type(cause).__name__ for cause in _causes(error)}
    text = str(error)
    if "ConnectionRefusedError" in names or "Connection refused" in text:
        return "refuses the connection"
    if names & {"NameResolutionError", "gaierror"}:
        return "has a name that can't be resolved"
    if names & {"SSLError", "SSLCertVerificationError"}:
        return "has a certificate that is not trusted"
    if names & {"ReadTimeout", "ConnectTimeout", "ConnectTimeoutError", "ReadTimeoutError"}:
        return "does not answer in time"
    if names & {"ConnectionError", "ProtocolError"}:
        return "breaks off the connection"
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and all that led to it, also what requests and urllib3 keep inside."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
