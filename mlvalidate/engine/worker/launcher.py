"""Starts one script in its sandbox and reports how it ended.

    python -I -S launcher.py STATUS_FD < specification.json

Three processes: this one (the launcher, outside), the first process of the sandbox (the keeper),
and the script, which is the keeper's child. When the script ends the keeper kills whatever it
left behind, lists what it changed, writes one JSON object to STATUS_FD and ends; the kernel then
takes the sandbox down. SIGTERM is passed on to every process of the script; SIGUSR1 kills them.
When mlvalidate dies, the kernel kills the launcher and with it the keeper and the script.

Without namespaces the launcher is the keeper: it becomes the reaper of all orphans below it.
"""

import json
import os
import re
import resource
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import layers
import namespaces

# How long helpers of the script, such as a multiprocessing resource tracker, may outlive it.
_LEFTOVER_GRACE_SECONDS = 0.25


def main():
    specification = json.loads(sys.stdin.buffer.read().decode())
    status_fd = int(sys.argv[1])
    if specification["sandbox"] is None:
        _die_with_parent(specification["parent"])
        _become_reaper()
        _keep(specification, None, status_fd)
    else:
        launch(specification, status_fd)


def launch(specification, status_fd):
    """Run a script in its sandbox; return False when it has ended.

    With ``warm`` in the specification no program is started: this returns True in a new process of
    the sandbox, which has to go on as the script.
    """
    specification["begun"] = time.monotonic()
    # The script is a child of the keeper and could interrupt it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        namespaces.unshare(network=specification["network"])
        _die_with_parent(specification["parent"])
    except Exception as error:
        _report(status_fd, {"error": _describe(error)})
        return False
    keeper = os.fork()
    if keeper == 0:
        try:
            namespaces.prctl(namespaces.PR_SET_PDEATHSIG, signal.SIGKILL)
            view = _build_view(specification)
        except Exception as error:
            _report(status_fd, {"error": _describe(error)})
            os._exit(0)
        if _keep(specification, view, status_fd):
            return True
        os._exit(0)
    os.close(status_fd)
    _release_streams()
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda received, _frame: _pass_on(keeper, received))
    os.waitpid(keeper, 0)
    return False


def _describe(error):
    return str(error) if isinstance(error, OSError) else "%s: %s" % (type(error).__name__, error)


def _pass_on(keeper, number):
    try:
        os.kill(keeper, number)
    except ProcessLookupError:
        return


