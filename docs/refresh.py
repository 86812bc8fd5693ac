"""Runs what README and docs show, and puts the real output between the markers.

    python docs/refresh.py              every block
    python docs/refresh.py NAME ...     only these

A block begins with `<!-- output: NAME -->` and ends with `<!-- end -->`; its text comes from the
recipe of that name below. Files that the pages ask a reader to write stand in the pages, each
behind `<!-- file: NAME -->`: they are taken from there, so that pages and output can't disagree.

Everything runs in a temporary folder. Its path, the checkout's and the home folder's become
/home/you/...; nothing else of the output is changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
HELP_WIDTH = 80

_BLOCK = re.compile(r"(<!-- output: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
_FILE = re.compile(r"<!-- file: (?P<name>\S+) -->\n+```\w*\n(?P<text>.*?)```", re.DOTALL)
_FINDINGS = DOCS / "reference" / "findings.md"
_HINTS = DOCS / "reference" / "hints.md"
# What would make the output differ from that of a reader.
_NOT_PASSED_ON = ("CI", "GITHUB_ACTIONS", "FORCE_COLOR", "COLUMNS", "PYTHONPATH")


def pages() -> list[Path]:
    """Return README and every page of the documentation."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def files_of(page: Path) -> dict[str, str]:
    """Return the files that a page asks its reader to write."""
    return {match["name"]: match["text"] for match in _FILE.finditer(page.read_text())}


def help_text(command: str) -> str:
    """Return the help of a command, or of `mlvalidate` itself for an empty name."""
    import click

    from mlvalidate.cli.group import cli

    # Click keeps the help option that the first context asks for: ask as the command line does.
    options = {
        **cli.context_settings,
        "terminal_width": HELP_WIDTH,
        "max_content_width": HELP_WIDTH,
    }
    root = click.Context(cli, info_name="mlvalidate", **options)  # type: ignore[arg-type]
    if not command:
        return cli.get_help(root)
    found = cli.get_command(root, command)
    assert found is not None
    return found.get_help(click.Context(found, root, command, **options))  # type: ignore[arg-type]


