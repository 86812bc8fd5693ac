"""A private view of this machine for one script: mounts, network, processes. No root needed.

In the view, `/opt/ml` is the step's folder; inputs, the project and the interpreter's packages are
copy-on-write; /tmp, /opt, /run and the home folder are private and empty but for what the script
needs; the root folder is new and holds all that the machine's holds, read-only. See
user_namespaces(7), mount_namespaces(7), pid_namespaces(7) and
Documentation/filesystems/overlayfs.rst in the kernel.

Once masks are in place the interpreter's own library may be hidden: import everything up here.
"""

import ctypes
import errno
import fcntl
import os
import re
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_NOATIME = 1024
MS_NODIRATIME = 2048
MS_BIND = 4096
MS_REC = 16384
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_RELATIME = 1 << 21

_KEPT_FLAGS = {
    "nosuid": MS_NOSUID,
    "nodev": MS_NODEV,
    "noexec": MS_NOEXEC,
    "noatime": MS_NOATIME,
    "nodiratime": MS_NODIRATIME,
    "relatime": MS_RELATIME,
}

# Where every program may leave files, which nobody expects to last.
SHARED_MEMORY = "/dev/shm"
TEMPORARY = ("/tmp", "/var/tmp", "/run", SHARED_MEMORY)

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_ACCELERATORS = ("nvidia", "dri", "kfd", "accel", "neuron")
_DEVICE_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)
# What the kernel allows beyond the limits of a step. They are the engine's to enforce, and to
# explain: this is what a script can reach between two of its looks, or when it is stuck.
SPARE_PROCESSES = 1000
SPARE_MEMORY = 256 * 2**20

# What a root of the machine could change through /proc, as container runtimes protect it.
_PROTECTED = ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sysrq-trigger")

# How mountinfo writes blanks and backslashes.
_OCTAL = re.compile(rb"\\([0-7]{3})")

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION = 0x20080522

SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _fail(what):
    number = ctypes.get_errno()
    raise OSError(number, "%s: %s" % (what, os.strerror(number)))


def prctl(option, value):
    """Call prctl(2); OSError when the kernel refuses."""
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        _fail("prctl %d" % option)


def unshare(network):
    """Move this process into new user, mount, IPC and (for its children) PID namespaces.

    The user is the same one inside. With `network` true the machine's network stays.
    """
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWUTS
    _unshare(flags if network else flags | CLONE_NEWNET)


def leave_network(host_name):
    """Move this process to where there is no network but its own loopback, as for a script.

    It still sees the machine's files and processes. OSError when the kernel refuses.
    """
    _unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWUTS)
    set_host_name(host_name)
    raise_loopback()


def _unshare(flags):
    uid, gid = os.getuid(), os.getgid()
    if _libc.unshare(flags) != 0:
        if ctypes.get_errno() == errno.ENOSPC:
            raise OSError(errno.ENOSPC, "unshare: the limit on namespaces is reached")
        _fail("unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", "%d %d 1" % (uid, uid)),
        ("gid_map", "%d %d 1" % (gid, gid)),
    ):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)


def mount(source, target, filesystem, flags, options=None):
    """Call mount(2) with texts; OSError that names the target when the kernel refuses."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, filesystem)]
    data = None if options is None else os.fsencode(options)
    if _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), data) != 0:
        _fail("mount %s" % target)


def set_host_name(name):
    """Give the script's machine a name of its own."""
    if _libc.sethostname(os.fsencode(name), len(os.fsencode(name))) != 0:
        _fail("sethostname")


def raise_loopback():
    """Set the loopback device of a new network namespace up: a container has one too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", flags | IFF_UP, b""))


def drop_privileges():
    """Give up, for good, what the user namespace grants: the script cannot undo its sandbox."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            # The kernel knows no capability of this number and so none above it.
            break
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    # A script that is no new program would keep what an exec takes away.
    header, nothing = struct.pack("=Ii", _CAPABILITY_VERSION, 0), struct.pack("=6I", *[0] * 6)
    if _libc.capset(header, nothing) != 0:
        _fail("capset")