def _die_with_parent(parent):
    """Ask the kernel to kill this process when its parent dies; end at once if it is dead."""
    if sys.platform == "linux":
        namespaces.prctl(namespaces.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _become_reaper():
    if sys.platform == "linux":
        namespaces.prctl(namespaces.PR_SET_CHILD_SUBREAPER, 1)


def _build_view(specification):
    sandbox = specification["sandbox"]
    view = namespaces.View(sandbox)
    view.hold_sources()
    view.renew_root()
    view.mask()
    view.expose()
    view.overlay()
    view.link(sandbox["links"])
    view.seal(specification["processes"])
    namespaces.set_host_name(sandbox["host_name"])
    if not specification["network"]:
        namespaces.raise_loopback()
    return view


def _report(status_fd, status):
    data = json.dumps(status).encode()
    while data:
        data = data[os.write(status_fd, data) :]


def _release_streams():
    """Let go of the script's stdout and stderr: they end when the script's processes end."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)


def _keep(specification, view, status_fd):
    os.set_inheritable(status_fd, False)
    failure_read, failure_write = os.pipe()
    started = time.monotonic()
    # Nothing may reach the script between fork and exec that it could not have reached alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    keeper = os.getpid()
    script = os.fork()
    if script == 0:
        _become_script(specification, view, keeper, failure_write)
        return True
    os.close(failure_write)
    _release_streams()
    population = _Namespace() if view is not None else _Descendants(script)
    signal.signal(signal.SIGTERM, lambda _number, _frame: population.signal(signal.SIGTERM))
    signal.signal(signal.SIGUSR1, lambda _number, _frame: population.signal(signal.SIGKILL))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGUSR1})
    failure = os.read(failure_read, 4096).decode(errors="replace")
    usage = _Usage()
    wait_status = usage.wait_for(script)
    duration = time.monotonic() - started
    leftovers = _end_leftovers(population, usage)
    status = {
        "error": failure,
        "exit_code": os.WEXITSTATUS(wait_status) if os.WIFEXITED(wait_status) else None,
        "signal": os.WTERMSIG(wait_status) if os.WIFSIGNALED(wait_status) else None,
        "setup_s": started - specification.get("begun", started),
        "duration_s": duration,
        "leftovers": leftovers,
        "changes": [] if view is None else _list_changes(view),
        "read_only": [] if view is None else view.read_only,
    }
    status.update(usage.as_dict())
    _report(status_fd, status)
    return False


def _become_script(specification, view, keeper, failure_write):
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in range(1, signal.NSIG):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                try:
                    signal.signal(number, signal.SIG_DFL)
                except (OSError, ValueError):
                    continue
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        _set_limits(specification, in_sandbox=view is not None)
        if view is not None:
            namespaces.drop_privileges()
        else:
            # In a sandbox the kernel does this when its first process dies.
            _die_with_parent(keeper)
        os.chdir(specification["cwd"])
        argv = specification["argv"]
        if not specification.get("warm"):
            os.execvpe(argv[0], argv, specification["env"])
        # The end of this pipe, which an exec would close, tells the keeper that the script runs.
        _check_words(argv)
        os.environ.clear()
        os.environ.update(specification["env"])
        os.close(failure_write)
    except (OSError, ValueError) as error:
        os.write(failure_write, ("%s: %s" % (specification["argv"][0], error)).encode())
        os._exit(127)
    except BaseException:
        os._exit(127)


def _check_words(argv):
    if any("\0" in word for word in argv):
        raise ValueError("embedded null byte")


def _set_limits(specification, in_sandbox):
    """Set what holds also between two looks of the engine, and when it is killed."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, specification["file_size"])
    if in_sandbox and _counts_by_namespace():
        _lower(resource.RLIMIT_NPROC, specification["processes"] + namespaces.SPARE_PROCESSES)
    if sys.platform == "linux":
        # When the machine runs out of memory the kernel ends the script before anything else.
        try:
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("1000")
        except OSError:
            # Where the kernel refuses a fresh /proc, the old one is read-only.
            return


def _lower(kind, limit):
    """Lower a limit, for good; it may be lower already."""
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(kind, (limit, limit))


def _counts_by_namespace():
    """Tell whether the kernel counts a user's processes in this namespace alone (Linux 5.14)."""
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return release is not None and tuple(map(int, release.groups())) >= (5, 14)


class _Usage:
    """What the script and everything below it consumed."""

    def __init__(self):
        self.cpu = 0.0
        self.max_rss_kb = 0
        self.read = 0
        self.written = 0

    def wait_for(self, script):
        """Reap children until the script itself ends; return its wait status."""
        while True:
            pid = -1
            if sys.platform == "linux":
                pid = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
                # A zombie still has its counters, which include the children it waited for.
                self._add_io(pid)
            pid, status, used = os.wait4(pid, 0)
            self._add(used)
            if pid == script:
                return status

    def reap_ended(self):
        """Reap what has ended by itself: a zombie looks like a process that is still there."""
        while True:
            try:
                pid, _, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._add(used)

    def reap_all(self):
        """Reap what is left; returns when there are no children any more."""
        while True:
            try:
                _, _, used = os.wait4(-1, 0)
            except ChildProcessError:
                return
            self._add(used)

    def _add(self, used):
        self.cpu += used.ru_utime + used.ru_stime
        self.max_rss_kb = max(self.max_rss_kb, used.ru_maxrss)

    def _add_io(self, pid):
        if not _is_own_proc():
            return
        try:
            with open("/proc/%d/io" % pid) as file:
                counters = dict(line.split(": ") for line in file.read().splitlines())
        except (OSError, ValueError):
            return
        self.read += int(counters.get("rchar", 0))
        self.written += int(counters.get("wchar", 0))

    def as_dict(self):
        kilobyte = 1024 if sys.platform == "linux" else 1
        return {
            "cpu_s": self.cpu,
            "max_rss_bytes": self.max_rss_kb * kilobyte,
            "read_bytes": self.read,
            "written_bytes": self.written,
        }


class _Namespace:
    """All processes of the sandbox but the keeper, which is its first process."""

    def signal(self, number):
        try:
            os.kill(-1, number)
        except ProcessLookupError:
            return

    def commands(self):
        if not _is_own_proc():
            # No fresh /proc in here: other processes can be counted but not named.
            try:
                os.kill(-1, 0)
            except ProcessLookupError:
                return []
            return ["(a process)"]
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]
        return [command for command in map(_command, pids) if command]


class _Descendants:
    """Everything below the keeper where there is no namespace: found through the parents."""

    def __init__(self, script):
        self.script = script

    def _pids(self):
        found = []
        pending = [os.getpid()]
        while pending:
            children = _children(pending.pop())
            found += children
            pending += children
        return found

    def signal(self, number):
        try:
            os.killpg(self.script, number)
        except (ProcessLookupError, PermissionError):
            pass
        for pid in self._pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def commands(self):
        return [command for command in map(_command, self._pids()) if command]


def _is_own_proc():
    """Tell whether /proc shows the processes of this namespace, not of the one around it."""
    return os.readlink("/proc/self") == str(os.getpid())


def _children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(text) for text in file.read().split()]
    except OSError:
        return []


def _command(pid):
    """Return the command line of a live process, or None for one that has ended."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                return None
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            words = file.read().rstrip(b"\0").split(b"\0")
    except (OSError, IndexError):
        return None
    return b" ".join(words).decode(errors="replace")[:200] or "(a process)"


def _end_leftovers(population, usage):
    """Kill what outlived the script; return the command lines of what did not end by itself."""
    deadline = time.monotonic() + _LEFTOVER_GRACE_SECONDS
    usage.reap_ended()
    leftovers = population.commands()
    while leftovers and time.monotonic() < deadline:
        time.sleep(0.01)
        usage.reap_ended()
        leftovers = population.commands()
    population.signal(signal.SIGKILL)
    usage.reap_all()
    return leftovers[:20]


def _list_changes(view):
    changes = []
    for target, folder in view.reported_folders():
        made_here = {os.path.relpath(path, target) for path in view.made}
        changes += [
            change
            for change in layers.list_files(folder, target)
            if change["path"] not in made_here and not change["path"].startswith(".")
        ]
    for overlay in view.overlays:
        if overlay["target"] not in view.read_only:
            changes += layers.list_changes(
                view.held(view.layer(overlay, "upper")),
                view.held(overlay["lower"]),
                overlay["name"],
            )
    return changes


if __name__ == "__main__":
    main()