class Lab:
    """A temporary folder in which commands run as a reader would run them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def churn(self) -> Path:
        """The folder that holds `examples/churn`, as the root of the checkout does."""
        ignore = shutil.ignore_patterns(".mlvalidate", "__pycache__")
        shutil.copytree(ROOT / "examples", self.root / "examples", ignore=ignore)
        return self.root

    @cached_property
    def broken(self) -> Path:
        """A folder with a copy of the example in which a script renames a column."""
        shutil.copytree(self.churn / "examples" / "churn", self.root / "broken")
        shutil.rmtree(self.root / "broken" / ".mlvalidate", ignore_errors=True)
        edit(self.root / "broken/scripts/evaluate.py", '"score": scores', '"probability": scores')
        return self.root

    @cached_property
    def quickstart(self) -> Path:
        """The project of the quick start."""
        return write_files(self.root / "quickstart", files_of(DOCS / "quickstart.md"))

    @cached_property
    def changed(self) -> Path:
        """The quick start under git, run before a change and after."""
        folder = write_files(self.root / "history/quickstart", files_of(DOCS / "quickstart.md"))
        git = "git -c user.name=you -c user.email=you@example.com"
        (folder / ".gitignore").write_text(".mlvalidate/\n")
        self.run(f"git init -q -b main && git add . && {git} commit -qm 'First version'", folder)
        self.run("mlvalidate test-pipeline", folder)
        for before, after in (
            ('orders["amount"].fillna(0)', 'orders["amount"].fillna(0) * 100'),
            ("dt.dayofweek,", "dt.dayofweek.astype(float),"),
        ):
            edit(folder / "prepare.py", before, after)
        edit(folder / "mlvalidate.yaml", "smoothing: 1.0", "smoothing: 50.0")
        self.run(f"{git} commit -qam 'Count in cents'", folder)
        self.run("mlvalidate test-pipeline", folder)
        return folder

    @cached_property
    def gated(self) -> Path:
        """The quick start with its runs and gates on history, and a column more."""
        folder = self.root / "gated/quickstart"
        shutil.copytree(self.changed, folder)
        gates = (DOCS / "baselines.md").read_text().partition("```yaml\n")[2].partition("```")[0]
        with (folder / "mlvalidate.yaml").open("a") as file:
            file.write(gates)
        returned = '"returned": orders["returned"],'
        month = '"month": pd.to_datetime(orders["placed"]).dt.month,'
        edit(folder / "prepare.py", returned, f"{returned}\n        {month}")
        return folder

    @cached_property
    def prices(self) -> Path:
        """The project whose inputs are explored."""
        return write_files(self.root / "prices", files_of(DOCS / "scenarios.md"))

    @cached_property
    def pairs(self) -> Path:
        """The project whose step grows with the square."""
        return write_files(self.root / "pairs", files_of(DOCS / "growth.md"))

    @cached_property
    def nightly(self) -> Path:
        """The project whose step takes longer since its last commit, with its runs."""
        folder = write_files(self.root / "nightly", files_of(DOCS / "trends.md"))
        commit = "git add . && git -c user.name=you -c user.email=you@example.com commit -qm"
        runs = "for n in 1 2 3 4 5 6; do mlvalidate test-pipeline -q --no-cache; done"
        self.run(f"git init -qb main . && {commit} 'Fit' && {runs}", folder)
        edit(folder / "fit.py", "sleep(0.2)", "sleep(0.3)")
        self.run(f"{commit} 'Fit longer' && {runs}", folder)
        return folder

    @cached_property
    def sees(self) -> Path:
        """The project that shows what a script sees."""
        return write_files(self.root / "look", files_of(DOCS / "how-a-step-runs.md"))

    @cached_property
    def plugin(self) -> Path:
        """The project and the plugin of the page on plugins."""
        folder = write_files(self.root / "plugin", files_of(DOCS / "writing-a-plugin.md"))
        offer_plugin(folder)
        return folder

    def run(self, command: str, folder: Path, **environment: str) -> str:
        """Run a shell command and return it with all that it printed."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env={**_environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=600,
            check=False,
        )
        if "internal error" in done.stdout or "Traceback" in done.stdout:
            raise RuntimeError(f"{command} is broken:\n{done.stdout}")
        lines = [line.rstrip() for line in self._neutral(done.stdout).splitlines()]
        return "\n".join([f"$ {command}", *lines])

    def _neutral(self, text: str) -> str:
        for path in (self.root, ROOT):
            text = text.replace(str(path), "/home/you/mlvalidate")
        return re.sub(rf"(?<![\w/]){re.escape(str(Path.home()))}(?!\w)", "/home/you", text)


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_PASSED_ON and not name.startswith(("MLFLOW_", "MLVALIDATE_"))
    }
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    # Reports would still be rendered when the folder of the example is gone.
    quiet = {"MLVALIDATE_REPORTS": "none"}
    return {**kept, **quiet, "PATH": path, "NO_COLOR": "1", "TERM": "dumb"}


