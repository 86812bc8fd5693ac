"""Names and arguments that other versions of a library have."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlvalidate.checks.evidence import Evidence
from mlvalidate.checks.hints.advice import Advice
from mlvalidate.checks.traceback import PythonError


@dataclass(frozen=True)
class _Removed:
    """A name or an argument that ``library`` has no more since ``version``."""

    library: str
    version: str
    instead: str

    def advise(self, name: str) -> Advice:
        return Advice(
            f"{self.library} {self.version} took `{name}` out: {self.instead}. A container with an "
            f"older {self.library} still has it"
        )


_PANDAS_METHODS = {
    "append": _Removed("pandas", "2.0", "use pd.concat([a, b])"),
    "applymap": _Removed("pandas", "3.0", "use map"),
    "iteritems": _Removed("pandas", "2.0", "use items"),
    "ix": _Removed("pandas", "1.0", "use loc for labels, iloc for positions"),
    "lookup": _Removed("pandas", "2.0", "use melt with loc, or numpy's indexing"),
    "mad": _Removed("pandas", "2.0", "use (x - x.mean()).abs().mean()"),
    "view": _Removed("pandas", "3.0", "use astype"),
    "as_matrix": _Removed("pandas", "1.0", "use to_numpy()"),
    "get_value": _Removed("pandas", "1.0", "use at"),
    "swapaxes": _Removed("pandas", "3.0", "use transpose"),
}
_PANDAS_NAMES = {
    **dict.fromkeys(
        ("Int64Index", "UInt64Index", "Float64Index"),
        _Removed("pandas", "2.0", "use pd.Index with a dtype"),
    ),
    "datetime": _Removed("pandas", "2.0", "import datetime"),
    "np": _Removed("pandas", "2.0", "import numpy as np"),
    "Panel": _Removed("pandas", "1.0", "use a MultiIndex"),
}
_NUMPY_ALIASES = _Removed("numpy", "1.24", "use Python's own type")
_NUMPY_2 = {
    "NaN": "np.nan", "Inf": "np.inf", "float_": "np.float64", "complex_": "np.complex128",
    "unicode_": "np.str_", "string_": "np.bytes_", "product": "np.prod", "cumproduct": "np.cumprod",
    "sometrue": "np.any", "alltrue": "np.all", "in1d": "np.isin", "trapz": "np.trapezoid",
    "row_stack": "np.vstack", "Infinity": "np.inf", "infty": "np.inf", "PINF": "np.inf",
    "NINF": "-np.inf",
}  # fmt: skip
_NUMPY_NAMES = {
    **dict.fromkeys(
        ("float", "int", "object", "complex", "str", "long", "unicode"), _NUMPY_ALIASES
    ),
    **{name: _Removed("numpy", "2", f"use {new}") for name, new in _NUMPY_2.items()},
}
# By module and name, as they are imported.
_IMPORTS = {
    ("sklearn.externals", "joblib"): _Removed("scikit-learn", "0.23", "import joblib"),
    ("sklearn.externals", "six"): _Removed("scikit-learn", "0.23", "import six"),
    ("sklearn.preprocessing", "Imputer"): _Removed(
        "scikit-learn", "0.22", "use sklearn.impute.SimpleImputer"
    ),
    ("sklearn", "cross_validation"): _Removed(
        "scikit-learn", "0.20", "use sklearn.model_selection"
    ),
    ("sklearn", "grid_search"): _Removed("scikit-learn", "0.20", "use sklearn.model_selection"),
    ("sklearn.datasets", "load_boston"): _Removed("scikit-learn", "1.2", "use other data"),
    ("sklearn.metrics", "plot_confusion_matrix"): _Removed(
        "scikit-learn", "1.2", "use ConfusionMatrixDisplay.from_estimator"
    ),
    ("sklearn.metrics", "plot_roc_curve"): _Removed(
        "scikit-learn", "1.2", "use RocCurveDisplay.from_estimator"
    ),
    ("", "pkg_resources"): _Removed("setuptools", "82", "use importlib.metadata"),
    ("", "imp"): _Removed("Python", "3.12", "use importlib"),
    ("", "distutils"): _Removed("Python", "3.12", "use setuptools, shutil or packaging"),
    **{
        ("collections", name): _Removed("Python", "3.10", f"import {name} from collections.abc")
        for name in ("Mapping", "MutableMapping", "Sequence", "Iterable", "Callable", "Hashable")
    },
}
_SKLEARN_METHODS = {
    "get_feature_names": _Removed("scikit-learn", "1.2", "use get_feature_names_out"),
}


def removed_name(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Name what to use instead of what newer pandas, numpy, scikit-learn or Python do not have.

    For example `DataFrame.append`, `np.float`, `sklearn.externals.joblib`.
    """
    removed, name = None, ""
    if found := re.search(r"'(?:DataFrame|Series)' object has no attribute '(\w+)'", error.message):
        name, removed = found[1], _PANDAS_METHODS.get(found[1])
    elif found := re.search(r"module 'pandas' has no attribute '(\w+)'", error.message):
        name, removed = f"pd.{found[1]}", _PANDAS_NAMES.get(found[1])
    elif found := re.search(
        r"module 'numpy' has no attribute '(\w+)'|`np\.(\w+)` was removed", error.message
    ):
        name = f"np.{found[1] or found[2]}"
        removed = _NUMPY_NAMES.get(found[1] or found[2])
    elif found := re.search(r"object has no attribute '(\w+)'", error.message):
        name, removed = found[1], _SKLEARN_METHODS.get(found[1])
    elif error.type in ("ImportError", "ModuleNotFoundError"):
        module, imported = _imported(error.message)
        name, removed = f"{module}.{imported}".lstrip("."), _IMPORTS.get((module, imported))
    return removed.advise(name) if removed else None


