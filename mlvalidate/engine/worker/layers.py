"""What a script changed: the content of an overlay's upper layer against its lower one."""

import errno
import filecmp
import os
import stat

MOST_ENTRIES = 10000
MOST_CHANGES = 200
DEEPEST = 100

# Interpreters leave these behind wherever they may write.
_NOISE = ("__pycache__",)


def list_changes(upper, lower, area):
    """Return ``{"area", "path", "change"}`` for each file of the layer, at most 200 of them.

    `change` is ``added``, ``modified`` or ``deleted``. A file that was only touched does not count.
    """
    changes = []
    entries = 0
    device = os.stat(upper).st_dev
    for folder, subfolders, names in os.walk(upper):
        if os.path.relpath(folder, upper).count("/") >= DEEPEST:
            subfolders[:] = []
        subfolders[:] = sorted(
            name
            for name in subfolders
            # What is mounted below is not part of the layer.
            if name not in _NOISE and os.lstat(os.path.join(folder, name)).st_dev == device
        )
        if _is_opaque(folder) and folder != upper:
            changes.append(_change(area, os.path.relpath(folder, upper) + "/", "deleted"))
        for name in sorted(names):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, upper)
            kind = _classify(path, os.path.join(lower, relative))
            if kind is not None:
                changes.append(_change(area, relative, kind))
            entries += 1
            if entries >= MOST_ENTRIES or len(changes) >= MOST_CHANGES:
                return changes
    return changes


def list_files(folder, area):
    """Return every file below a private folder as ``added``, at most 200 of them."""
    return list_changes(folder, os.devnull, area)


def _change(area, path, change):
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    return {"area": area, "path": shown, "change": change}


def _classify(path, original):
    state = os.lstat(path)
    if stat.S_ISCHR(state.st_mode) and state.st_rdev == 0:
        return "deleted"
    try:
        before = os.lstat(original)
    except OSError:
        return "added"
    if not (stat.S_ISREG(state.st_mode) and stat.S_ISREG(before.st_mode)):
        return "modified"
    if state.st_size != before.st_size:
        return "modified"
    try:
        same = filecmp.cmp(path, original, shallow=False)
    except OSError:
        same = False
    return None if same else "modified"


def _is_opaque(folder):
    try:
        return os.getxattr(folder, "user.overlay.opaque") == b"y"
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES):
            return False
        raise
