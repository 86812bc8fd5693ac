"""Finding and reading the project file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlvalidate.core.errors import ExitCode, UsageError
from mlvalidate.project import ProjectError, find_project_file, load_project


def test_the_file_is_found_from_a_folder_below(folder: Path, minimal: str) -> None:
    (folder / "mlvalidate.yaml").write_text(minimal)

    project = load_project(Path("scripts/lib"), {})

    assert project.project == "churn"
    assert project.root == folder.resolve()
    assert project.path("scripts/train.py").is_file()


def test_the_file_may_be_named(folder: Path, minimal: str) -> None:
    (folder / "other.yaml").write_text(minimal)

    assert find_project_file(folder / "other.yaml") == folder.resolve() / "other.yaml"
    assert load_project(folder / "other.yaml", {}).project == "churn"


def test_yml_is_found_and_yaml_goes_first(folder: Path) -> None:
    (folder / "mlvalidate.yml").touch()
    assert find_project_file(folder).name == "mlvalidate.yml"
    (folder / "mlvalidate.yaml").touch()
    assert find_project_file(folder).name == "mlvalidate.yaml"


def test_the_root_of_a_linked_file_is_the_folder_of_the_link(folder: Path, minimal: str) -> None:
    (folder / "shared").mkdir()
    (folder / "shared/churn.yaml").write_text(minimal)
    (folder / "mlvalidate.yaml").symlink_to(folder / "shared/churn.yaml")

    assert load_project(folder, {}).root == folder.resolve()


def test_no_file(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_project_file(folder / "data")

    assert caught.value.message == (
        f"no mlvalidate.yaml in {folder.resolve()}/data or any folder above it"
    )
    assert "-C" in caught.value.hint
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("absent", "absent: no such file or folder"),
        ("nul\0", "nul\0: no such file or folder"),
        ("x" * 300, f"{'x' * 300}: can't be read: File name too long"),
    ],
)
def test_a_start_that_is_not_there(folder: Path, start: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_project_file(Path(start))

    assert caught.value.message == message


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n"])
def test_an_empty_file(failure: Callable[[str], str], text: str) -> None:
    assert failure(text) == (
        "\nmlvalidate.yaml: the file is empty"
        "\n  start with `version: 1`, `project: <name>` and `steps:`\n"
    )


def test_an_unreadable_file(folder: Path, monkeypatch: pytest.MonkeyPatch, minimal: str) -> None:
    (folder / "mlvalidate.yaml").write_text(minimal)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything
    with pytest.raises(ProjectError) as caught:
        load_project(folder, {})

    assert str(caught.value) == "mlvalidate.yaml: can't be read: Permission denied"


def test_a_file_that_is_not_utf8(folder: Path) -> None:
    (folder / "mlvalidate.yaml").write_bytes("version: 1\nprojéct: ".encode() + b"caf\xe9\n")

    with pytest.raises(ProjectError) as caught:
        load_project(folder, {})

    assert str(caught.value) == (
        "mlvalidate.yaml:2:13: not UTF-8: the byte 0xe9\n  save the file as UTF-8"
    )


def test_a_byte_order_mark_and_windows_lines_are_fine(folder: Path, minimal: str) -> None:
    text = minimal.replace("\n", "\r\n")
    (folder / "mlvalidate.yaml").write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert load_project(folder, {}).steps["train"].script == "scripts/train.py"


def test_a_file_elsewhere_is_named_in_full(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mlvalidate.yaml").write_text("[]")

    with pytest.raises(ProjectError) as caught:
        load_project(elsewhere, {})

    place = elsewhere.resolve() / "mlvalidate.yaml"
    assert str(caught.value) == f"{place}:1:1: expected a mapping, found a list"


def test_a_current_folder_that_is_gone_is_no_obstacle(folder: Path, tmp_path: Path) -> None:
    (folder / "mlvalidate.yaml").write_text("[]")
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)  # the fixture's monkeypatch goes back
    gone.rmdir()

    with pytest.raises(ProjectError, match="expected a mapping"):
        load_project(folder, {})
