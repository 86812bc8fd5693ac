"""What a script gets to see of this machine, and whether this machine allows such views at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mlvalidate.core.plan import Plan, SandboxChoice
from mlvalidate.engine.interpreter import Interpreter
from mlvalidate.engine.scratch import scratch_folder

LAUNCHER = Path(__file__).parent / "worker" / "launcher.py"

# Folders that a script gets a private, empty version of. Sockets of daemons live below /run.
_MASKED = (
    *("/tmp", "/var/tmp", "/opt", "/run", "/dev/shm"),
    # Data of this machine and its daemons' sockets.
    *("/srv", "/mnt", "/media", "/var/lib"),
)
# The name of the only machine of a SageMaker job with one instance.
HOST_NAME = "algo-1"
# Below a home folder that can't be masked because the project is in it.
_CREDENTIALS = (".aws", ".ssh", ".gnupg", ".docker", ".kube", ".azure", ".config/gcloud")

_PROBE_SECONDS = 20


def hidden_folders(home: Path) -> tuple[str, ...]:
    """Return the folders of this machine of which scripts see nothing but what they need.

    An outer one comes first: an inner one would be hidden by it.
    """
    there = (Path(folder) for folder in (*_MASKED, home) if Path(folder).is_dir())
    masks = dict.fromkeys(str(folder.resolve()) for folder in there)
    masks.pop("/", None)
    return tuple(sorted(masks, key=lambda mask: mask.count("/")))


@dataclass(frozen=True)
class Overlay:
    """A copy-on-write view of ``lower`` at ``target``; changes are reported under ``name``."""

    name: str
    lower: Path
    target: str
    # False: when the kernel can't layer this folder it is read-only instead.
    required: bool = True


@dataclass(frozen=True)
class Bind:
    """``source`` made visible at ``target``."""

    source: Path
    target: str
    writable: bool


@dataclass(frozen=True)
class View:
    """The private view of one script, in the launcher's terms."""

    scratch: Path
    layers_in_memory: bool
    memory: int
    masks: tuple[str, ...] = ()
    exposed: tuple[Path, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    overlays: tuple[Overlay, ...] = ()
    binds: tuple[Bind, ...] = ()

    @property
    def in_memory(self) -> tuple[str, ...]:
        """Where the script sees file systems that are kept in memory."""
        # Layers and masks lie in one file system.
        return ("/", "/dev/shm", *(("/tmp",) if self.layers_in_memory else ()))

    def to_json(self) -> dict[str, object]:
        """Return what the launcher reads."""
        return {
            "scratch": str(self.scratch),
            "layers_in_memory": self.layers_in_memory,
            "host_name": HOST_NAME,
            "memory": self.memory,
            "masks": list(self.masks),
            "exposed": [str(path) for path in self.exposed],
            "links": [list(link) for link in self.links],
            "overlays": [
                {
                    "name": overlay.name,
                    "lower": str(overlay.lower),
                    "target": overlay.target,
                    "required": overlay.required,
                }
                for overlay in self.overlays
            ],
            "binds": [
                {"source": str(bind.source), "target": bind.target, "writable": bind.writable}
                for bind in self.binds
            ],
        }


@dataclass(frozen=True)
class Sandboxing:
    """Whether namespaces work here. ``refusal`` says why not; ``remedy`` what to do about it."""

    refusal: str = ""
    remedy: str = ""
    # Overlay layers can't lie on every file system (not on another overlay, as in a container).
    layers_in_memory: bool = False

    @property
    def is_available(self) -> bool:
        return not self.refusal


@cache
def detect_sandboxing() -> Sandboxing:
    """Try a sandbox with everything in it, once per process."""
    if sys.platform != "linux":
        return Sandboxing(
            f"{sys.platform} has no namespaces",
            "run mlvalidate on Linux (a virtual machine or a container will do) to test steps "
            "of kind processing and training",
        )
    if not Path("/opt").is_dir():
        return Sandboxing("there is no folder /opt", "create it: sudo mkdir /opt")
    reason = ""
    for in_memory in (False, True):
        reason = _try_sandbox(in_memory)
        if not reason:
            return Sandboxing(layers_in_memory=in_memory)
    return Sandboxing(reason, _remedy())


def choose_sandboxing(choice: SandboxChoice) -> Sandboxing:
    """Return what the user chose, as far as this machine has it."""
    if choice is SandboxChoice.NONE:
        return Sandboxing("none was wanted", "leave out --sandbox none and MLVALIDATE_SANDBOX")
    return detect_sandboxing()


def sandboxing_of(plan: Plan) -> Sandboxing:
    """Return what a plan was made for: its paths and its warnings are about that."""
    return Sandboxing(plan.sandbox_refusal) if plan.sandbox_refusal else detect_sandboxing()


def _try_sandbox(layers_in_memory: bool) -> str:
    """Return why a sandbox can't be built, or an empty text."""
    with scratch_folder() as folder:
        scratch, lower, step = (folder / name for name in ("scratch", "lower", "ml"))
        hidden = scratch / "hidden"
        for path in (scratch, lower, step, hidden):
            path.mkdir()
        view = View(
            scratch=scratch,
            layers_in_memory=layers_in_memory,
            memory=2**20,
            masks=("/tmp", "/opt"),
            overlays=(Overlay("probe", lower, "/opt/ml/probe"),),
            binds=(Bind(step, "/opt/ml", writable=True), Bind(hidden, "/mnt", writable=False)),
        )
        specification = {
            "parent": os.getpid(),
            "sandbox": view.to_json(),
            "network": False,
            "argv": ["/bin/sh", "-c", "echo ok > /opt/ml/probe/written"],
            "env": {},
            "cwd": "/",
            "file_size": 2**20,
            "processes": 100,
        }
        return _run_probe(specification)


def _run_probe(specification: dict[str, object]) -> str:
    read_fd, write_fd = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(write_fd)],
            input=json.dumps(specification).encode(),
            capture_output=True,
            pass_fds=(write_fd,),
            timeout=_PROBE_SECONDS,
            check=False,
        )
        os.close(write_fd)
        with os.fdopen(read_fd, "rb") as status_file:
            status = json.loads(status_file.read() or b"{}")
    except subprocess.TimeoutExpired:
        return "building a sandbox hangs"
    if status.get("error"):
        return str(status["error"])
    if status.get("exit_code") != 0:
        return done.stderr.decode(errors="replace").strip()[-300:] or "a sandbox does not start"
    return ""


