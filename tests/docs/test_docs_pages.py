"""Links, commands and project files in the pages."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml
from docs_pages import DOCS, ROOT, all_pages, anchors, refresh, without_code

from mlvalidate.project import load_project

PAGES = all_pages()
_PROJECT = re.compile(
    r"<!-- project -->\n(?:<!-- file: \S+ -->\n)?\n*```yaml\n(?P<text>.*?)```", re.DOTALL
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} in {name_of(page)}"
        if fragment:
            assert fragment in anchors(target), f"{link} in {name_of(page)}"


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_every_page_is_linked_from_the_map_or_the_readme(page: Path) -> None:
    if page.name == "index.md":
        return
    linked = {
        (source.parent / link.partition("#")[0]).resolve()
        for source in (DOCS / "index.md", ROOT / "README.md")
        for link in _LINK.findall(source.read_text(encoding="utf-8"))
    }
    assert page in linked


@pytest.mark.parametrize(
    "command",
    [
        "pip install uv && uv run mlvalidate test-pipeline -C examples/churn",
        "pip install uv && uv run pytest",
    ],
)
def test_readme_holds_the_two_commands(command: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```\n{command}\n```" in text


def test_every_block_has_a_recipe_and_every_recipe_a_block() -> None:
    refresh.add_help_recipes()
    shown = [name for page in PAGES for name, _ in refresh.blocks(page.read_text(encoding="utf-8"))]
    assert set(shown) == set(refresh.RECIPES)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_holds_output_and_no_path_of_the_machine_that_made_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("<!-- output:") == text.count("<!-- end -->") == len([*refresh.blocks(text)])
    for name, body in refresh.blocks(text):
        assert len(body.splitlines()) > 3, name
    assert str(ROOT) not in text
    assert "Traceback" not in without_code(text)


def project_files() -> list[object]:
    return [
        pytest.param(match["text"], id=f"{name_of(page)}-{number}")
        for page in PAGES
        for number, match in enumerate(_PROJECT.finditer(page.read_text(encoding="utf-8")))
    ]


@pytest.mark.parametrize("text", project_files())
def test_project_files_load(text: str, tmp_path: Path) -> None:
    (tmp_path / "mlvalidate.yaml").write_text(text)
    content = yaml.safe_load(text)
    for step in content["steps"].values():
        if "script" in step:
            name = step["script"]
        elif "module" in step:
            name = f"{step.get('code_root', '.')}/{step['module'].replace('.', '/')}.py"
        else:
            continue
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert load_project(tmp_path, {}).project == content["project"]


def fragments() -> list[object]:
    """Return the YAML blocks that are part of a project file: each is a mapping of its keys."""
    text = (DOCS / "project-file.md").read_text(encoding="utf-8")
    found = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    whole = {match["text"] for match in _PROJECT.finditer(text)}
    return [pytest.param(block, id=block[:20]) for block in found if block not in whole]


@pytest.mark.parametrize("text", fragments())
def test_parts_of_project_files_load(text: str, tmp_path: Path) -> None:
    # PyYAML reads YAML 1.1, in which `on` is true.
    content = yaml.safe_load(text.replace(" on:", ' "on":'))
    if content is None:  # a comment for editors
        return
    script = {"script": "script.py", "outputs": {"report": {}}}
    if "metrics" in content:
        content = {"steps": {"step": {**script, **content}}}
    content.pop("gates", None)  # they are about the steps of another project
    project = {"version": 1, "project": "part", "steps": {"step": script}, **content}
    for name in ("script.py", "data/customers.parquet", ".venv/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch(mode=0o755)
    (tmp_path / "mlvalidate.yaml").write_text(yaml.safe_dump(project))
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/features.yaml").write_text("columns: {spend: {dtype: float64}}\n")
    assert load_project(tmp_path, {}).project == "part"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_the_pages_is_python(page: Path) -> None:
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        compile(textwrap.dedent(code), name_of(page), "exec")
