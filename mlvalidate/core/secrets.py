"""Keeps secrets out of everything that is stored or shown: logs, params, artifacts, messages.

A secret is the value of a variable whose name looks like one, an AWS key wherever it stands, and
the password in a URL. Redaction is by value, so a secret that a script prints is caught as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Literal, TypeVar, get_origin

from mlvalidate.core.model import Model

M = TypeVar("M", bound=Model)

MASK = "***"

_SECRET_NAME = re.compile(
    r"secret(?!ary)|token(?!s$|s_|ize|iz_)|passw|passphrase|(?:^|_)pass$|pgpass|_pwd(?:$|_)|"
    r"credential|(?:api|private|access|signing|encryption|account|shared|master|license)_?key|"
    r"^key$|(?:^|_)auth(?:$|_)|connection_?string|(?:^|_)(?:dsn|pat|jwt|bearer|cookie)$",
    re.IGNORECASE,
)
# A value shorter than this is too likely to stand for something else, such as "1" or "true".
_LEAST_SECRET_LENGTH = 6

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # AWS access key ids: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    (re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"), MASK),
    # A secret access key or session token behind its name: env, INI, JSON, YAML, Python, XML form,
    # as an option on a command line, also with escaped quotes.
    (
        re.compile(
            r"(?i)((?:secret[_-]?access[_-]?key|(?:session|security)[_-]?token)"
            r"[\\'\"]*(?:\s*[:=>,]\s*|\s+)[\\'\"]*)[A-Za-z0-9/+=]{16,}"
        ),
        rf"\1{MASK}",
    ),
    # The password of a URL. It may hold an @ that should have been written as %40.
    (re.compile(r"(?<=://)([^/\s:@]*):[^/\s]+@"), rf"\1:{MASK}@"),
    # A password in the query of a URL, as drivers of databases take it.
    (
        re.compile(r"(?i)(?<=[?&])((?:ssl)?passw(?:or)?d|pwd|passphrase|token|secret)=[^&\s'\"]+"),
        rf"\1={MASK}",
    ),
)

# Fields whose entries a script is given, so that the name of a key says what is a secret.
_SETTINGS = ("args", "env", "hyperparameters")


def is_secret_name(name: str) -> bool:
    """Tell whether a variable of this name is taken to hold a secret."""
    return _SECRET_NAME.search(name.replace("-", "_")) is not None


class Redactor:
    """Masks known secret values and everything that looks like an AWS key in a text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= _LEAST_SECRET_LENGTH}
        # Lines of a longer secret (a private key) are masked one by one: logs are redacted by line.
        known |= {
            line.strip()
            for secret in known
            for line in secret.splitlines()
            if len(line.strip()) >= 8
        }
        longest_first = sorted(known, key=len, reverse=True)
        self._values = (
            re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        )

    @classmethod
    def for_environment(
        cls, *environments: Mapping[str, str], secrets: Iterable[str] = ()
    ) -> Redactor:
        """Return a redactor that knows ``secrets`` and the values of secret-looking variables."""
        found = [
            value for env in environments for name, value in env.items() if is_secret_name(name)
        ]
        return cls([*found, *secrets])

    def redact(self, text: str) -> str:
        """Return ``text`` with every secret masked."""
        if self._values is not None:
            text = self._values.sub(MASK, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def redact_model(self, model: M) -> M:
        """Return the model with every secret masked in its texts, in settings also by their name.

        What holds the model together stays: constants, and the fields it names in `structural`.
        """
        return model.model_copy(
            update={
                name: self._redact_value(getattr(model, name), named=name in _SETTINGS)
                for name, field in type(model).model_fields.items()
                if name not in model.structural and get_origin(field.annotation) is not Literal
            }
        )

    def _redact_value(self, value: object, named: bool = False) -> object:
        if isinstance(value, Model):
            return self.redact_model(value)
        if _is_text(value):
            return self.redact(str(value))
        if isinstance(value, dict):
            return {
                key: MASK
                if named and is_secret_name(str(key)) and _may_be_secret(item)
                else self._redact_value(item, named)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return type(value)(self._redact_value(item, named) for item in value)
        return value


def _is_text(value: object) -> bool:
    """Tell texts from enumerations, which are texts as well but not the user's."""
    return isinstance(value, str) and not isinstance(value, Enum)


def _may_be_secret(value: object) -> bool:
    """Tell texts, and numbers as long as a secret, from switches and small numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return len(str(value)) >= _LEAST_SECRET_LENGTH
    return _is_text(value)
