"""Holds imported modules ready: a script starts as a fork of this process.

    python serve.py SOCKET_FD BLANKS

Over the blanks a script writes the command line with which it would have been started. The server
has no network. Over the socket, a SOCK_SEQPACKET, it takes one request after the other:

    {"do": "grow", "modules": [...]} and a socket
        a fork becomes a server on that socket, imports the modules and answers there with
        {"refusal": "", "reads": [...], "modules": [...]};
    {"do": "run"} and the descriptors specification, status, stdout, stderr
        a fork becomes the launcher of a script (see launcher.py); the answer is {"pid": N}.

It ends when the other end of the socket is closed, and everything below it with it.
"""

import gc
import json
import os
import signal
import socket
import struct
import sys

_BASE_MODULES = frozenset(sys.modules)

import launcher  # noqa: E402
import namespaces  # noqa: E402
import preloading  # noqa: E402
import warm_script  # noqa: E402

_OWN = os.path.dirname(os.path.abspath(__file__))
_MOST_BYTES = 1 << 18
# An import that hangs must not hang on when nobody waits for it any more.
_PRELOAD_SECONDS = 70


def serve(channel):
    """Answer requests; return in the process of a script, with what it needs to go on."""
    settings = json.loads(_receive(channel)[0].decode())
    try:
        namespaces.leave_network(settings["host_name"])
    except OSError as error:
        _send(channel, {"refusal": str(error)})
        os._exit(0)
    _forget_own_modules()
    path = [entry for entry in sys.path if os.path.dirname(entry) != _OWN and entry != _OWN]
    sys.path[:] = path
    sys.argv = [""]
    watch = preloading.Watch(settings["hidden"], settings["visible"], settings["unfit"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _answer(channel, watch, "")
    while True:
        data, descriptors = _receive(channel)
        if not data:
            os._exit(0)
        request = json.loads(data.decode())
        server = os.getpid()
        child = os.fork()
        if child == 0:
            channel.close()
            if request["do"] == "run":
                return _launch(descriptors, server), path, watch
            channel = _grow(descriptors[0], request["modules"], watch, server)
            continue
        for descriptor in descriptors:
            os.close(descriptor)
        if request["do"] == "run":
            _send(channel, {"pid": child})


def _grow(descriptor, modules, watch, parent):
    """Become a server of its own that has more modules."""
    channel = socket.socket(fileno=descriptor)
    namespaces.prctl(namespaces.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    signal.alarm(_PRELOAD_SECONDS)
    refusal = watch.preload(modules)
    signal.alarm(0)
    if refusal:
        _answer(channel, watch, refusal)
        os._exit(0)
    # Collections in a script, the last one at its exit above all, would touch and so copy every
    # page that it shares with this process.
    gc.collect()
    gc.freeze()
    _answer(channel, watch, "")
    return channel


def _answer(channel, watch, refusal):
    known = {name.partition(".")[0] for name in _BASE_MODULES}
    loaded = sorted({name.partition(".")[0] for name in sys.modules} - known)
    answer = {"refusal": refusal, "reads": sorted(watch.reads), "modules": loaded}
    _send(channel, answer)


def _launch(descriptors, server):
    """Become the launcher of a script; return the specification in the script's process only."""
    specification_fd, status_fd, stdout, stderr = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with os.fdopen(specification_fd, "rb") as file:
        data = file.read()
    if not data:
        # Whoever asked has died.
        os._exit(0)
    specification = json.loads(data.decode())
    specification["parent"] = server
    os.setsid()
    for number, descriptor in ((1, stdout), (2, stderr)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if not launcher.launch(specification, status_fd):
        os._exit(0)
    for number in preloading.open_descriptors() - {0, 1, 2}:
        os.close(number)
    return specification


def _forget_own_modules():
    """Take our modules out of sight: a package of the user may have the same name."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name != "__main__" and file and os.path.dirname(file) == _OWN:
            del sys.modules[name]


def _receive(channel):
    data, ancillary, _flags, _address = channel.recvmsg(
        _MOST_BYTES, socket.CMSG_SPACE(4 * 4), socket.MSG_CMSG_CLOEXEC
    )
    descriptors = []
    for _level, _kind, content in ancillary:
        count = len(content) // 4
        descriptors += struct.unpack("%di" % count, content[: count * 4])
    return data, descriptors


def _send(channel, message):
    channel.sendall(json.dumps(message).encode())


def main():
    """Serve; go on as a script in each process that is to become one."""
    specification, path, watch = serve(socket.socket(fileno=int(sys.argv[1])))
    argv = specification["argv"]
    watch.rest()
    warm_script.become_script(specification, path, watch.changes)
    try:
        if warm_script.is_module(argv):
            warm_script.run_module(argv[2])
        else:
            warm_script.run_script(argv[1])
    except SystemExit:
        raise
    except BaseException:
        warm_script.hide_own_frames()
        raise
