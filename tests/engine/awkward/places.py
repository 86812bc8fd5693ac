import locale
import os
import sys
import tempfile
import time

import pandas as pd

folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "data.txt")) as file:
    print(file.read())
print(locale.getlocale(), locale.getpreferredencoding(), sys.getfilesystemencoding())
print(time.tzname, time.timezone, pd.Timestamp(0).isoformat(), "é€")
print(tempfile.gettempdir(), os.path.expanduser("~"), os.listdir("/tmp"), os.listdir("/opt"))
with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    pd.DataFrame({"a": [1]}).to_csv(file.name, index=False)
    print(pd.read_csv(file.name))
with open("/stray.txt", "w") as file:
    file.write("outside")