def write_files(folder: Path, files: dict[str, str]) -> Path:
    """Write the files of a page into a folder and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def edit(path: Path, before: str, after: str) -> None:
    """Replace a text that occurs in a file."""
    text = path.read_text()
    assert before in text, f"{path} does not hold {before!r}"
    path.write_text(text.replace(before, after))


def offer_plugin(folder: Path) -> None:
    """Make the plugin in a folder known to whoever has the folder on PYTHONPATH.

    This is what an installation would leave: its metadata with the entry point.
    """
    metadata = folder / "one_class-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: one-class\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[mlvalidate]\none_class = one_class\n")


RECIPES: dict[str, Callable[[Lab], str]] = {}


def _recipe(name: str) -> Callable[[Callable[[Lab], str]], Callable[[Lab], str]]:
    def keep(function: Callable[[Lab], str]) -> Callable[[Lab], str]:
        RECIPES[name] = cache(function)
        return function

    return keep


@_recipe("test-pipeline")
def _passing(lab: Lab) -> str:
    return lab.run("mlvalidate test-pipeline -C examples/churn", lab.churn)


@_recipe("broken")
def _broken(lab: Lab) -> str:
    return lab.run("mlvalidate test-pipeline -C broken", lab.broken)


@_recipe("explore")
def _explore(lab: Lab) -> str:
    return lab.run("mlvalidate test-script prepare --explore 50", lab.prices)


@_recipe("quickstart-plan")
def _plan(lab: Lab) -> str:
    # Before the first run, whichever recipe comes first: nothing is there to be reused.
    fresh = write_files(lab.root / "first-look" / "quickstart", files_of(DOCS / "quickstart.md"))
    return lab.run("mlvalidate test-pipeline --dry-run", fresh)


@_recipe("quickstart-run")
def _run(lab: Lab) -> str:
    return lab.run("mlvalidate test-pipeline", lab.quickstart)


@_recipe("quickstart-broken")
def _rename(lab: Lab) -> str:
    RECIPES["quickstart-run"](lab)
    script = lab.quickstart / "prepare.py"
    edit(script, '"amount": orders', '"amt": orders')
    shown = lab.run("mlvalidate test-pipeline", lab.quickstart)
    edit(script, '"amt": orders', '"amount": orders')
    return shown


@_recipe("quickstart-gate")
def _gate(lab: Lab) -> str:
    RECIPES["quickstart-run"](lab)
    project = lab.quickstart / "mlvalidate.yaml"
    before = project.read_text()
    project.write_text(before + '\ngates:\n  - "train.mean_error <= 0.2"\n')
    shown = lab.run("mlvalidate test-pipeline", lab.quickstart)
    project.write_text(before)
    return shown


@_recipe("quickstart-typo")
def _typo(lab: Lab) -> str:
    project = lab.quickstart / "mlvalidate.yaml"
    before = project.read_text()
    project.write_text(before.replace("    hyperparameters:", "    hyperparameter:"))
    shown = lab.run("mlvalidate list", lab.quickstart)
    project.write_text(before)
    return shown


@_recipe("quickstart-script")
def _script(lab: Lab) -> str:
    return lab.run("mlvalidate test-script train --rows 50", lab.quickstart)


@_recipe("quickstart-search")
def _search(lab: Lab) -> str:
    for name in ("quickstart-run", "quickstart-broken", "quickstart-gate"):
        RECIPES[name](lab)
    # Nobody has waited for the record of a run in which all steps were reused.
    lab.run("mlvalidate sync", lab.quickstart)
    write_files(lab.quickstart, {"search.py": files_of(DOCS / "mlflow.md")["search.py"]})
    shown = lab.run("python search.py", lab.quickstart)
    (lab.quickstart / "search.py").unlink()
    return shown


@_recipe("server-away")
def _away(lab: Lab) -> str:
    folder = write_files(lab.root / "away" / "quickstart", files_of(DOCS / "quickstart.md"))
    store = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5077"}
    shown = [
        lab.run("mlvalidate test-pipeline | tail -n 1", folder, **store),
        lab.run("mlvalidate test-script train --rows 50 | tail -n 1", folder, **store),
    ]
    lab.run("mlvalidate server --port 5077 > server.txt 2>&1 & echo $! > server.pid", folder)
    try:
        lab.run(
            "for i in {1..300}; do grep -q '^record' server.txt && break; sleep 0.2; done", folder
        )
        shown.append(lab.run("mlvalidate sync", folder, **store))
    finally:
        lab.run("kill $(cat server.pid)", folder)
    return "\n".join(shown)


@_recipe("synthetic-rows")
def _rows(lab: Lab) -> str:
    RECIPES["quickstart-run"](lab)
    command = "head -n 6 $(ls -d .mlvalidate/runs/* | head -n 1)/sources/prepare/raw/orders.csv"
    return lab.run(command, lab.quickstart)


@_recipe("infer")
def _infer(lab: Lab) -> str:
    return lab.run(
        "mlvalidate infer -C examples/churn examples/churn/data/customers.csv", lab.churn
    )


@_recipe("fidelity")
def _fidelity(lab: Lab) -> str:
    shop = lab.root / "shop"
    (shop / "data").mkdir(parents=True)
    shutil.copy(lab.churn / "examples/churn/data/customers.csv", shop / "data")
    (shop / "prepare.py").write_text("")
    head = "version: 1\nproject: shop\nsteps: {prepare: {script: prepare.py}}\n"
    (shop / "mlvalidate.yaml").write_text(head)
    inferred = lab.run("mlvalidate infer data/customers.csv", shop).partition("\n")[2]
    (shop / "mlvalidate.yaml").write_text(f"{head}datasets:\n{inferred}\n")
    return lab.run("mlvalidate generate customers --out synthetic --fidelity", shop)


@_recipe("check")
def _check(lab: Lab) -> str:
    script = lab.broken / "broken/scripts/preprocess.py"
    before = script.read_text()
    edit(script, '"--test-ratio"', '"--test-share"')
    shown = lab.run("mlvalidate check -C broken", lab.broken)
    script.write_text(before)
    return shown


@_recipe("scenarios")
def _scenarios(lab: Lab) -> str:
    return lab.run("mlvalidate test-script preprocess -C examples/churn --scenario all", lab.churn)


@_recipe("benchmark")
def _benchmark(lab: Lab) -> str:
    return lab.run("mlvalidate benchmark pairs --rows 500,1k,2k,4k", lab.pairs)


@_recipe("compare")
def _compare(lab: Lab) -> str:
    return lab.run("mlvalidate compare", lab.changed)


@_recipe("compare-fail-on")
def _compare_fail_on(lab: Lab) -> str:
    command = "mlvalidate compare returns --fail-on slower,schema --quiet; echo $?"
    return lab.run(command, lab.changed)


@_recipe("compare-against")
def _compare_against(lab: Lab) -> str:
    return lab.run("mlvalidate compare train --against HEAD~1 --repeat 8 --rows 20000", lab.changed)


@_recipe("baseline")
def _baseline(lab: Lab) -> str:
    return lab.run("mlvalidate baseline set returns; mlvalidate baseline show", lab.gated)


@_recipe("gates-on-history")
def _gates_on_history(lab: Lab) -> str:
    return lab.run("mlvalidate test-pipeline", lab.gated)


@_recipe("gc")
def _gc(lab: Lab) -> str:
    return lab.run("mlvalidate gc data runs --older-than 1s --keep 2 -v", lab.nightly)


@_recipe("profile")
def _profile(lab: Lab) -> str:
    command = "mlvalidate benchmark pairs --rows 4k --repeat 1 --profile --no-record"
    return lab.run(command, lab.pairs)


@_recipe("trend")
def _trend(lab: Lab) -> str:
    return lab.run("mlvalidate trend nightly", lab.nightly)


@_recipe("sees")
def _sees(lab: Lab) -> str:
    lab.run("mlvalidate test-script look --no-record", lab.sees)
    log = "$(ls -d .mlvalidate/runs/* | tail -n 1)/steps/look/logs/stdout.log"
    return lab.run(f"cat {log}", lab.sees)


@_recipe("plugin")
def _plugin(lab: Lab) -> str:
    command = "mlvalidate test-script prepare --no-record"
    return lab.run(command, lab.plugin, PYTHONPATH=str(lab.plugin))


@_recipe("ci-comment")
def _comment(lab: Lab) -> str:
    report = "mlvalidate test-pipeline -q -C broken --no-record --markdown comment.md"
    return lab.run(f"{report}; cat comment.md", lab.broken)


@_recipe("ci-pytest")
def _pytest(lab: Lab) -> str:
    options = "--mlvalidate --mlvalidate-no-record -p no:randomly -p no:cacheprovider"
    return lab.run(
        f"cd broken && pytest {options} -k 'preprocess or evaluate or churn'", lab.broken
    )


def _make_help_recipe(command: str) -> None:
    RECIPES[f"help-{command or 'mlvalidate'}"] = lambda _lab: help_text(command)


def add_help_recipes() -> None:
    """Add one recipe for the help of each command."""
    from mlvalidate.cli.group import COMMANDS

    for command in ("", *COMMANDS):
        _make_help_recipe(command)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and body of every block of a page."""
    for match in _BLOCK.finditer(text):
        yield match["name"], match["body"]


