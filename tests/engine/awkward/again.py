"""Starts itself anew."""
import os
import sys

import numpy

print(sys.argv, sys.path, os.environ.get("ROUND"), numpy.__name__)
if "--again" not in sys.argv:
    os.environ["ROUND"] = "second"
    os.execv(sys.executable, [sys.executable, *sys.argv, "--again"])
