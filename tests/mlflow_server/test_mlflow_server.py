"""The files of `mlflow_server/`, as far as they can be tested without docker."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlvalidate.cli.commands.server import command

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "mlflow_server"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)(?P<rest>:[-?][^}]*)?\}")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    assert set(compose["volumes"]) == {"postgres", "artifacts"}
    return dict(compose["services"])


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that the script writes."""
    folder = tmp_path_factory.mktemp("server")
    script = Path(shutil.copy(FOLDER / "make_env.sh", folder))
    subprocess.run(["sh", script], check=True, capture_output=True)
    return folder / ".env"


def test_images_are_pinned(services: dict[str, Any]) -> None:
    images = [service["image"] for service in services.values() if "image" in service]
    images += re.findall(r"^FROM (\S+)", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    assert len(images) == 4
    for image in images:
        assert re.search(r":(\d+\.\d+|RELEASE\.\d{4})", image), image


def test_what_runs_is_watched_and_restarted(services: dict[str, Any]) -> None:
    for name in ("postgres", "storage", "mlflow"):
        assert services[name]["healthcheck"]["test"][0] == "CMD"
        assert services[name]["restart"] == "unless-stopped"
    waits = services["mlflow"]["depends_on"]
    assert waits["postgres"]["condition"] == "service_healthy"
    assert waits["bucket"]["condition"] == "service_completed_successfully"
    assert services["bucket"]["depends_on"]["storage"]["condition"] == "service_healthy"


def test_only_mlflow_is_reached_and_from_this_machine(services: dict[str, Any]) -> None:
    assert [name for name in services if "ports" in services[name]] == ["mlflow"]
    assert services["mlflow"]["ports"] == ["${MLFLOW_LISTEN:-127.0.0.1:5000}:5000"]


def test_every_variable_is_written_by_the_script_or_has_a_default(env: Path) -> None:
    written = dict(line.split("=", 1) for line in env.read_text().splitlines() if "=" in line)
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    used = {match["name"]: match["rest"] or "" for match in VARIABLE.finditer(text)}
    lacking = {name for name in used if name not in written}
    assert lacking == {"MLFLOW_LISTEN"}
    assert set(written) <= set(used)
    secrets = [value for name, value in written.items() if re.search("PASSWORD|SECRET", name)]
    assert len(set(secrets)) == 4
    assert all(re.fullmatch("[0-9a-f]{48}", secret) for secret in secrets)
    assert env.stat().st_mode & 0o777 == 0o600


def test_the_script_never_overwrites(env: Path) -> None:
    before = env.read_text()
    again = subprocess.run(
        ["sh", env.with_name("make_env.sh")], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1
    assert "is left as it is" in again.stderr
    assert env.read_text() == before


def test_no_secret_is_in_git() -> None:
    assert ".env" in (FOLDER / ".gitignore").read_text().split()


def test_mlflow_is_started_with_options_that_exist(services: dict[str, Any]) -> None:
    mlflow = services["mlflow"]
    context = command.make_context("server", list(mlflow["command"]))
    assert context.params["auth"] is True
    assert context.params["host"] == "0.0.0.0"
    read = {param.envvar for param in command.params if getattr(param, "envvar", None)}
    assert read <= set(mlflow["environment"])


def test_the_image_gets_what_it_is_built_from(services: dict[str, Any]) -> None:
    build = services["mlflow"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).resolve() == FOLDER / "Dockerfile"
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        name for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for name in line.split()
    }
    let_in = set(
        re.findall(r"^!(\S+)$", (FOLDER / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    )
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def test_links_of_the_readme() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert links
    assert all((FOLDER / link.partition("#")[0]).exists() for link in links)