def fenced(text: str) -> str:
    """Return what stands between the markers."""
    return f"\n```text\n{text.rstrip()}\n```\n\n"


def refresh(page: Path, lab: Lab, wanted: set[str]) -> bool:
    """Rewrite the wanted blocks of a page, all of them when none is named; True on a change."""

    def renewed(match: re.Match[str]) -> str:
        if wanted and match["name"] not in wanted:
            return match[0]
        return f"{match[1]}{fenced(RECIPES[match['name']](lab))}{match[4]}"

    before = page.read_text()
    after = _BLOCK.sub(renewed, before)
    page.write_text(after)
    return after != before


def refresh_findings() -> bool:
    """Rewrite the reference of findings, which is made from the docstrings of the checks."""
    from mlvalidate.checks.hints.reference import reference_page as hints_page
    from mlvalidate.checks.registry import reference_page

    before = _FINDINGS.read_text() if _FINDINGS.exists() else ""
    _FINDINGS.write_text(reference_page())
    _HINTS.write_text(hints_page())
    return before != _FINDINGS.read_text()


def main() -> None:
    """Refresh what the command line names, or everything."""
    wanted = set(sys.argv[1:])
    add_help_recipes()
    unknown = wanted - RECIPES.keys()
    if unknown:
        sys.exit(f"no recipe for {', '.join(sorted(unknown))}; there is {', '.join(RECIPES)}")
    with tempfile.TemporaryDirectory(prefix="docs-") as folder:
        lab = Lab(Path(folder).resolve())
        changed = [page for page in pages() if refresh(page, lab, wanted)]
    if not wanted and refresh_findings():
        changed.append(_FINDINGS)
    for page in changed:
        sys.stdout.write(f"refreshed {page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
