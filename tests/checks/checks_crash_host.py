"""Runs crashing scripts with heavy libraries loaded once, and keeps what each wrote to stderr.

    python checks_crash_host.py FOLDER

Every `*.py` of FOLDER runs in a forked child as `__main__`; its stderr goes to `<name>.err`, its
exit code to `<name>.code`. Python itself prints the tracebacks; only the host's frames are cut.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from pathlib import Path
from types import TracebackType

LIBRARIES = (
    "boto3", "botocore.session", "joblib", "numpy", "pandas", "pyarrow.parquet", "requests",
    "sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "sklearn.preprocessing",
)  # fmt: skip


def cut_host(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Let Python print the traceback without the frames of this file, and end at once.

    An orderly end would take apart all the libraries, which costs more than everything else.
    """
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)
    atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(1)


def run_script(script: Path) -> None:
    """Become the script."""
    with script.with_suffix(".err").open("w") as stderr:
        os.dup2(stderr.fileno(), 2)
    os.chdir(script.parent)
    sys.argv = [str(script)]
    sys.excepthook = cut_host
    exec(compile(script.read_text(), str(script), "exec"), {"__name__": "__main__"})


def main(folder: Path) -> None:
    """Run all scripts of the folder, one after the other."""
    for name in LIBRARIES:
        __import__(name)
    gc.freeze()
    for script in sorted(folder.glob("*.py")):
        child = os.fork()
        if child == 0:
            run_script(script)
            sys.exit(0)
        _, status = os.waitpid(child, 0)
        script.with_suffix(".code").write_text(str(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
