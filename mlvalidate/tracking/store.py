"""Which MLflow store a project records to. Nothing here imports mlflow: the CLI reads it at start.

`MLFLOW_TRACKING_URI` wins over `tracking.uri`, which wins over a SQLite file in the project's
state folder. Every path becomes absolute here, because MLflow resolves a relative one against
whatever the working directory is at the time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.secrets import Redactor

_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?P<path>[^?]*)(?P<query>\?.*)?", re.IGNORECASE)
_SCHEME = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9+.-]*):")
# A tracking server, or one of the newer apps, which need no instance.
SAGEMAKER_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]+):[0-9]+:"
    r"(?P<kind>mlflow-tracking-server|mlflow-app)/(?P<name>[A-Za-z0-9-]+)"
)
_DATABASES = ("postgresql", "mysql", "mssql", "oracle")
# MLflow's own: https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth
USERNAME, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
# These have no colon, and still are no folder.
_DATABRICKS = ("databricks", "databricks-uc", "uc")


@dataclass(frozen=True)
class Store:
    """An MLflow tracking store and the experiment in it.

    `artifact_root` is where a new experiment keeps its artifacts; None leaves it to the server.
    `uri` may hold a password: print `shown_uri`.
    """

    uri: str = field(repr=False)
    artifact_root: str | None
    experiment: str
    is_local_default: bool

    @property
    def shown_uri(self) -> str:
        """The URI without a password, for messages."""
        return Redactor().redact(self.uri)

    @property
    def scheme(self) -> str:
        """The scheme of the URI in small letters, without a driver: `http`, `sqlite`, `arn`."""
        match = _SCHEME.match(self.uri)
        return match["name"].lower().partition("+")[0] if match else self.uri

    @property
    def is_http(self) -> bool:
        """Tell whether an MLflow server with a UI answers at the URI."""
        return self.scheme in ("http", "https")

    @property
    def is_database(self) -> bool:
        """Tell whether the store is a database on a server, without MLflow in front of it."""
        return self.scheme in _DATABASES

    @property
    def needs_ui(self) -> bool:
        """Tell whether `mlvalidate ui` has to be started to look at the store."""
        return self.scheme in ("sqlite", "file", *_DATABASES)

    @property
    def local_path(self) -> Path | None:
        """The database file or the folder of a store on this disk, None for any other."""
        if match := _SQLITE.fullmatch(self.uri):
            return Path(unquote(match["path"]))
        if self.scheme == "file":
            return Path(unquote(urlsplit(self.uri).path))
        return None

    @property
    def web_address(self) -> str:
        """The address of the UI of an http store, without user and password; else empty."""
        if not self.is_http:
            return ""
        parts = urlsplit(self.uri)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))

    @property
    def client_uri(self) -> str:
        """The URI as MLflow's client is given it: without user and password where it is http."""
        return self.web_address or self.uri

    @property
    def credentials(self) -> dict[str, str]:
        """MLflow's variables for the user and the password that an http URI names."""
        parts = urlsplit(self.uri)
        if not self.is_http or "@" not in parts.netloc:
            return {}
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        return {USERNAME: unquote(user), PASSWORD: unquote(password)}

    @property
    def key(self) -> str:
        """A short digest that tells stores apart in a progress log, without their secrets."""
        return hashlib.sha256(f"{self.shown_uri}\n{self.experiment}".encode()).hexdigest()[:12]


def resolve_store(project: Project, environ: Mapping[str, str]) -> Store:
    """Return the store that the environment, the project file or the default names.

    Paths in the environment are relative to the working directory, those of the project file to
    the project. UsageError when the URI can't hold a record.
    """
    experiment = (
        environ.get("MLFLOW_EXPERIMENT_NAME") or project.tracking.experiment or project.project
    )
    given = (environ.get("MLFLOW_TRACKING_URI") or "").strip()
    declared = (project.tracking.uri or "").strip()
    if not given and not declared:
        return Store(
            uri=sqlite_uri(project.state_folder / "mlflow.db"),
            artifact_root=_artifact_location(project.state_folder / "artifacts"),
            experiment=experiment,
            is_local_default=True,
        )
    uri = absolute_uri(given, Path.cwd()) if given else absolute_uri(declared, project.root)
    store = Store(uri=uri, artifact_root=None, experiment=experiment, is_local_default=False)
    root = environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") or _default_root(store, project)
    return Store(uri=uri, artifact_root=root, experiment=experiment, is_local_default=False)


def _default_root(store: Store, project: Project) -> str | None:
    """Return where artifacts go; MLflow's own default for a bare database follows the cwd."""
    if store.scheme == "sqlite" and store.local_path is not None:
        return _artifact_location(store.local_path.parent / "mlartifacts")
    if store.scheme in _DATABASES:
        return _artifact_location(project.state_folder / "artifacts")
    return None


def absolute_uri(uri: str, base: Path) -> str:
    """Return the URI with its path, if it has one on this disk, made absolute."""
    if uri.lower().startswith("sqlite"):
        match = _SQLITE.fullmatch(uri)
        if match is None or match["path"] in ("", ":memory:"):
            raise UsageError(
                f"tracking URI {Redactor().redact(uri)!r} names no database file",
                hint="Write sqlite:///folder/mlflow.db, or sqlite:////absolute/mlflow.db.",
            )
        return sqlite_uri(base / unquote(match["path"])) + (match["query"] or "")
    if uri.lower().startswith("file:"):
        return (base / unquote(_file_path(uri))).resolve().as_uri()
    if uri.startswith("arn:") and not SAGEMAKER_ARN.fullmatch(uri):
        raise UsageError(
            f"tracking URI {uri!r} is no ARN of an MLflow tracking server of SageMaker",
            hint="Such an ARN is arn:aws:sagemaker:REGION:ACCOUNT:mlflow-tracking-server/NAME, or "
            "ends in mlflow-app/ID.",
        )
    if _SCHEME.match(uri) or uri in _DATABRICKS:
        return uri.rstrip("/")
    return (base / Path(uri).expanduser()).resolve().as_uri()


def _file_path(uri: str) -> str:
    """Return the path in `file:relative`, `file:///absolute` or `file://localhost/absolute`."""
    rest = uri[len("file:") :]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        return slash + path if host in ("", "localhost") else rest[2:]
    return rest


def sqlite_uri(path: Path) -> str:
    # Jenkins names workspaces "feature%2Fx". SQLAlchemy decodes what looks like an escape, and
    # takes a question mark for the start of the options.
    text = str(path.resolve()).replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{text}"


def _artifact_location(path: Path) -> str:
    text = str(path.resolve())
    return path.resolve().as_uri() if "%" in text else text
