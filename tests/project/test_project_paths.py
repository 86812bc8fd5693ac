"""Scripts, modules, samples and interpreters that exist, inside the project."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlvalidate.core.contracts import Project

Load = Callable[..., Project]
Failure = Callable[..., str]


def step(keys: str) -> str:
    return f"version: 1\nproject: churn\nsteps:\n  s: {{{keys}}}\n"


OUTSIDE = "relative paths stay inside it; an absolute path may point anywhere"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "script: scripts/trian.py",
            "steps.s.script: there is no file 'scripts/trian.py'\n"
            "  did you mean 'scripts/train.py'?",
        ),
        (
            "script: script/train.py",
            "steps.s.script: there is no file 'script/train.py'\n"
            "  did you mean 'scripts/train.py'?",
        ),
        ("script: quux.sh", "steps.s.script: there is no file 'quux.sh'"),
        ("script: scripts", "steps.s.script: there is no file 'scripts'\n  that is a folder"),
        ("script: data/customers.csv/x", "steps.s.script: there is no file "
         "'data/customers.csv/x'"),
        ("script: ../outside.py", f"steps.s.script: '../outside.py' leaves the project's folder\n"
         f"  {OUTSIDE}"),
        ("script: link/train.py", f"steps.s.script: 'link/train.py' leaves the project's folder\n"
         f"  {OUTSIDE}"),
        ("script: loop/train.py", "steps.s.script: there is no file 'loop/train.py'"),
        ("script: ~/train.py", "steps.s.script: ~ is not expanded in '~/train.py'\n"
         "  write the whole path, or start it with ${HOME}"),
        ("script: /absent/train.py", "steps.s.script: there is no file '/absent/train.py'"),
        ('script: "nul\\0.py"', "steps.s.script: there is no file 'nul\\x00.py'"),
        (f"script: {'x' * 300}", f"steps.s.script: there is no file '{'x' * 300}'"),
    ],
)  # fmt: skip
def test_scripts(failure: Failure, folder: Path, tmp_path: Path, keys: str, message: str) -> None:
    (tmp_path / "outside.py").touch()
    (tmp_path / "train.py").touch()
    (folder / "link").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")

    assert failure(step(keys)) == f"\nmlvalidate.yaml:4:15: {message}\n"


def test_absolute_paths_and_links_inside_are_allowed(
    load: Load, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.py"
    outside.touch()
    (folder / "alias").symlink_to(folder / "scripts")

    assert load(step(f"script: {outside}")).steps["s"].script == str(outside)
    assert load(step("script: alias/../scripts/train.py"))
    assert load(step('script: "${HOME}/outside.py"'), {"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("keys", "column", "message"),
    [
        ("module: scripts.trian", 15, "module: there is no module 'scripts.trian' "
         "below the project's folder\n  did you mean 'scripts.train'?"),
        ("module: lib.score", 15, "module: there is no module 'lib' below the project's folder\n"
         "  `code_root` names the folder that the module is imported from"),
        ("module: scripts.lbi.score", 15, "module: there is no module 'scripts.lbi' below "
         "the project's folder\n  did you mean 'scripts.lib'?"),
        ("module: lib.quux, code_root: scripts", 15, "module: there is no module 'lib.quux' "
         "below 'scripts'"),
        ("module: scripts.lib", 15, "module: the package 'scripts.lib' has no __main__.py"),
        ("module: scripts.lib, kind: callable", 15,
         "module: the package 'scripts.lib' has no __init__.py"),
        ("module: scripts/train.py", 15, "module: expected a module such as package.module, "
         "found 'scripts/train.py'\n  for a file use `script`"),
        ("module: a..b", 15, "module: expected a module such as package.module, found 'a..b'"),
        ("module: train, code_root: script", 33, "code_root: there is no folder 'script'\n"
         "  did you mean 'scripts'?"),
        ("module: train, code_root: data/customers.csv", 33,
         "code_root: there is no folder 'data/customers.csv'\n  that is a file"),
        ("module: train, code_root: ..", 33,
         f"code_root: '..' leaves the project's folder\n  {OUTSIDE}"),
    ],
)  # fmt: skip
def test_modules(failure: Failure, keys: str, column: int, message: str) -> None:
    assert failure(step(keys)) == f"\nmlvalidate.yaml:4:{column}: steps.s.{message}\n"


def test_modules_that_can_run(load: Load, folder: Path) -> None:
    (folder / "scripts/lib/__main__.py").touch()
    (folder / "scripts/lib/__init__.py").touch()

    assert load(step("module: scripts.train"))
    assert load(step("module: lib.score, code_root: scripts"))
    assert load(step("module: lib, code_root: scripts"))
    assert load(step("module: lib, code_root: scripts, kind: callable"))


def test_samples(failure: Failure) -> None:
    text = """\
        version: 1
        project: churn
        datasets:
          file_sample: {sample: data/customers.csv, columns: {id: {type: integer}}}
          folder_sample: {sample: data, columns: {id: {type: integer}}}
          absent: {sample: data/customer.csv, columns: {id: {type: integer}}}
        steps:
          s:
            script: scripts/train.py
            inputs:
              a: {sample: data}
              b: {sample: dta/customers.csv}
            outputs:
              c: {sample: ../x}
        """

    assert (
        failure(text)
        == f"""
