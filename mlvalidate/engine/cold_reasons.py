"""Decides, before anything runs, which scripts have to start in an interpreter of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mlvalidate.core.contracts import Kind, Project
from mlvalidate.core.plan import ColdReason, ColdStart, PlannedStep
from mlvalidate.engine.container import code_folder
from mlvalidate.engine.static_checks import script_file
from mlvalidate.project.import_scan import ANY, StartFacts, scan_start

# Read by the interpreter, the dynamic linker or native libraries before a script could set them.
_EARLY = re.compile(
    r"(PYTHON|OMP_|GOMP_|MKL_|OPENBLAS_|NUMEXPR_|KMP_|GOTO_|BLIS_|VECLIB_|LD_|MALLOC_|GLIBC_|MPL"
    r"|NUMBA_|TF_|CUDA_|NVIDIA_|COVERAGE_|LC_).*|TZ|LANG|LANGUAGE|HOME"
)
# They start threads, keep connections or read their environment or the user's settings at import.
_UNFIT = (
    "cudf cupy dask distributed eventlet gevent grpc h2o IPython jax jaxlib matplotlib mlflow "
    "mlvalidate mxnet polars pyspark ray tensorflow torch"
)
UNFIT_MODULES = frozenset(_UNFIT.split())


def is_early(name: str) -> bool:
    """Tell whether an environment variable is read before a script begins."""
    return _EARLY.fullmatch(name) is not None


def why_cold(
    project: Project, planned: PlannedStep, *, in_sandbox: bool, asked: bool
) -> ColdStart | None:
    """Return why the script of a step starts cold, as far as its plan and its text tell."""
    facts = start_facts(project, planned)
    obstacles = (
        (asked, ColdReason.ASKED, ""),
        (planned.profile is not None, ColdReason.PROFILE, ""),
        (not in_sandbox, ColdReason.NO_SANDBOX, ""),
        (planned.step.kind is Kind.COMMAND, ColdReason.COMMAND, ""),
        (planned.network.is_open, ColdReason.NETWORK, ""),
        (facts is None, ColdReason.FILE, planned.step.entry_point),
    )
    for applies, reason, detail in obstacles:
        if applies:
            return ColdStart(reason=reason, detail=detail)
    assert facts is not None
    return _early_variable(planned, facts) or _unfit_module(facts)


def _early_variable(planned: PlannedStep, facts: StartFacts) -> ColdStart | None:
    early = sorted(filter(is_early, (*planned.env, *facts.sets)))
    if not early and ANY not in facts.sets:
        return None
    detail = early[0] if early else "what the script sets"
    return ColdStart(reason=ColdReason.ENVIRONMENT, detail=detail)


def _unfit_module(facts: StartFacts) -> ColdStart | None:
    found = sorted({each.name.partition(".")[0] for each in facts.modules} & UNFIT_MODULES)
    if not found:
        return None
    detail = f"{found[0]} has to be imported by the script itself"
    return ColdStart(reason=ColdReason.MODULE, detail=detail)


def start_facts(project: Project, planned: PlannedStep) -> StartFacts | None:
    """Return what the script of a step does at its start; None where there is no plain file."""
    script = script_file(project, planned)
    if script is None or not script.is_file():
        return None
    runs_main = planned.step.kind is not Kind.CALLABLE
    return scan_start(script, code_folder(planned, project.root), runs_main=runs_main)


def modules_to_load(facts: StartFacts, packages: Iterable[Path]) -> tuple[str, ...]:
    """Return the modules of third parties that a script surely imports, each once, in order.

    ``packages`` are the folders in which the interpreter has them.
    """
    folders = tuple(packages)
    found: dict[str, None] = {}
    for each in facts.modules:
        if any(_has(folder, each.name.partition(".")[0]) for folder in folders):
            found[each.name] = None
            for name in each.names:
                below = f"{each.name}.{name}"
                if any(_has(folder, below) for folder in folders):
                    found[below] = None
    return tuple(found)


@cache
def _has(folder: Path, module: str) -> bool:
    """Tell whether a folder of packages has a module, as a folder, a file or a library."""
    *parents, last = module.split(".")
    place = folder.joinpath(*parents)
    names = (f"{last}.py", last)
    return any((place / name).exists() for name in names) or any(place.glob(f"{last}.*.so"))
