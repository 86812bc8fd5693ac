"""Run as `python -m churnless.job`."""
import sys
import traceback

import numpy

from .helper import value

print(__name__, __package__, __spec__.name, __file__, sys.argv, sys.path[0], value)
print(type(__loader__).__name__, sorted(globals()), numpy.__name__)
traceback.print_stack(limit=1)
raise ValueError("from a module")
