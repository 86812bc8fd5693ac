import os
import subprocess

import numpy

print(sorted(os.environ.items()))
print(subprocess.run(["env"], capture_output=True, text=True).stdout.split("\n") and "listed")
print(sorted(subprocess.run(["env"], capture_output=True, text=True).stdout.splitlines()))
print(type(os.environ).__getitem__.__qualname__, os.environb[b"HOME"], os.getenv("NOT_THERE"))
print(numpy.float64(1))