def _imported(message: str) -> tuple[str, str]:
    """Return module and name of an import that failed."""
    if found := re.search(r"cannot import name '(\w+)' from '([\w.]+)'", message):
        return found[2], found[1]
    if found := re.search(r"No module named '([\w.]+)'", message):
        module, _, name = found[1].rpartition(".")
        return module, name
    if found := re.search(r"`(\w+)` has been removed from scikit-learn", message):
        return "sklearn.datasets", found[1]
    return "", ""


_FIT = _Removed("xgboost", "2.1", "give it to the constructor of the model")
# By the end of a function's name and the argument.
_ARGUMENTS = {
    ("read_csv", "error_bad_lines"): _Removed("pandas", "2.0", "use on_bad_lines='skip'"),
    ("read_csv", "warn_bad_lines"): _Removed("pandas", "2.0", "use on_bad_lines='warn'"),
    ("read_csv", "squeeze"): _Removed("pandas", "2.0", "call .squeeze('columns') on the result"),
    ("read_csv", "prefix"): _Removed("pandas", "2.0", "rename the columns of the result"),
    ("read_csv", "delim_whitespace"): _Removed("pandas", "3.0", "use sep=r'\\s+'"),
    ("read_csv", "infer_datetime_format"): _Removed("pandas", "3.0", "leave it out"),
    ("read_csv", "date_parser"): _Removed("pandas", "3.0", "use date_format, or pd.to_datetime"),
    ("to_csv", "line_terminator"): _Removed("pandas", "2.0", "use lineterminator"),
    ("fillna", "method"): _Removed("pandas", "3.0", "use ffill() or bfill()"),
    ("groupby", "axis"): _Removed("pandas", "3.0", "group the transposed table"),
    ("OneHotEncoder.__init__", "sparse"): _Removed("scikit-learn", "1.4", "use sparse_output"),
    ("mean_squared_error", "squared"): _Removed(
        "scikit-learn", "1.6", "use root_mean_squared_error"
    ),
    ("__init__", "normalize"): _Removed("scikit-learn", "1.2", "put a StandardScaler before it"),
    ("__init__", "base_estimator"): _Removed("scikit-learn", "1.4", "use estimator"),
    ("LogisticRegression.__init__", "multi_class"): _Removed(
        "scikit-learn", "1.8", "leave it out, or use OneVsRestClassifier"
    ),
    ("fit", "early_stopping_rounds"): _FIT,
    ("fit", "eval_metric"): _FIT,
    ("fit", "callbacks"): _FIT,
}