def is_below(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


class View:
    """Builds the private view. Call the methods in the order in which they stand here."""

    def __init__(self, spec):
        self.scratch = spec["scratch"]
        self.layers_in_memory = spec["layers_in_memory"]
        # What the script may keep in each file system that lives in memory, in bytes.
        self.memory = spec["memory"] + SPARE_MEMORY
        self.masks = spec["masks"]
        self.exposed = spec["exposed"]
        self.overlays = sorted(spec["overlays"], key=lambda overlay: overlay["target"])
        self.binds = sorted(spec["binds"], key=lambda bind: bind["target"])
        self.read_only = []
        # Mount points and links that this view needed below its masks: not the script's doing.
        self.made = []
        self._writable = {self.scratch}
        self._sources = {}

    def hold_sources(self):
        """Open every folder that is needed later, before anything hides it."""
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        for path in self.exposed:
            self._hold(path)
        for overlay in self.overlays:
            self._hold(overlay["lower"])
        for bind in self.binds:
            self._hold(bind["source"])
        if self.layers_in_memory:
            options = "size=%d" % self.memory
            mount("tmpfs", self.scratch, "tmpfs", MS_NOSUID | MS_NODEV, options)
        for overlay in self.overlays:
            for name in ("upper", "work"):
                folder = self.layer(overlay, name)
                os.makedirs(folder)
                self._hold(folder)
        private = self.scratch + "/private"
        os.makedirs(private)
        self._private = os.open(private, os.O_PATH | os.O_CLOEXEC)

    def renew_root(self):
        """Enter a new root folder with everything in it that the machine's has.

        A container's script may write to `/` or make folders there: it does so in memory.
        """
        root = self.scratch + "/root"
        os.mkdir(root)
        mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=%d" % self.memory)
        # Or the bind of the folder that holds it would hold the new root once more.
        mount(None, root, None, MS_UNBINDABLE)
        for name in os.listdir("/"):
            source, target = "/" + name, root + "/" + name
            if os.path.islink(source):
                os.symlink(os.readlink(source), target)
                self.made.append(source)
            elif name == "dev":
                os.mkdir(target)
                _make_devices(target)
            elif os.path.isdir(source):
                os.mkdir(target)
                mount(source, target, None, MS_BIND | MS_REC)
            else:
                self.made.append(source)
                with open(target, "a"):
                    pass
                mount(source, target, None, MS_BIND)
        os.chroot(root)
        os.chdir("/")
        self._root = os.open("/", os.O_PATH | os.O_CLOEXEC)
        self._writable |= {"/", "/dev/pts"}
        self.made += ["/dev/" + name for name in os.listdir("/dev")]

    def layer(self, overlay, name):
        return "%s/layers/%s/%s" % (self.scratch, overlay["name"], name)

    def _hold(self, path):
        if path not in self._sources:
            self._sources[path] = os.open(path, os.O_PATH | os.O_CLOEXEC)

    def held(self, path):
        """Return a path to a held folder that no mask hides and that needs no escaping."""
        return "/proc/self/fd/%d" % self._sources[path]

    def mask(self):
        """Put private, empty folders over those that are not the script's business."""
        for number, target in enumerate(self.masks):
            # It may lie below a folder that is masked already.
            os.makedirs(target, exist_ok=True)
            if target == SHARED_MEMORY:
                options = "mode=1777,size=%d" % self.memory
                mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)
            else:
                folder = self._private_folder(number)
                os.mkdir(folder)
                if target in TEMPORARY:
                    os.chmod(folder, 0o1777)
                mount(folder, target, None, MS_BIND)
            self._writable.add(target)

    def _private_folder(self, number):
        return "/proc/self/fd/%d/%d" % (self._private, number)

    def reported_folders(self):
        """Return (target, folder behind it) of the private folders whose files are worth a word."""
        private = [
            (target, self._private_folder(number))
            for number, target in enumerate(self.masks)
            if target not in TEMPORARY
        ]
        return [("/", "/proc/self/fd/%d" % self._root), *private]

    def expose(self):
        """Bring back, read-only, what the script needs from below the masks."""
        for path in sorted(self.exposed):
            if any(is_below(path, mask) for mask in self.masks):
                self._bind(path, path)

    def overlay(self):
        """Mount the copy-on-write layers, then the plain binds, outer folders first."""
        tasks = [(overlay["target"], 0, overlay) for overlay in self.overlays]
        tasks += [(bind["target"], 1, bind) for bind in self.binds]
        for target, is_bind, item in sorted(tasks, key=lambda task: (task[0].count("/"), task[1])):
            if is_bind:
                self._bind(item["source"], target)
                if item["writable"]:
                    self._writable.add(target)
            else:
                self._overlay(item, target)

    def _overlay(self, overlay, target):
        os.makedirs(target, exist_ok=True)
        options = "lowerdir=%s,upperdir=%s,workdir=%s,userxattr" % (
            self.held(overlay["lower"]),
            self.held(self.layer(overlay, "upper")),
            self.held(self.layer(overlay, "work")),
        )
        try:
            mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, options)
        except OSError:
            if overlay["required"]:
                raise
            # Some folders can't be layered, such as one with mounts inside: read-only then.
            self.read_only.append(target)
            self._bind(overlay["lower"], target)
            return
        self._writable.add(target)

    def _bind(self, source, target):
        held = self.held(source)
        if os.path.isdir(held):
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            self.made.append(target)
            with open(target, "a"):
                pass
        mount(held, target, None, MS_BIND | MS_REC)

    def link(self, links):
        """Recreate symbolic links that lead to exposed folders."""
        for path, destination in links:
            if not os.path.lexists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(destination, path)
                self.made.append(path)

    def seal(self, processes):
        """Make every mount read-only that is not one of ours, renew /proc, limit the processes."""
        for target, flags in _mounts().items():
            if target not in self._writable:
                _make_read_only(target, flags)
        try:
            mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        except OSError as error:
            # Inside a container parts of /proc are masked and the kernel refuses a fresh one.
            # The old one is read-only by now.
            if error.errno != errno.EPERM:
                raise
            return
        _limit_pids(processes)
        for name in _PROTECTED:
            if os.path.exists(name):
                mount(name, name, None, MS_BIND)
                _make_read_only(name, MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _limit_pids(processes):
    """Let this PID namespace have no higher pid, which also stops root's fork bombs.

    Kernels before Linux 6.14 have one such limit for the whole machine and refuse.
    """
    try:
        # Once the highest was reached, pids start over at 300.
        with open("/proc/sys/kernel/pid_max", "w") as file:
            file.write("%d" % (processes + SPARE_PROCESSES))
    except OSError:
        return


def _make_devices(folder):
    """Fill a new /dev: no terminal and no disk of the machine, but its accelerators."""
    for name in os.listdir("/dev"):
        source, target = "/dev/" + name, folder + "/" + name
        if name in _DEVICES or name.startswith(_ACCELERATORS):
            if os.path.isdir(source):
                os.mkdir(target)
            else:
                with open(target, "a"):
                    pass
            mount(source, target, None, MS_BIND | MS_REC)
    for name, destination in _DEVICE_LINKS:
        os.symlink(destination, folder + "/" + name)
    for name in ("pts", "shm"):
        os.mkdir(folder + "/" + name)
    options = "newinstance,ptmxmode=0666,mode=620"
    mount("devpts", folder + "/pts", "devpts", MS_NOSUID | MS_NOEXEC, options)


def _mounts():
    """Return the flags to keep by mount point, from proc_pid_mountinfo(5).

    Of several mounts on one point the last one is listed last, and it is the one that counts.
    """
    mounts = {}
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            fields = line.split()
            target = os.fsdecode(_OCTAL.sub(lambda code: bytes([int(code.group(1), 8)]), fields[4]))
            flags = 0
            for option in fields[5].decode().split(","):
                flags |= _KEPT_FLAGS.get(option, 0)
            mounts[target] = flags
    return mounts


def _make_read_only(target, flags):
    try:
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)
    except OSError as error:
        # ENOENT, ENOTDIR, EINVAL: hidden below a newer mount. EACCES: out of this user's reach.
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.EACCES):
            raise
