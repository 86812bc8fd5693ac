"""Run every script of an ML pipeline before the cloud does.

    import mlvalidate as mlv
    project = mlv.open_project("examples/churn")
    result = mlv.execute(project, mlv.plan_pipeline(project))

Everything is imported on first use, so that `import mlvalidate` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlvalidate.api import Options as Options
    from mlvalidate.api import execute as execute
    from mlvalidate.api import execute_all as execute_all
    from mlvalidate.api import infer as infer
    from mlvalidate.api import open_project as open_project
    from mlvalidate.api import plan_all as plan_all
    from mlvalidate.api import plan_pipeline as plan_pipeline
    from mlvalidate.api import plan_script as plan_script
    from mlvalidate.api import run_folder as run_folder
    from mlvalidate.api import sync as sync
    from mlvalidate.api import test_all as test_all
    from mlvalidate.api_history import compare as compare
    from mlvalidate.api_history import compare_code as compare_code
    from mlvalidate.api_history import trend as trend

__version__ = "0.1.0"

__all__ = [
    "Options",
    "__version__",
    "compare",
    "compare_code",
    "execute",
    "execute_all",
    "infer",
    "open_project",
    "plan_all",
    "plan_pipeline",
    "plan_script",
    "run_folder",
    "sync",
    "test_all",
    "trend",
]

_OF_HISTORY = ("compare", "compare_code", "trend")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mlvalidate import api, api_history

    return getattr(api_history if name in _OF_HISTORY else api, name)
