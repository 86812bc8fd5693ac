"""Prints what is imported, without the standard library: a server needs some of that itself."""
import importlib
import sys

import pandas
from churnless.helper import value
from sklearn.metrics import roc_auc_score

names = {name for name in sys.modules if name.partition(".")[0] not in sys.stdlib_module_names}
print(sorted(names - {"__mp_main__"}))
print(sorted(name for name in names if "site" in name or "mlvalidate" in name))
print(hasattr(importlib, "not_there"), pandas.__name__, value, roc_auc_score.__module__)
print("xml.dom" in sys.modules, "launcher" in sys.modules, "layers" in sys.modules)
for name in ("fork_server", "launcher", "namespaces", "warm_script"):
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(error)
