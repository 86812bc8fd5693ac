"""Logs and warns."""
import logging
import sys
import warnings

import numpy as np
import pandas as pd

print(logging.root.handlers, logging.root.level, sorted(logging.root.manager.loggerDict) != [])
print(warnings.filters)
logging.warning("before any configuration")
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(module)s:%(lineno)d %(message)s")
logging.getLogger(__name__).info("configured in %s", __name__)
record = logging.LogRecord("x", 20, __file__, 1, "", (), None)
print(0 <= record.relativeCreated < 60_000, record.processName, record.threadName)
for category in (UserWarning, DeprecationWarning, FutureWarning, PendingDeprecationWarning):
    for _ in range(2):
        warnings.warn(category.__name__, category)
print(np.array([1.0]) / 0, np.log(np.array([-1.0])))
logging.captureWarnings(True)
warnings.warn("captured")
with warnings.catch_warnings():
    warnings.simplefilter("error")
    try:
        warnings.warn("an error now")
    except UserWarning as error:
        print("raised", error)
try:
    pd.DataFrame({"a": [1]})["b"]
except KeyError:
    logging.exception("with a traceback")
print(sys.unraisablehook is sys.__unraisablehook__, sys.excepthook is sys.__excepthook__)