mlvalidate.yaml:6:20: datasets.absent.sample: there is no file or folder 'data/customer.csv'
  did you mean 'data/customers.csv'?
mlvalidate.yaml:12:19: steps.s.inputs.b.sample: there is no file or folder 'dta/customers.csv'
  did you mean 'data/customers.csv'?
mlvalidate.yaml:14:19: steps.s.outputs.c.sample: '../x' leaves the project's folder
  {OUTSIDE}
"""
    )


def test_interpreters_that_can_start(load: Load, folder: Path) -> None:
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    environ = {"PATH": f"/absent:{folder}/.venv/bin"}

    for python in (".venv/bin/python", "python", sys.executable, "./.venv/../.venv/bin/python"):
        text = step(f"script: scripts/train.py, python: {python}")
        assert load(f"{text}defaults: {{python: {python}}}\n", environ)


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ("python9", "there is no 'python9' on PATH\n"
         "  for a file in the project write ./ before its name"),
        ('""', "there is no '' on PATH\n  for a file in the project write ./ before its name"),
        ('"nul\\0"', "there is no 'nul\\x00' on PATH\n"
         "  for a file in the project write ./ before its name"),
        (".vnv/bin/python", "there is no interpreter '.vnv/bin/python'\n"
         "  did you mean '.venv/bin/python'?"),
        (".venv/bin", "there is no interpreter '.venv/bin'\n  that is a folder"),
        (".venv/bin/python", "'.venv/bin/python' is not executable\n  chmod +x .venv/bin/python"),
        ("../bin/python", f"'../bin/python' leaves the project's folder\n  {OUTSIDE}"),
        ("bin/../..", f"'bin/../..' leaves the project's folder\n  {OUTSIDE}"),
        ("~/bin/python", "~ is not expanded in '~/bin/python'\n"
         "  write the whole path, or start it with ${HOME}"),
    ],
)  # fmt: skip
def test_interpreters_that_cannot_start(
    failure: Failure, minimal: str, folder: Path, python: str, message: str
) -> None:
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").touch(mode=0o644)

    (folder / "old").symlink_to("/absent")

    assert failure(f"{minimal}    python: {python}\n", {"PATH": "/absent"}) == (
        f"\nmlvalidate.yaml:8:13: steps.train.python: {message}\n"
    )
    assert failure(f"{minimal}defaults: {{python: {python}}}\n", {"PATH": "/absent"}) == (
        f"\nmlvalidate.yaml:8:20: defaults.python: {message}\n"
    )
