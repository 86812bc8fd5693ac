"""Profiles the script from its first line to its last. Runs in the user's interpreter.

What came of it lies in the folder `profiled` of the harness: `entries.json` for whoever reads it,
and the profiler's own files for people.
"""

import atexit
import os
import sys

_MOST_ENTRIES = 2000
# Of the stack below an allocation.
_MOST_FRAMES = 100
# In texts and in our own page.
_MOST_SHOWN = 200
_NOT_PYTHON = "<outside Python>"
_PAGE = """<!doctype html>
<html><meta charset="utf-8"><title>Time by function</title>
<style>
body { font: 14px sans-serif }
td, th { padding: 2px 10px; text-align: right }
td:nth-child(n + 4), th:nth-child(n + 4) { text-align: left; font-family: monospace }
</style>
<h1>Time by function</h1>
<p>%d functions, %.3f seconds, by cProfile. Those with the most time come first.</p>
<table><tr><th>calls<th>total s<th>own s<th>function<th>place
%s</table></html>
"""


def start(kind, harness):
    """Start profiling ``cpu`` or ``memory``, and write what was found when the interpreter ends."""
    folder = os.path.join(harness, "profiled")
    os.mkdir(folder)
    owner = os.getpid()
    # Whatever leaves here would be a traceback of ours in what the script printed.
    try:
        profiler = _choose(kind)(folder)
        profiler.start()
    except Exception as error:
        _write(folder, _failed(kind, error))
        return

    def finish():
        # A fork of the script that ends in an orderly way is not what was asked for.
        if os.getpid() != owner:
            return
        try:
            content = profiler.finish()
        except Exception as error:
            _write(folder, _failed(kind, error))
            return
        kept = [entry for entry in content["entries"] if not entry["file"].startswith(_UNASKED)]
        content["entries"] = kept[:_MOST_ENTRIES]
        _write(folder, content)

    # Registered first, and so called last: what the script does at its end counts.
    atexit.register(finish)


def _failed(kind, error):
    problem = "the %s profiler failed: %s: %s" % (kind, type(error).__name__, str(error)[:500])
    return {"tool": "", "entries": [], "problem": problem}


def _write(folder, content):
    import json

    with open(os.path.join(folder, "entries.json"), "w") as file:
        json.dump(content, file)


def _choose(kind):
    if kind == "memory":
        return _Memray
    try:
        import pyinstrument  # noqa: F401
    except ImportError:
        return _CProfile
    return _Pyinstrument


class _CProfile:
    def __init__(self, folder):
        import cProfile

        self._folder = folder
        self._profile = cProfile.Profile()

    def start(self):
        self._profile.enable()

    def finish(self):
        import pstats

        self._profile.disable()
        stats = pstats.Stats(self._profile)
        stats.dump_stats(os.path.join(self._folder, "cpu.pstats"))
        with open(os.path.join(self._folder, "cpu.txt"), "w", encoding="utf-8") as file:
            stats.stream = file
            stats.sort_stats("cumulative").print_stats(_MOST_SHOWN)
        entries = [
            {"file": file, "line": line, "function": name, "own": own, "total": total}
            for (file, line, name), (_, _, own, total, _) in stats.stats.items()
        ]
        entries.sort(key=lambda entry: -entry["total"])
        with open(os.path.join(self._folder, "cpu.html"), "w", encoding="utf-8") as file:
            file.write(_page(stats))
        return {"tool": "cProfile", "entries": entries}


