"""Notes which hosts a script reaches for and which files it writes, moves its clock, profiles it.

Runs in the user's interpreter, before the script.

Python imports `sitecustomize` at start-up from the first folder of its path that has one. This one
then runs the interpreter's own, if there is any.
"""

import sys

_LOCAL_HOSTS = ("", "localhost", "ip6-localhost", "0.0.0.0", "::", "::1")
_HARNESS = __file__.rpartition("/site/")[0]
_MOST_NOTES = 1000
_noted = set()
_MOST_WRITES = 100
_written = set()
_NOT_WORTH_A_NOTE = ("/dev/", "/proc/", _HARNESS + "/")


def _is_local(host):
    if host is None:
        return True
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return not isinstance(host, str) or host in _LOCAL_HOSTS or host.startswith("127.")


def _caller():
    """Return file:line of the innermost frame that is in no library."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        library = "/site-packages/" in name or "/dist-packages/" in name or name.startswith("<")
        if not (library or name.startswith((_LIBRARY, _HARNESS))):
            return "%s:%d" % (name, frame.f_lineno)
        frame = frame.f_back
    return ""


def _note(kind, detail):
    import os

    try:
        # The whole of json would cost every script some milliseconds.
        from _json import encode_basestring_ascii as quote
    except ImportError:
        from json import dumps as quote

    values = (quote(kind), quote(str(detail)), quote(_caller()))
    line = '{"kind": %s, "detail": %s, "location": %s}' % values
    # A script that asks one host a thousand times tells nothing new.
    if line in _noted or len(_noted) >= _MOST_NOTES:
        return
    _noted.add(line)
    try:
        notes = os.open(_HARNESS + "/notes.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    except OSError:
        # A script may have deleted its harness; the note is not worth an error in the script.
        return
    os.write(notes, line.encode() + b"\n")
    os.close(notes)


def _note_write(path, flags):
    """Note where a file is written, for those that turn out to be written where they don't last."""
    import os

    if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
        return
    if not isinstance(path, (str, bytes)) or len(_written) >= _MOST_WRITES:
        return
    try:
        path = os.path.abspath(os.fsdecode(path))
    except OSError:
        # The working folder is gone. Whatever leaves here would end the script's own call.
        return
    if path in _written or path.startswith(_NOT_WORTH_A_NOTE):
        return
    _written.add(path)
    _note("write", path)


def _observe(event, arguments):
    if event == "open":
        _note_write(arguments[0], arguments[2])
    elif event == "socket.getaddrinfo":
        if not _is_local(arguments[0]):
            _note("network", "%s:%s" % (_text(arguments[0]), _text(arguments[1])))
    elif event == "socket.gethostbyname":
        if not _is_local(arguments[0]):
            _note("network", _text(arguments[0]))
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if isinstance(address, tuple) and len(address) > 1 and not _is_local(address[0]):
            _note("network", "%s:%s" % (_text(address[0]), address[1]))


def _text(value):
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value


def _move_clock():
    """Move the clock by the seconds that the engine left in a file."""
    try:
        with open(_HARNESS + "/clock") as file:
            seconds = float(file.read())
    except (OSError, ValueError):
        return
    import mlvalidate_clock

    mlvalidate_clock.move(seconds)


def _start_profile():
    """Profile this process if the engine has left a file that asks for it. Its children are not."""
    request = _HARNESS + "/profile"
    try:
        with open(request) as file:
            kind = file.read()
        sys.modules["os"].unlink(request)
    except OSError:
        return
    import mlvalidate_profile

    mlvalidate_profile.start(kind, _HARNESS)


def _run_next_sitecustomize():
    """Import the sitecustomize that this one stands in front of."""
    import importlib.machinery
    import importlib.util

    here = _HARNESS + "/site"
    path = [entry for entry in sys.path if entry != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_LIBRARY = sys.modules["os"].__file__.rpartition("/")[0] + "/"
if hasattr(sys, "addaudithook"):
    sys.addaudithook(_observe)
_move_clock()
_run_next_sitecustomize()
# Last: what Python itself does at its start is not what was asked for.
_start_profile()
