"""`mlvalidate server`: an MLflow server for a team, without docker."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from mlvalidate.core.errors import UsageError
from mlvalidate.core.secrets import Redactor
from mlvalidate.tracking.links import UI_HOST, UI_PORT
from mlvalidate.tracking.server import ServerOptions, running_server, stopped_by_signals
from mlvalidate.tracking.server_checks import check_artifacts, check_database
from mlvalidate.tracking.store import PASSWORD, USERNAME, Store, absolute_uri, sqlite_uri

ADMIN_NAME, ADMIN_PASSWORD = "MLFLOW_AUTH_ADMIN_USERNAME", "MLFLOW_AUTH_ADMIN_PASSWORD"
_AUTH_CONFIG, _SECRET_KEY = "MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY"
_ALLOWED_HOSTS = "MLFLOW_SERVER_ALLOWED_HOSTS"
_DEFAULT_ADMIN = "admin"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True)
class TeamServer:
    """What a team's server is started with.

    ``folder`` holds what no URI names: a SQLite database, artifacts, the users. ``auth`` asks for
    a user and a password. ``allowed_hosts`` are the names by which clients reach the server,
    separated by commas; empty leaves MLflow's own rule, which is this machine and private
    addresses.
    """

    folder: Path
    backend_uri: str = field(default="", repr=False)
    artifacts: str = ""
    host: str = UI_HOST
    port: int = UI_PORT
    workers: int = 1
    auth: bool = False
    allowed_hosts: str = ""


def run_server(team: TeamServer, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; `say` gets, once the server answers, how to use it.

    UsageError when database, artifacts, port or users are wrong, InfrastructureError when the
    server does not start.
    """
    store = _store(team)
    artifacts = _artifacts(team)
    if team.auth:
        _check_users(team, store, os.environ)
    check_database(store)
    check_artifacts(artifacts)
    hosts = {_ALLOWED_HOSTS: _with_ports(team.allowed_hosts)} if team.allowed_hosts else {}
    with stopped_by_signals(), _users(team, store) as users:
        options = ServerOptions(
            store.uri,
            artifacts,
            team.host,
            team.port,
            team.workers,
            app_name="basic-auth" if team.auth else "",
            environ={**users, **hosts},
        )
        with running_server(options) as server:
            say(_how_to_use(options, store, team))
            server.wait()


def _store(team: TeamServer) -> Store:
    """Return the database; the folder of one on this disk is made."""
    if team.backend_uri:
        uri = absolute_uri(team.backend_uri, Path.cwd())
    else:
        uri = sqlite_uri(team.folder / "mlflow.db")
    store = Store(uri, None, "", False)
    if store.scheme != "sqlite" and not store.is_database:
        raise UsageError(
            f"{store.shown_uri!r} is no database that an MLflow server can keep its runs in",
            hint="Write postgresql://user:password@host/database or sqlite:///folder/mlflow.db.",
        )
    if store.local_path is not None:
        _make(store.local_path.parent)
    return store


def _artifacts(team: TeamServer) -> str:
    if _URL.match(team.artifacts):
        return team.artifacts
    folder = Path(team.artifacts).expanduser() if team.artifacts else team.folder / "artifacts"
    _make(folder)
    return str(folder.resolve())


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"can't make the folder {folder}: {error.strerror}") from None


def _check_users(team: TeamServer, store: Store, environ: Mapping[str, str]) -> None:
    if find_spec("flask_wtf") is None:
        raise UsageError(
            "--auth needs the package Flask-WTF",
            hint="Install it with: pip install 'mlvalidate[server]'",
        )
    known = environ.get(_AUTH_CONFIG) or store.is_database or _users_file(team).exists()
    if not known and not environ.get(ADMIN_PASSWORD):
        raise UsageError(
            "--auth needs a password for the first user",
            hint=f"Set {ADMIN_PASSWORD}, of at least 12 characters, and {ADMIN_NAME} if it shall "
            f"not be {_DEFAULT_ADMIN!r}. Both count on the first start only.",
        )


def _users_file(team: TeamServer) -> Path:
    return team.folder / "users.db"


@contextmanager
def _users(team: TeamServer, store: Store) -> Iterator[dict[str, str]]:
    """Yield the server's variables for its users; a file that may hold a password is then gone.

    Users are in the same PostgreSQL database as the runs, or in a file in the folder. A team works
    in the same experiments: so everybody may write, unless a file of the user's says otherwise.
    """
    if not team.auth:
        yield {}
        return
    # One process serves, so nobody else needs to know the key; signing in again is all it costs.
    environ = {} if os.environ.get(_SECRET_KEY) else {_SECRET_KEY: secrets.token_hex(32)}
    if os.environ.get(_AUTH_CONFIG):
        yield environ
        return
    if not store.is_database:
        _make(team.folder)
    uri = store.uri if store.is_database else sqlite_uri(_users_file(team))
    with tempfile.TemporaryDirectory(prefix="mlvalidate-server-") as folder:
        config = Path(folder, "users.ini")
        config.touch(mode=0o600)
        # A percent sign is an interpolation in such files.
        lines = [
            "[mlflow]",
            "default_permission = EDIT",
            f"database_uri = {uri.replace('%', '%%')}",
        ]
        # Passwords are hashed so slowly that a run of 20 steps would take seconds longer.
        lines += [f"admin_username = {_DEFAULT_ADMIN}", "auth_cache_ttl_seconds = 60"]
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield {**environ, _AUTH_CONFIG: str(config)}


def _with_ports(names: str) -> str:
    """Return MLflow's patterns for host names: it compares a name together with its port."""
    given = [name.strip() for name in names.split(",") if name.strip()]
    hosts = [*given, *(name for name in ("localhost", "127.0.0.1") if name not in given)]
    return ",".join(part for host in hosts for part in _patterns(host))


def _patterns(host: str) -> tuple[str, ...]:
    return (host,) if ":" in host or host == "*" else (host, f"{host}:*")


def _how_to_use(options: ServerOptions, store: Store, team: TeamServer) -> str:
    lines = [
        f"MLflow {version('mlflow')} at {options.address}",
        f"  database:  {store.shown_uri}",
        f"  artifacts: {Redactor().redact(options.artifacts)}",
        "record to it with",
        f"  export MLFLOW_TRACKING_URI={options.address}",
    ]
    if team.auth:
        lines += [f"  export {USERNAME}=...  {PASSWORD}=..."]
    if team.host not in ("127.0.0.1", "localhost", "::1"):
        names = team.allowed_hosts or "a private address; names need --allowed-hosts"
        lines += [f"other machines reach it by {names}"]
    return "\n".join([*lines, "Ctrl-C stops it"])
