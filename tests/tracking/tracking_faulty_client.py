"""An MLflow client that dies at a chosen call, as a process does that is killed there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlvalidate.tracking.gateway import Gateway


class Killed(BaseException):
    """The process is gone: no handler of the recorder sees this."""


class DyingClient:
    """Passes calls on to a real client, until the one with the number `last` (from 0).

    That call is carried out first when `after` is true, as when its answer is lost.
    """

    def __init__(self, client: Any, last: int, after: bool) -> None:
        self._client = client
        self._last = last
        self._after = after
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            number = self.calls
            self.calls += 1
            if number == self._last and not self._after:
                raise Killed
            answer = method(*args, **kwargs)
            if number == self._last:
                raise Killed
            return answer

        return call


def dying_gateway(gateway: Gateway, last: int, after: bool) -> tuple[Gateway, DyingClient]:
    """Return a gateway to the same experiment whose client dies."""
    client = DyingClient(gateway._client, last, after)
    return Gateway(client, gateway.store, gateway.experiment_id), client  # type: ignore[arg-type]
