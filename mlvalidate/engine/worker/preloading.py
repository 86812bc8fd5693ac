"""Imports modules ahead of the scripts that will need them, and notes what that does.

What an import does inside the process is inherited by every script. What it does outside, or in a
way that no fork hands on, each script has to do by itself: such modules are refused.
"""

import importlib
import os
import signal
import sys
import threading

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN = {
    "os.mkdir": "makes a folder",
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.rmdir": "removes a folder",
    "os.link": "makes a link",
    "os.symlink": "makes a link",
    "os.truncate": "changes a file",
    "os.chmod": "changes a file",
    "os.utime": "changes a file",
    "os.chdir": "changes the working folder",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.system": "starts a process",
    "subprocess.Popen": "starts a process",
    "socket.connect": "connects to the network",
    "socket.getaddrinfo": "looks up a name",
    "socket.gethostbyname": "looks up a name",
    "signal.pthread_kill": "sends a signal",
}
# Threads of native code that are known to survive a fork: jemalloc sets itself right.
_HARMLESS_THREADS = ("jemalloc_bg_thd",)


class Refused(BaseException):
    """An import did what a script must do itself. No `except Exception` of a module gets it."""


class Watch:
    """Imports modules and knows what the imports have read and changed.

    ``hidden`` are folders of which a script sees nothing but what lies below ``visible``.
    """

    def __init__(self, hidden, visible, unfit):
        self._hidden = hidden
        self._visible = visible
        self._unfit = unfit
        self._active = False
        self._refusal = ""
        # Environment variables that an import looked at (`*`: all), and those that one set.
        self.reads = set()
        self.changes = {}
        self._observe_environment()
        sys.addaudithook(self._observe)

    def preload(self, modules):
        """Import the modules; return why that is no start for a script, or an empty text."""
        before, environment = _state(), dict(os.environ)
        output = os.memfd_create("output")
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(output, number)
        self._active = True
        try:
            for name in modules:
                self._import(name)
            refusal = self._refusal
        except Refused as error:
            refusal = str(error)
        except BaseException as error:
            # The script will fail in the same way, and show how.
            refusal = self._refusal or "importing %s fails: %s" % (name, type(error).__name__)
        finally:
            self._active = False
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
        self._note_changes(environment)
        if not refusal and os.fstat(output).st_size > 0:
            refusal = "an import prints something"
        os.close(output)
        return (
            refusal or _difference(before, _state()) or self._unfit_module() or _lasting_threads()
        )

    def _import(self, name):
        top = name.partition(".")[0]
        found = top in sys.modules or any(
            finder.find_spec(top, None) for finder in sys.meta_path if hasattr(finder, "find_spec")
        )
        # What is not there the script perhaps makes findable: not our business.
        if found:
            importlib.import_module(name)

    def _unfit_module(self):
        found = sorted(set(self._unfit) & set(sys.modules))
        return "%s is not fit for it" % found[0] if found else ""

    def _observe_environment(self):
        kind = type(os.environ)
        self._own_methods = kind.__getitem__, kind.__iter__
        get, iterate = self._own_methods

        def read(environ, name):
            if self._active and isinstance(name, str):
                self.reads.add(name)
            return get(environ, name)

        def read_all(environ):
            if self._active:
                self.reads.add("*")
            return iterate(environ)

        kind.__getitem__, kind.__iter__ = read, read_all

    def rest(self):
        """Leave the environment alone from now on."""
        kind = type(os.environ)
        kind.__getitem__, kind.__iter__ = self._own_methods

    def _note_changes(self, environment):
        for name, value in os.environ.items():
            if environment.get(name) != value:
                self.changes[name] = value
        for name in environment:
            if name not in os.environ:
                self.changes[name] = None

    def _observe(self, event, arguments):
        if not self._active:
            return
        if event in _FORBIDDEN:
            self._refuse(_FORBIDDEN[event])
        elif event == "open" and isinstance(arguments[0], (str, bytes)):
            self._look_at_file(os.fsdecode(arguments[0]), arguments[2] or 0)

    def _look_at_file(self, path, flags):
        path = os.path.abspath(path)
        if flags & _WRITING and not path.startswith("/dev/"):
            self._refuse("writes %s" % path)
        if _is_below(path, self._hidden) and not _is_below(path, self._visible):
            self._refuse("reads %s" % path)

    def _refuse(self, what):
        self._refusal = self._refusal or "an import " + what
        raise Refused(self._refusal)


def _is_below(path, folders):
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def _state():
    """Return what no import may change, by the words for it."""
    return {
        "starts a thread": threading.active_count(),
        "starts a process": _children(),
        "changes the handling of signals": [
            signal.getsignal(number) for number in range(1, signal.NSIG)
        ],
        "changes sys.path": list(sys.path),
        "changes the working folder": os.getcwd(),
        # It could lead a script out of its sandbox.
        "leaves a file open": open_descriptors(),
        "replaces sys.stdout or sys.stderr": (id(sys.stdout), id(sys.stderr)),
    }


def _difference(before, after):
    for what, value in before.items():
        if after[what] != value:
            return "an import " + what
    return ""


def _children():
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % task) as file:
                found += file.read().split()
        except OSError:
            continue
    return found


def open_descriptors():
    """Return the numbers of all open files."""
    found = set()
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            os.fstat(number)
        except OSError:
            # The one of the listing itself.
            continue
        found.add(number)
    return found


def _lasting_threads():
    """Fork once: libraries that are ready for it end their threads before and start them again."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    try:
        os.waitpid(child, 0)
    except ChildProcessError:
        # It was reaped by itself, as this process ignores the end of its children.
        pass
    for task in os.listdir("/proc/self/task"):
        if int(task) == os.getpid():
            continue
        with open("/proc/self/task/%s/comm" % task) as file:
            name = file.read().strip()
        if name not in _HARMLESS_THREADS:
            return "an import starts a thread in native code (%s)" % name
    return ""
