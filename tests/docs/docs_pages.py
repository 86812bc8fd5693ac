"""The pages, and `docs/refresh.py` as a module: `docs` is no package."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def _load_refresh() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_refresh", DOCS / "refresh.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


refresh = _load_refresh()


def all_pages() -> list[Path]:
    """Return every markdown page that users read."""
    return [*refresh.pages(), ROOT / "CHANGELOG.md", ROOT / "examples" / "churn" / "README.md"]


def read(name: str) -> str:
    """Return a page of the documentation."""
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next heading of whatever level."""
    found = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.DOTALL | re.MULTILINE
    )
    assert found, f"there is no heading {heading!r}"
    return re.sub(r"^```.*?^```", "", found[1], flags=re.DOTALL | re.MULTILINE)


def first_table(text: str) -> str:
    """Return the first table of a text."""
    found = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert found
    return found[0]


def table_keys(text: str) -> set[str]:
    """Return the names in code in the first cells of all tables of a text."""
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def without_code(text: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchor(heading: str) -> str:
    """Return the anchor that GitHub and mkdocs make of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return every anchor of a page."""
    text = without_code(page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {*map(anchor, headings), *re.findall(r'<a id="([^"]+)">', text)}
