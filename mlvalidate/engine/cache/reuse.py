"""Decides whether a step of a run is reused, brings it back, and keeps what has passed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlvalidate.core.contracts import Access, Project, Reports
from mlvalidate.core.datasets import BASELINE
from mlvalidate.core.findings import Finding
from mlvalidate.core.plan import Plan, PlannedStep
from mlvalidate.core.results import Status, StepResult
from mlvalidate.core.reuse import Part, RunReason
from mlvalidate.core.run_folder import RunFolder, runs_folder
from mlvalidate.core.secrets import Redactor
from mlvalidate.engine.cache.digests import FileDigests
from mlvalidate.engine.cache.entry import (
    DamagedError,
    Entry,
    check_files,
    link_files,
    list_files,
    read_entry,
    write_entry,
)
from mlvalidate.engine.cache.inputs import UncomparableError
from mlvalidate.engine.cache.key import Key, KeyMaker, differences, explain
from mlvalidate.engine.cache.store import Kept, Store
from mlvalidate.engine.drift_watch import declares_reference
from mlvalidate.engine.journal import all_runs
from mlvalidate.engine.outputs import on_host

# Entries that a miss is explained by.
_MOST_COMPARED = 10
_RANK = {Reports.NONE: 0, Reports.FAILED: 1, Reports.ALL: 2}


@dataclass(frozen=True)
class Decision:
    """What is to be done with a step: take what is ``kept``, or run it for a ``reason``.

    Of something kept, ``detail`` says what has changed since; ``waits_for`` are producers that
    decide, where a plan is only looked at.
    """

    kept: Kept | None = None
    reason: RunReason | None = None
    detail: str = ""
    waits_for: tuple[str, ...] = ()


class Reuse:
    """What one run takes from earlier ones and leaves for later ones. Safe with several threads.

    Without a ``folder`` nothing is written: for plans that are only looked at.
    """

    def __init__(
        self,
        project: Project,
        plan: Plan,
        *,
        sandboxed: bool,
        folder: RunFolder | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self._project = project
        self._plan = plan
        self._folder = folder
        self._redactor = redactor or Redactor()
        self._store = Store(project.cache_folder)
        self._digests = FileDigests(project.cache_folder / "digests.json")
        self._keys = KeyMaker(project, plan, self._digests, sandboxed=sandboxed)
        self._made: dict[str, Key] = {}
        self._results: dict[str, StepResult] = {}
        # Entries of the cache that this run has used or made.
        self._used: set[Path] = set()

    def decide(self, planned: PlannedStep) -> Decision:
        """Return whether a step is reused; its producers have been handed to `take_note`."""
        try:
            key = self._keys.make(planned, self._results)
        except UncomparableError as error:
            if planned.part is Part.PROVIDED:
                return self._provide(planned, None)
            return Decision(reason=RunReason.UNKNOWN, detail=str(error))
        self._made[planned.node] = key
        if planned.part is Part.PROVIDED:
            return self._provide(planned, key)
        return self._refused(planned) or self._compare(planned, key)

    def _refused(self, planned: PlannedStep) -> Decision | None:
        """Return why a step runs whatever is kept of it, where that is so."""
        policy = self._plan.reuse
        if planned.node in policy.force:
            return Decision(reason=RunReason.FORCED, detail="--force")
        if not policy.cache and not policy.resume:
            return Decision(reason=RunReason.CACHE_OFF, detail="--no-cache")
        return self._barred(planned)

    def _barred(self, planned: PlannedStep) -> Decision | None:
        """Return why a step is never reused, where that is so."""
        if planned.network.is_open:
            return Decision(reason=RunReason.NETWORK, detail="it may use the network")
        if planned.credentials is Access.ALLOW:
            return Decision(reason=RunReason.CREDENTIALS, detail="it may use AWS credentials")
        if planned.pass_env:
            return Decision(reason=RunReason.GRANTS, detail="it is given your environment")
        if planned.writes:
            return Decision(reason=RunReason.GRANTS, detail="it writes to folders of this machine")
        if declares_reference(self._project, planned, BASELINE):
            detail = "its outputs are compared with the last passed run"
            return Decision(reason=RunReason.BASELINE, detail=detail)
        return None

    def _compare(self, planned: PlannedStep, key: Key) -> Decision:
        known = list(self._known(planned.node))
        if not known:
            return Decision(reason=RunReason.NEW, detail="no run of it that passed is kept")
        changed = [differences(key, kept.entry.parts) for kept in known]
        if key.unknown and not all(changed):
            return Decision(waits_for=key.unknown)
        refused: Decision | None = None
        for kept in (kept for kept, differs in zip(known, changed, strict=True) if not differs):
            refusal = self._refusal(kept)
            if refusal is None:
                return Decision(kept)
            refused = refused or refusal
        if refused is not None:
            return refused
        nearest = min(changed, key=lambda differs: sum(map(len, differs.values())))
        reason, detail = explain(nearest)
        return Decision(reason=reason, detail=detail)

    def _known(self, node: str) -> Iterator[Kept]:
        """Yield what is kept of a node: of the run to resume, then of the cache."""
        policy = self._plan.reuse
        if policy.resume:
            runs = runs_folder(self._project.state_folder)
            yield from _in_run(RunFolder(runs / policy.resume), node)
        if policy.cache:
            key = self._made[node]
            exact = None if key.unknown else self._store.find(node, key.digest)
            if exact is not None:
                yield exact
            others = (k for k in self._store.of_node(node) if exact is None or k != exact)
            yield from list(others)[:_MOST_COMPARED]

    def _refusal(self, kept: Kept) -> Decision | None:
        """Return why an entry of the right key is of no use, or None."""
        wanted, entry = self._plan.rendered, kept.entry
        has_tables = any(
            file.rows is not None for port in entry.result.outputs for file in port.files
        )
        if has_tables and _RANK[wanted] > _RANK[entry.reports]:
            detail = f"reports are wanted, and run {entry.run_id} rendered none of it"
            return Decision(reason=RunReason.REPORTS, detail=detail)
        try:
            with self._store.reading():
                check_files(entry, kept.folder)
        except DamagedError as error:
            if self._folder is not None and self._is_cached(kept):
                self._store.drop(kept)
            return Decision(reason=RunReason.DAMAGED, detail=f"what was kept is damaged: {error}")
        return None

    def _is_cached(self, kept: Kept) -> bool:
        return kept.folder.is_relative_to(self._project.cache_folder)

    def _provide(self, planned: PlannedStep, key: Key | None) -> Decision:
        """Return what stands for a step that is not run: the same, or else the newest there is."""
        policy = self._plan.reuse
        exact = None
        if policy.cache and key is not None and not key.unknown:
            exact = self._store.find(planned.node, key.digest)
        candidates = [exact] if exact else []
        candidates += self._newest(planned.node)
        candidates += self._store.of_node(planned.node) if policy.cache else []
        for kept in candidates:
            with suppress(DamagedError):
                with self._store.reading():
                    check_files(kept.entry, kept.folder)
                changed = differences(key, kept.entry.parts) if key else {}
                return Decision(kept, detail=explain(changed)[1] if changed else "")
        return Decision(reason=RunReason.NEW, detail="no run of it that passed is kept")

    def _newest(self, node: str) -> list[Kept]:
        """Return what the newest run of the same pipeline has of a node that passed there."""
        for run in reversed(all_runs(self._project.state_folder)):
            if self._folder is not None and run.run_id == self._folder.run_id:
                continue
            for kept in _in_run(run, node):
                if (kept.entry.kind, kept.entry.name) == (self._plan.kind, self._plan.name):
                    return [kept]
        return []

    def foresee(self, planned: PlannedStep, result: StepResult) -> None:
        """Take note of what a step would come to, where a plan is only looked at."""
        self._results[planned.node] = result

    def restore(self, planned: PlannedStep, decision: Decision) -> StepResult | None:
        """Bring back what is kept of a step into the folder of this run; None when it is gone."""
        kept = decision.kept
        assert kept is not None
        assert self._folder is not None
        folder = self._folder.step(planned.node)
        run = {"kind": self._plan.kind, "name": self._plan.name}
        entry = kept.entry.model_copy(update=run)
        try:
            with self._store.reading():
                link_files(entry, kept.folder, folder.root)
            write_entry(entry, folder.entry)
        except OSError:
            shutil.rmtree(folder.root, ignore_errors=True)
            return None
        if self._is_cached(kept):
            self._store.touch(kept)
            self._used.add(kept.folder)
        now = time.time()
        return entry.result.model_copy(
            update={
                "started_at": now,
                "finished_at": now,
                "reused_from": entry.run_id,
                "run_reason": None,
                "run_detail": decision.detail,
            }
        )

    def take_note(self, planned: PlannedStep, result: StepResult) -> None:
        """Take note of a result of this run, and keep it where all is known that there will be."""
        self._results[planned.node] = result
        if not declares_reference(self._project, planned):
            self._keep(planned, result)

    def conclude(
        self, results: Collection[StepResult], static: Mapping[str, tuple[Finding, ...]]
    ) -> None:
        """Keep the steps whose drift is known now, and hold the cache within its limit.

        ``static`` are findings of the results that each run makes anew.
        """
        for result in results:
            planned = self._plan.step(result.node)
            if result.node in self._results and declares_reference(self._project, planned):
                anew = static.get(result.node, ())
                own = tuple(finding for finding in result.findings if finding not in anew)
                self._keep(planned, result.model_copy(update={"findings": own}))
        self.close()

    def close(self) -> None:
        """Hold the cache within its limit and keep the digests of large files."""
        # A full disk is no reason to fail a run that has passed.
        with suppress(OSError):
            if self._plan.reuse.cache:
                self._store.prune(self._project.cache.limit, self._used)
            self._digests.save()

    def _keep(self, planned: PlannedStep, result: StepResult) -> None:
        key = self._made.get(planned.node)
        has_fault = any(port.drift is not None and port.drift.fault for port in result.outputs)
        is_new = result.status is Status.PASSED and not result.reused_from
        if key is None or not is_new or has_fault:
            return
        assert self._folder is not None
        folder = self._folder.step(planned.node)
        known = {
            on_host(folder, port.path) / file.name: file.digest
            for port in result.outputs
            for file in port.files
            if file.digest
        }
        # That a step can't be kept costs time later, and is no fault.
        with suppress(OSError):
            listed = list_files(folder, planned.step, known)
            if listed is None:
                return
            files, folders = listed
            barred = self._barred(planned)
            entry = Entry(
                node=planned.node,
                run_id=self._folder.run_id,
                kind=self._plan.kind,
                name=self._plan.name,
                at=time.time(),
                parts={group: dict(names) for group, names in key.parts.items()},
                barred=barred.detail if barred else "",
                reports=self._plan.rendered,
                result=self._redactor.redact_model(result),
                files=files,
                folders=folders,
            )
            write_entry(entry, folder.entry)
            if self._plan.reuse.cache and barred is None:
                self._used.add(self._store.put(entry, folder.root))


def _in_run(run: RunFolder, node: str) -> Iterator[Kept]:
    folder = run.step(node)
    entry = read_entry(folder.entry)
    if entry is not None:
        yield Kept(entry, folder.root)
