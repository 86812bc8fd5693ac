"""Keeps fork servers for the scripts of a run, and says which of them a script may start from.

The servers of one interpreter form a tree: what most scripts import is imported first, and servers
with more are forks of servers with less. They are started beside the run, in the order in which the
plan needs them.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import InfrastructureError
from mlvalidate.core.plan import ColdReason, ColdStart, PlannedStep
from mlvalidate.engine.cold_reasons import UNFIT_MODULES, is_early, modules_to_load, start_facts
from mlvalidate.engine.container import Start, code_folder, plain_environment
from mlvalidate.engine.fork_server import ForkServer, NoServerError, RefusedError, start_root
from mlvalidate.engine.hashing import python_files
from mlvalidate.engine.import_tree import Modules, arrange, stages
from mlvalidate.engine.interpreter import Interpreter, inspect_interpreter
from mlvalidate.engine.sandbox import HOST_NAME, hidden_folders
from mlvalidate.project.import_scan import StartFacts

# Variables that differ for every script, in what no module looks for at its import.
_OWN_VARIABLES = ("PATH", "PYTHONPATH")
# Between two looks at whether the user wants no more.
_PATIENCE_SECONDS = 0.2


@dataclass
class _Family:
    """The servers of one interpreter, by what they hold, and what holds the imports of a script."""

    interpreter: Interpreter
    wanted: list[Modules] = field(default_factory=list)
    paths: dict[Modules, Modules] = field(default_factory=dict)
    servers: dict[Modules, Future[ForkServer]] = field(default_factory=dict)


class WarmStarts:
    """The fork servers of some runs. A context: they live as long as it is open.

    None is started before `begin`: where all steps are reused, none is needed.
    """

    def __init__(self, project: Project, steps: Iterable[PlannedStep]) -> None:
        self._project = project
        self._steps = [planned for planned in steps if planned.cold is None]
        self._families: dict[Path, _Family] = {}
        self._started: list[ForkServer] = []
        self._lock = threading.Lock()
        self._has_begun, self._is_closed = False, False
        self._thread = threading.Thread(target=self._start_all, name="fork servers", daemon=True)

    def _foresee(self) -> dict[Path, _Family]:
        families: dict[Path, _Family] = {}
        for planned in self._steps:
            try:
                interpreter = inspect_interpreter(planned.python)
            except InfrastructureError:
                # The step itself will say so.
                continue
            family = families.setdefault(interpreter.executable, _Family(interpreter))
            family.wanted.append(self._modules(self._facts(planned), interpreter))
        for family in families.values():
            family.paths = arrange(family.wanted)
            keys = ((), *stages(list(family.paths.values())))
            family.servers = {key: Future() for key in keys}
        return families

    def __enter__(self) -> WarmStarts:
        return self

    def begin(self) -> None:
        """Start the servers beside the run, if that has not been asked for before."""
        with self._lock:
            if not (self._has_begun or self._is_closed):
                self._has_begun = True
                self._families = self._foresee()
                self._thread.start()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_closed = True
            for server in self._started:
                # Whoever waits for it is told.
                server.close()
        if self._has_begun:
            self._thread.join()
        for server in reversed(self._started):
            server.dispose()

    def choose(
        self, planned: PlannedStep, start: Start, interrupted: Callable[[], bool]
    ) -> ForkServer | ColdStart:
        """Return the server that a script can be started from, or why there is none.

        Waits for a server that still imports, as a cold start would have to import it all.
        """
        if planned.cold is not None:
            return planned.cold
        facts = self._facts(planned)
        family = self._families.get(planned.python)
        modules = self._modules(facts, family.interpreter) if family else ()
        if family is None or modules not in family.paths:
            return ColdStart(reason=ColdReason.NO_SERVER, detail="its imports were not foreseen")
        try:
            server = _wait_for(family.servers[family.paths[modules]], interrupted)
        except RefusedError as error:
            return ColdStart(reason=ColdReason.MODULE, detail=str(error))
        except NoServerError as error:
            return ColdStart(reason=ColdReason.NO_SERVER, detail=str(error))
        return self._obstacle(planned, facts, server, start.env) or server

    def _obstacle(
        self, planned: PlannedStep, facts: StartFacts, server: ForkServer, env: dict[str, str]
    ) -> ColdStart | None:
        """Return what makes this script see modules other than those that it would import."""
        differing = {name for name in {*env, *server.env} if env.get(name) != server.env.get(name)}
        differing = (differing | facts.sets).difference(_OWN_VARIABLES)
        reads = server.loaded.reads
        read = sorted(name for name in differing if {"*", name} & reads or is_early(name))
        if read:
            return ColdStart(reason=ColdReason.ENVIRONMENT, detail=read[0])
        folder = code_folder(planned, self._project.root)
        shadowed = sorted(_own_names(folder, everywhere=facts.moves_path) & server.loaded.modules)
        if shadowed:
            return ColdStart(reason=ColdReason.SHADOWED, detail=shadowed[0])
        return None

    def _facts(self, planned: PlannedStep) -> StartFacts:
        return start_facts(self._project, planned) or StartFacts()

    def _modules(self, facts: StartFacts, interpreter: Interpreter) -> Modules:
        return modules_to_load(facts, interpreter.packages)

    def _start_all(self) -> None:
        for family in self._families.values():
            self._fill(family, ())
            for path, before in stages(list(family.paths.values())).items():
                self._fill(family, path, before)

    def _fill(self, family: _Family, path: Modules, before: Modules | None = None) -> None:
        """Start one server and wait until it is ready, or note why there is none."""
        try:
            if before is None:
                server = start_root(*_settings(family.interpreter))
            else:
                server = family.servers[before].result().grow(path[len(before) :])
            self._keep(server)
            server.await_ready()
        except (NoServerError, OSError) as error:
            known = error if isinstance(error, NoServerError) else NoServerError(str(error))
            family.servers[path].set_exception(known)
        else:
            family.servers[path].set_result(server)

    def _keep(self, server: ForkServer) -> None:
        with self._lock:
            self._started.append(server)
            if self._is_closed:
                server.close()


def _wait_for(future: Future[ForkServer], interrupted: Callable[[], bool]) -> ForkServer:
    while not interrupted():
        with contextlib.suppress(TimeoutError):
            return future.result(_PATIENCE_SECONDS)
    raise NoServerError("the run was interrupted")


def _settings(interpreter: Interpreter) -> tuple[Path, dict[str, str], dict[str, object]]:
    """Return how the first server of an interpreter is started."""
    visible = {interpreter.executable.parent, *interpreter.paths}
    settings: dict[str, object] = {
        "host_name": HOST_NAME,
        "hidden": list(hidden_folders(Path.home())),
        "visible": sorted({str(path) for each in visible for path in (each, each.resolve())}),
        "unfit": sorted(UNFIT_MODULES),
    }
    return interpreter.executable, plain_environment(interpreter.executable), settings


def _own_names(folder: Path, *, everywhere: bool) -> set[str]:
    """Return the names of the modules in a folder, and in all folders below it if need be."""
    names = {path.name.partition(".")[0] for path in folder.iterdir() if _is_module(path)}
    if everywhere:
        for path in python_files(folder):
            names |= {*path.relative_to(folder).parts[:-1], path.stem}
    return names


def _is_module(path: Path) -> bool:
    if path.suffix in (".py", ".pyc", ".so"):
        return True
    return path.is_dir() and (path / "__init__.py").is_file()