class _Pyinstrument:
    def __init__(self, folder):
        from pyinstrument import Profiler

        self._folder = folder
        self._profiler = Profiler(interval=0.001, async_mode="disabled")

    def start(self):
        self._profiler.start()

    def finish(self):
        import pyinstrument

        session = self._profiler.stop()
        with open(os.path.join(self._folder, "cpu.html"), "w", encoding="utf-8") as file:
            file.write(self._profiler.output_html())
        with open(os.path.join(self._folder, "cpu.txt"), "w", encoding="utf-8") as file:
            file.write(self._profiler.output_text(unicode=True, color=False))
        found = {}
        root = session.root_frame(trim_stem=False)
        waiting = [(root, ())] if root is not None else []
        while waiting:
            frame, above = waiting.pop()
            key = frame.file_path or "", frame.line_no or 0, frame.function
            entry = found.setdefault(key, {"own": 0.0, "total": 0.0})
            below = [child for child in frame.children if not child.is_synthetic]
            entry["own"] += frame.time - sum(child.time for child in below)
            if key not in above:
                entry["total"] += frame.time
            waiting.extend((child, (*above, key)) for child in below)
        entries = [
            dict(values, file=file, line=line, function=name)
            for (file, line, name), values in found.items()
        ]
        entries.sort(key=lambda entry: -entry["total"])
        return {"tool": "pyinstrument " + pyinstrument.__version__, "entries": entries}


class _Memray:
    def __init__(self, folder):
        import memray

        self._folder = folder
        self._file = os.path.join(folder, "memory.bin")
        self._tracker = memray.Tracker(self._file)

    def start(self):
        self._tracker.__enter__()

    def finish(self):
        import memray

        self._tracker.__exit__(None, None, None)
        with memray.FileReader(self._file) as reader:
            peak = reader.metadata.peak_memory
            found = {}
            for record in reader.get_high_watermark_allocation_records(merge_threads=True):
                name, file, line = _nearest(record.stack_trace(max_stacks=_MOST_FRAMES))
                key = file, line, name
                found[key] = found.get(key, 0) + record.size
        self._write_flame_graph()
        entries = [
            {"file": file, "line": line, "function": name, "own": size / 1e6, "total": size / 1e6}
            for (file, line, name), size in found.items()
        ]
        entries.sort(key=lambda entry: -entry["own"])
        with open(os.path.join(self._folder, "memory.txt"), "w", encoding="utf-8") as file:
            file.write("held at the peak of %.2f MB, by line\n\n" % (peak / 1e6))
            for entry in entries[:_MOST_SHOWN]:
                place = (
                    "%(file)s:%(line)d %(function)s" % entry if entry["file"] else entry["function"]
                )
                file.write("%12.3f MB  %s\n" % (entry["own"], place))
        return {
            "tool": "memray " + memray.__version__,
            "peak_mb": peak / 1e6,
            "entries": entries,
        }

    def _write_flame_graph(self):
        import subprocess

        page = os.path.join(self._folder, "memory.html")
        # A process of its own, for it imports much and may fail.
        subprocess.call(
            [sys.executable, "-m", "memray", "flamegraph", "--output", page, self._file],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.unlink(self._file)


def _page(stats):
    """Return a page for people with the functions in which most time was spent."""
    from html import escape

    found = sorted(stats.stats.items(), key=lambda item: -item[1][3])[:_MOST_SHOWN]
    rows = "".join(
        "<tr><td>%d<td>%.3f<td>%.3f<td>%s<td>%s:%d\n"
        % (calls, total, own, escape(name), escape(file), line)
        for (file, line, name), (_, calls, own, total, _) in found
        if not file.startswith(_UNASKED)
    )
    return _PAGE % (len(stats.stats), stats.total_tt, rows)


def _nearest(stack):
    """Return the innermost frame that is in no library, or else the innermost one."""
    for frame in stack:
        if not is_library(frame[1]):
            return frame
    return stack[0] if stack else (_NOT_PYTHON, "", 0)


def is_library(file):
    """Tell frames of installed packages, of Python and of the harness from those of the script."""
    in_packages = "/site-packages/" in file or "/dist-packages/" in file or file.startswith("<")
    return in_packages or file.startswith((_STANDARD_LIBRARY, _HARNESS))


_STANDARD_LIBRARY = os.__file__.rpartition("/")[0] + "/"
_HARNESS = __file__.rpartition("/site/")[0] + "/"
# The harness, and what pyinstrument puts above all frames of a thread.
_UNASKED = (_HARNESS, "<thread>")