def removed_argument(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Name what to use instead of an argument that pandas, scikit-learn or xgboost do not take now.

    For example `read_csv(error_bad_lines=)`, `OneHotEncoder(sparse=)`,
    `XGBClassifier.fit(early_stopping_rounds=)`.
    """
    found = re.search(
        r"(?:([\w.]+)\(\) )?got an unexpected keyword argument '(\w+)'", error.message
    )
    if error.type != "TypeError" or found is None:
        return None
    function, argument = found[1] or "", found[2]
    for (name, removed), what in _ARGUMENTS.items():
        # scikit-learn's decorators leave the name of the function out.
        if removed == argument and (not function or f".{function}".endswith(f".{name}")):
            return what.advise(f"{name.removesuffix('.__init__').strip('_')}({argument}=)")
    return None


# By parameter and the value that was given.
_OPTIONS = {
    ("loss", "deviance"): ("1.3", "log_loss"),
    ("loss", "log"): ("1.3", "log_loss"),
    ("loss", "ls"): ("1.2", "squared_error"),
    ("max_features", "auto"): ("1.3", "sqrt"),
    ("penalty", "none"): ("1.4", "None"),
    ("criterion", "mse"): ("1.2", "squared_error"),
    ("criterion", "mae"): ("1.2", "absolute_error"),
    ("algorithm", "auto"): ("1.3", "lloyd"),
}
_FREQUENCIES = {"M": "ME", "Q": "QE", "Y": "YE", "A": "YE", "H": "h", "T": "min", "S": "s"}


def renamed_option(error: PythonError, _evidence: Evidence) -> Advice | None:
    """Name the new word for an option that scikit-learn or pandas has renamed.

    For example `loss='deviance'`, `max_features='auto'`, the frequencies `M` and `H`.
    """
    if found := re.search(r"^The '(\w+)' parameter of .* Got '(\w+)' instead", error.message):
        option = _OPTIONS.get((found[1], found[2]))
        if option is None:
            return None
        return Advice(
            f"scikit-learn {option[0]} renamed {found[1]}={found[2]!r}: write {option[1]!r}"
        )
    found = re.search(r"Invalid frequency: (\w+)\b", error.message)
    if found and found[1] in _FREQUENCIES:
        new = _FREQUENCIES[found[1]]
        return Advice(f"pandas 3.0 no longer takes the frequency {found[1]!r}: write {new!r}")
    return None


_PICKLE_MESSAGES = re.compile(
    r"Can't get attribute '\w+' on <module '(?P<module>[\w.]+)'"
    r"|node array from the pickle has an incompatible dtype"
    r"|No module named '(?P<core>numpy\._core|sklearn\.[\w.]*_\w+)'"
    r"|unsupported pickle protocol: (?P<protocol>\d+)"
)


def foreign_pickle(error: PythonError, evidence: Evidence) -> Advice | None:
    """Say that a model was pickled with another version of a library, or with another script.

    A class that the script itself defined is looked for in `__main__`.
    """
    found = _PICKLE_MESSAGES.search(error.message)
    if found is None:
        return None
    if found["module"] == "__main__":
        return Advice(
            "the class was defined in the script that wrote the file: put it into a module that "
            "both scripts import"
        )
    return Advice(
        "the file was pickled with another version of Python or of a library than "
        f"{evidence.planned.python} has: let both steps have the same versions"
    )
