"""Turns a fork of a fork server into what an interpreter is that was started with a script."""

import ctypes
import importlib
import os
import signal
import site
import sys
import time

# What finds modules in files, without an import of importlib.machinery.
_SourceFileLoader = sys.modules["_frozen_importlib_external"].SourceFileLoader
_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


def become_script(specification, path, changes):
    """Set everything that a script can see, but for `__main__`. The environment is set already.

    ``path`` is the interpreter's own sys.path, ``changes`` what preloaded modules did to the
    environment.
    """
    argv = specification["argv"]
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if hasattr(sys, "orig_argv"):
        sys.orig_argv = list(argv)
    sys.argv = list(argv[1:])
    _show_command(argv)
    _set_signals()
    _renew_modules()
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [entry for entry in before if entry] + path
    importlib.invalidate_caches()
    sys.modules.pop("sitecustomize", None)
    site.execsitecustomize()
    if is_module(argv):
        sys.path.insert(0, os.getcwd())
        sys.argv = ["-m", *argv[3:]]
    else:
        sys.path.insert(0, os.path.dirname(os.path.realpath(argv[1])))


def is_module(argv):
    """Tell whether a command line is `python -m MODULE`."""
    return argv[1] == "-m"


def run_script(path):
    """Run a file as `__main__`."""
    names = _empty_main()
    names.update(__file__=path, __loader__=_SourceFileLoader("__main__", path))
    with open(path, "rb") as file:
        source = file.read()
    exec(compile(source, path, "exec", dont_inherit=True), names)


def run_module(name):
    """Run a module as `python -m` does."""
    import runpy

    names = _empty_main()
    for absent in ("__file__", "__cached__"):
        names.pop(absent, None)
    runpy._run_module_as_main(name)


def _empty_main():
    """Make the server's `__main__` the script's, and return its names.

    It stays the same module: multiprocessing, dill and others hold it from their import on. Which
    names it has from the interpreter depends on Python's version.
    """
    names = sys.modules["__main__"].__dict__
    for name in list(names):
        if not (name.startswith("__") and name.endswith("__")):
            del names[name]
    names["__doc__"] = None
    if "__annotations__" in names:
        names["__annotations__"] = {}
    return names


def hide_own_frames():
    """Let the traceback of an uncaught exception begin where the script does."""
    show = sys.excepthook

    def show_script(kind, error, traceback):
        sys.excepthook = show
        while traceback is not None and _is_own(traceback.tb_frame.f_code.co_filename):
            traceback = traceback.tb_next
        show(kind, error.with_traceback(traceback), traceback)

    sys.excepthook = show_script


def _is_own(filename):
    return os.path.dirname(filename) == _OWN_FOLDER


def _show_command(argv):
    """Let the machine's lists of processes say what a started script would have there.

    The kernel reads the command line from the process's own memory, see proc_pid_cmdline(5).
    """
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    # Fields 48 and 49 of proc_pid_stat(5); the first one here is field 3. 0: not to be known.
    begin, end = int(fields[45]), int(fields[46])
    words = b"".join(os.fsencode(word) + b"\0" for word in argv)
    if begin:
        ctypes.memmove(begin, words.ljust(end - begin, b"\0")[: end - begin - 1], end - begin - 1)


def _set_signals():
    """Set what Python's start sets; the launcher has reset everything."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _renew_modules():
    """Set anew what preloaded modules took from the server when they were imported.

    `random` and `tempfile` notice a fork by themselves.
    """
    modules = sys.modules
    if "numpy.random" in modules:
        modules["numpy.random"].seed()
    if "multiprocessing.process" in modules:
        modules["multiprocessing.process"].ORIGINAL_DIR = os.getcwd()
    if "logging" in modules:
        in_nanoseconds = isinstance(modules["logging"]._startTime, int)
        modules["logging"]._startTime = time.time_ns() if in_nanoseconds else time.time()