def _remedy() -> str:
    """Say what usually is in the way of unprivileged namespaces on this machine."""
    switches = {
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
            "1",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu restricts user "
            "namespaces by AppArmor)",
        ),
        "/proc/sys/kernel/unprivileged_userns_clone": (
            "0",
            "sudo sysctl kernel.unprivileged_userns_clone=1",
        ),
        "/proc/sys/user/max_user_namespaces": ("0", "sudo sysctl user.max_user_namespaces=10000"),
    }
    for name, (refusing, remedy) in switches.items():
        path = Path(name)
        if path.is_file() and path.read_text().strip() == refusing:
            return remedy
    return (
        "allow unprivileged user namespaces; in a docker container: "
        "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    )


@dataclass
class ViewBuilder:
    """Collects what one script needs to see and turns it into a View."""

    scratch: Path
    sandboxing: Sandboxing
    home: Path
    memory: int
    _exposed: list[Path] = field(default_factory=list)
    _links: list[tuple[str, str]] = field(default_factory=list)
    _overlays: list[Overlay] = field(default_factory=list)
    _binds: list[Bind] = field(default_factory=list)

    def expose(self, path: Path) -> None:
        """Make a file or folder visible, read-only, although it may lie below a mask."""
        for link, target in _links_on_the_way(path):
            self._links.append((str(link), target))
        real = path.resolve()
        if real.exists() and real != Path("/"):
            self._exposed.append(real)

    def expose_interpreter(self, interpreter: Interpreter) -> None:
        """Make an interpreter with everything that it imports from visible."""
        for path in (interpreter.executable, *interpreter.paths):
            # A path entry such as the home folder itself would bring back what a mask hides.
            if path.exists() and not self.home.is_relative_to(path.resolve()):
                self.expose(path)

    def layer(self, name: str, folder: Path) -> None:
        """Make a folder visible where it is, copy-on-write."""
        self.expose(folder)
        real = folder.resolve()
        self._overlays.append(Overlay(name, real, str(real), required=False))

    def overlay(self, name: str, lower: Path, target: str) -> None:
        """Show ``lower`` at ``target``, copy-on-write."""
        self._overlays.append(Overlay(name, lower, target))

    def bind(self, source: Path, target: str, *, writable: bool) -> None:
        """Show ``source`` at ``target``."""
        self._binds.append(Bind(source, target, writable))

    def build(self) -> View:
        """Return the view. Masks that do not exist on this machine are left out."""
        for number, name in enumerate(_CREDENTIALS):
            folder = self.home / name
            wanted = folder.resolve() in self._exposed
            if folder.is_dir() and not wanted and self._is_visible(folder):
                empty = self.scratch / "empty" / str(number)
                empty.mkdir(parents=True)
                self._binds.append(Bind(empty, str(folder), writable=False))
        return View(
            scratch=self.scratch,
            layers_in_memory=self.sandboxing.layers_in_memory,
            memory=self.memory,
            masks=hidden_folders(self.home),
            exposed=tuple(dict.fromkeys(_outermost(self._exposed))),
            links=tuple(dict.fromkeys(self._links)),
            overlays=tuple(self._overlays),
            binds=tuple(self._binds),
        )

    def _is_visible(self, folder: Path) -> bool:
        return any(folder.is_relative_to(path) for path in self._exposed)


def _links_on_the_way(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every symbolic link that leads to ``path``, with its text."""
    seen: set[Path] = set()
    pending = [path]
    while pending:
        current = pending.pop()
        for place in (*reversed(current.parents), current):
            if place in seen or not place.is_symlink():
                continue
            seen.add(place)
            text = str(place.readlink())
            yield place, text
            pending.append(Path(os.path.normpath(place.parent / text)))


def _outermost(paths: list[Path]) -> list[Path]:
    """Return the paths that lie below no other one of them."""
    unique = sorted(set(paths), key=lambda path: len(path.parts))
    kept: list[Path] = []
    for path in unique:
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept
