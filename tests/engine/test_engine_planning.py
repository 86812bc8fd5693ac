"""Plans: order, merges, where inputs come from, and what can't be planned."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlvalidate.core.contracts import Access
from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.plan import DataSource, Origin, Plan, PlannedInput, PlannedStep
from mlvalidate.engine.hashing import hash_code, hash_contract, hash_data
from mlvalidate.engine.planning import Choices, concrete_name, plan_pipeline, plan_script
from mlvalidate.engine.sandbox import Sandboxing, detect_sandboxing
from tests.projects import ProjectFolder

DATASETS = {
    "d": {"columns": {"x": {"type": "integer"}}, "sample": "data/real.csv"},
    "e": {"columns": {"x": {"type": "integer"}}},
}


def declare(project: ProjectFolder, **keys: object) -> None:
    """A project with steps whose scripts exist."""
    steps = keys.get("steps")
    assert isinstance(steps, dict)
    for name, step in steps.items():
        if "command" not in step:
            step.setdefault("script", f"{name}.py")
            project.write(step["script"], "pass\n")
    project.write("data/real.csv", "x\n1\n")
    project.declare(**keys)


def plan(project: ProjectFolder, name: str | None = None, **choices: object) -> Plan:
    return plan_pipeline(project.load(), name, Choices(**choices), detect_sandboxing())  # type: ignore[arg-type]


def plan_step(project: ProjectFolder, name: str = "a", **choices: object) -> PlannedStep:
    script = plan_script(project.load(), name, Choices(**choices), detect_sandboxing())  # type: ignore[arg-type]
    assert script.kind == "script"
    return script.steps[0]


def plan_input(project: ProjectFolder, **choices: object) -> PlannedInput:
    return plan_step(project, **choices).inputs[0]


def with_input(project: ProjectFolder, **port: object) -> None:
    declare(project, datasets=DATASETS, steps={"a": {"inputs": {"in": port}}})


class TestOrder:
    """Producers first, otherwise as the project file has them."""

    def order(self, project: ProjectFolder, nodes: list[str], edges: dict[str, str]) -> list[str]:
        ports = {"inputs": {"i": {}, "j": {}}, "outputs": {"o": {}}}
        ports["inputs"] = {name: {"required": False} for name in ports["inputs"]}
        declare(
            project,
            steps={node: dict(ports) for node in nodes},
            pipelines={"p": {"nodes": nodes, "edges": edges}},
        )
        return [step.node for step in plan(project).steps]

    def test_without_edges(self, project: ProjectFolder) -> None:
        assert self.order(project, ["c", "a", "b"], {}) == ["c", "a", "b"]

    def test_a_chain_listed_backwards(self, project: ProjectFolder) -> None:
        edges = {"c.i": "b.o", "b.i": "a.o"}
        assert self.order(project, ["c", "b", "a"], edges) == ["a", "b", "c"]

    def test_a_diamond(self, project: ProjectFolder) -> None:
        edges = {"d.i": "c.o", "d.j": "b.o", "b.i": "a.o", "c.i": "a.o"}
        assert self.order(project, ["d", "c", "b", "a"], edges) == ["a", "c", "b", "d"]


class TestMerges:
    """A node's own settings go on top of its step's."""

    def test_args_env_and_hyperparameters(self, project: ProjectFolder) -> None:
        declare(
            project,
            defaults={"env": {"A": "default", "B": "default", "C": "default"}, "timeout": "5s"},
            steps={
                "train": {
                    "kind": "training",
                    "args": {"x": 1, "y": 1},
                    "env": {"B": "step", "C": "step"},
                    "hyperparameters": {"depth": 1, "rate": 1},
                    "memory": "1MB",
                }
            },
            pipelines={
                "p": {
                    "nodes": {
                        "train": {},
                        "again": {
                            "step": "train",
                            "args": {"y": 2},
                            "env": {"C": "node"},
                            "hyperparameters": {"rate": 2, "seed": 2},
                        },
                    }
                }
            },
        )
        first, second = plan(project).steps
        assert (first.node, first.step_name) == ("train", "train")
        assert (second.node, second.step_name) == ("again", "train")
        assert first.step.args == {"x": 1, "y": 1}
        assert second.step.args == {"x": 1, "y": 2}
        assert first.env == {"A": "default", "B": "step", "C": "step"}
        assert second.env == {"A": "default", "B": "step", "C": "node"}
        assert second.step.hyperparameters == {"depth": 1, "rate": 2, "seed": 2}
        assert (first.timeout, first.memory) == (5, 10**6)
        assert (first.network, first.credentials) == (Access.DENY, Access.DENY)
        assert first.python == Path(sys.executable)
        # A node of a pipeline can be tested alone, as the pipeline would run it.
        alone = plan_step(project, "again")
        assert (alone.node, alone.step) == ("again", second.step)

    def test_a_list_of_args_can_not_be_merged(self, project: ProjectFolder) -> None:
        declare(
            project,
            steps={"a": {"args": ["--x", "1"]}},
            pipelines={"p": {"nodes": {"a": {"args": {"y": 2}}}}, "q": {"nodes": ["a"]}},
        )
        with pytest.raises(UsageError, match="list of args of step a") as caught:
            plan(project, "p")
        assert caught.value.hint == "write the step's `args` as a mapping"
        assert plan(project, "q").steps[0].step.args == ("--x", "1")


class TestSources:
    """Where an input comes from that no step produces."""

    def test_synthetic(self, project: ProjectFolder) -> None:
        with_input(project, files={"*.csv": "d", "fixed.csv": "e"})
        item = plan_input(project)
        assert item.origin is Origin.SYNTHETIC
        assert [(f.name, f.dataset) for f in item.files] == [("d.csv", "d"), ("fixed.csv", "e")]
        assert item.description == "synthetic d, e"

    def test_sample(self, project: ProjectFolder) -> None:
        with_input(project, files={"*.csv": "d"})
        item = plan_input(project, data=DataSource.SAMPLE)
        assert item.origin is Origin.SAMPLE
        assert [(f.name, f.copied_from) for f in item.files] == [
            ("real.csv", project.root / "data/real.csv")
        ]
        assert item.description == f"sample {project.root}/data/real.csv"

    def test_sample_under_the_declared_name(self, project: ProjectFolder) -> None:
        with_input(project, files={"train.csv": "d"})
        (file,) = plan_input(project, data=DataSource.SAMPLE).files
        assert file.name == "train.csv"

    def test_without_a_sample_it_is_generated(self, project: ProjectFolder) -> None:
        with_input(project, files={"a.csv": "d", "b.csv": "e"})
        assert plan_input(project, data=DataSource.SAMPLE).origin is Origin.SYNTHETIC

    def test_a_sample_folder(self, project: ProjectFolder) -> None:
        datasets = {"d": {**DATASETS["d"], "sample": "data"}}
        project.write("data/deep/more.csv", "x\n2\n")
        declare(
            project, datasets=datasets, steps={"a": {"inputs": {"in": {"files": {"*.csv": "d"}}}}}
        )
        files = plan_input(project, data=DataSource.SAMPLE).files
        assert [file.name for file in files] == ["deep/more.csv", "real.csv"]

    def test_an_empty_sample_folder(self, project: ProjectFolder) -> None:
        datasets = {"d": {**DATASETS["d"], "sample": "empty"}}
        (project.root / "empty").mkdir()
        declare(
            project, datasets=datasets, steps={"a": {"inputs": {"in": {"files": {"*.csv": "d"}}}}}
        )
        with pytest.raises(UsageError, match=r"sample folder .*empty of dataset d is empty"):
            plan_input(project, data=DataSource.SAMPLE)

    def test_the_sample_of_a_port_wins(self, project: ProjectFolder) -> None:
        with_input(project, sample="data", files={"*.csv": "d"})
        item = plan_input(project)
        assert (item.origin, item.folder) == (Origin.SAMPLE, project.root / "data")

    def test_an_optional_input_stays_empty(self, project: ProjectFolder) -> None:
        with_input(project, required=False)
        item = plan_input(project)
        assert (item.origin, item.description) == (Origin.ABSENT, "left empty (optional)")

    def test_a_given_folder_wins(self, project: ProjectFolder) -> None:
        with_input(project, sample="data", files={"*.csv": "d"})
        item = plan_input(project, folders={"a.in": project.root / "data"})
        assert (item.origin, item.folder) == (Origin.FOLDER, project.root / "data")

    def test_a_given_file(self, project: ProjectFolder) -> None:
        with_input(project, files={"train.csv": "d"})
        item = plan_input(project, folders={"a.in": project.root / "data/real.csv"})
        assert item.folder is None
        (file,) = item.files
        assert (file.name, file.copied_from) == ("train.csv", project.root / "data/real.csv")

    def test_a_given_folder_that_is_not_there(self, project: ProjectFolder) -> None:
        with_input(project)
        with pytest.raises(UsageError, match="nowhere is not there; it was to be input in"):
            plan_input(project, folders={"a.in": project.root / "nowhere"})

    def test_a_given_folder_for_an_unknown_input(self, project: ProjectFolder) -> None:
        with_input(project, required=False)
        with pytest.raises(UsageError, match=r"--data-dir: there is no input 'a\.inn'") as caught:
            plan_input(project, folders={"a.inn": project.root})
        assert caught.value.hint == "did you mean 'a.in'?"

    @pytest.mark.parametrize("files", [{}, {"m.tar.gz": "archive", "a.csv": "d"}])
    def test_nothing_can_be_generated(self, project: ProjectFolder, files: dict[str, str]) -> None:
        ports = {"in": {"files": files}, "more": {"files": files}}
        declare(project, datasets=DATASETS, steps={"a": {"inputs": ports}})
        with pytest.raises(UsageError) as caught:
            plan_step(project)
        assert caught.value.message == (
            "nothing provides in, more of a: only tables with a dataset can be generated"
        )
        assert caught.value.hint.startswith(
            "give it: --data-dir in=PATH --data-dir more=PATH, or set `sample` of the port, or "
            "mark it `required: false`"
        )


class TestEdges:
    """Inputs that another node produces."""

    def declare(self, project: ProjectFolder, subpath: str = "", **files: str) -> None:
        declare(
            project,
            datasets=DATASETS,
            steps={
                "make": {"outputs": {"out": {"files": {"data.csv": "d", **files}}}},
                "use": {"inputs": {"in": {}}},
            },
            pipelines={"p": {"nodes": ["make", "use"], "edges": {"use.in": f"make.out{subpath}"}}},
        )
        project.write(
            "make.py",
            "import os\nos.makedirs('/opt/ml/processing/output/out/deep')\n"
            "for name in ('data.csv', 'm.bin', 'deep/x'):\n"
            "    open('/opt/ml/processing/output/out/' + name, 'w').write('x\\n1\\n')\n",
        )

    def test_an_edge(self, project: ProjectFolder) -> None:
        self.declare(project, "/deep")
        item = plan(project).step("use").inputs[0]
        assert (item.origin, item.producer, item.output, item.subpath) == (
            Origin.EDGE, "make", "out", "deep",
        )  # fmt: skip
        assert item.description == "make.out/deep"
        assert plan(project).step("use").depends_on == ("make",)
        with pytest.raises(KeyError):
            plan(project).step("other")

    def test_a_given_folder_replaces_the_edge(self, project: ProjectFolder) -> None:
        self.declare(project)
        step = plan(project, folders={"use.in": project.root / "data"}).step("use")
        assert step.inputs[0].origin is Origin.FOLDER
        assert step.depends_on == ()

    def test_alone_the_producers_files_are_generated(self, project: ProjectFolder) -> None:
        self.declare(project)
        (item,) = plan_step(project, "use").inputs
        assert item.origin is Origin.SYNTHETIC
        assert [file.name for file in item.files] == ["data.csv"]

    def test_alone_the_newest_output_is_offered(
        self, project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.declare(project, **{"m.bin": "file"})
        monkeypatch.chdir(project.root)
        with pytest.raises(UsageError) as caught:
            plan_step(project, "use")
        assert "--data-dir in=PATH," in caught.value.hint
        runs = [project.run_pipeline() for _ in range(2)]
        with pytest.raises(UsageError) as caught:
            plan_step(project, "use")
        newest = runs[-1].folder.root.name
        path = f".mlvalidate/runs/{newest}/steps/make/ml/processing/output/out"
        assert f"--data-dir in={path}," in caught.value.hint
        assert plan_step(project, "use", folders={"use.in": Path(path)}).inputs[0].folder


class TestNames:
    """What to run."""

    def test_the_only_pipeline(self, project: ProjectFolder) -> None:
        declare(project, steps={"a": {}}, pipelines={"p": {"nodes": ["a"]}})
        assert plan(project).name == plan(project, "p").name == "p"
        with pytest.raises(UsageError, match="there is no pipeline 'pp'") as caught:
            plan(project, "pp")
        assert caught.value.hint == "did you mean 'p'?"

    def test_several_pipelines(self, project: ProjectFolder) -> None:
        declare(project, steps={"a": {}}, pipelines={n: {"nodes": ["a"]} for n in ("p", "q")})
        with pytest.raises(UsageError, match="several pipelines") as caught:
            plan(project)
        assert caught.value.hint == "there is p, q"

    def test_no_pipeline(self, project: ProjectFolder) -> None:
        declare(project, steps={"a": {}})
        with pytest.raises(UsageError, match="declares no pipeline") as caught:
            plan(project)
        assert "test-script" in caught.value.hint

    def test_an_unknown_step(self, project: ProjectFolder) -> None:
        declare(
            project,
            steps={"prepare": {}},
            pipelines={"p": {"nodes": {"again": {"step": "prepare"}}}},
        )
        for name, close in (("prepar", "prepare"), ("agian", "again")):
            with pytest.raises(UsageError, match=f"there is no step '{name}'") as caught:
                plan_step(project, name)
            assert caught.value.hint == f"did you mean '{close}'?"


class TestSandbox:
    """Where this machine has no namespaces."""

    REFUSED = Sandboxing(refusal="EPERM", remedy="use docker")

    def plan_kinds(self, project: ProjectFolder, **kinds: str) -> Plan:
        steps: dict[str, dict[str, object]] = {
            name: {"kind": kind, **({"command": ["true"]} if kind == "command" else {})}
            for name, kind in kinds.items()
        }
        declare(project, steps=steps, pipelines={"p": {"nodes": list(kinds)}})
        return plan_pipeline(project.load(), None, Choices(), self.REFUSED)

    def test_paths_that_are_handed_over_can_be_mapped(self, project: ProjectFolder) -> None:
        planned = self.plan_kinds(project, a="callable", b="command")
        assert planned.sandbox_refusal == "EPERM"

    def test_hard_coded_paths_can_not(self, project: ProjectFolder) -> None:
        with pytest.raises(InfrastructureError, match="a, c can't run here") as caught:
            self.plan_kinds(project, a="processing", b="callable", c="training")
        assert "EPERM" in caught.value.message
        assert caught.value.hint.startswith("use docker. ")


class TestCommand:
    """What to type to get the same plan again."""

    def test_every_choice(self, project: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        declare(
            project,
            datasets=DATASETS,
            defaults={"seed": 5},
            steps={"a": {"inputs": {"in": {"files": {"*.csv": "d"}}}}},
            pipelines={"p": {"nodes": ["a"]}},
        )
        monkeypatch.chdir(project.root)
        planned = plan(project)
        assert (planned.command, planned.seed) == ("mlvalidate test-pipeline p", 5)
        monkeypatch.chdir(project.root.parent)
        planned = plan(
            project,
            data=DataSource.SAMPLE,
            rows=10,
            seed=0,
            folders={"a.in": project.root / "data"},
        )
        assert planned.command == (
            f"mlvalidate test-pipeline p -C project --data sample "
            f"--data-dir a.in={project.root}/data --rows 10 --seed 0"
        )
        assert (planned.rows, planned.seed) == (10, 0)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("train.csv", "train.csv"), ("*.csv", "d.csv"), ("part-*.parquet", "part-d.parquet"),
        ("part-?.csv", "part-0.csv"), ("*.csv.gz", "d.csv.gz"), ("deep/*.csv", "deep/d.csv"),
        ("**/*.csv", "d.csv"), ("*", "d"),
    ],
)  # fmt: skip
def test_a_name_for_a_glob(pattern: str, name: str) -> None:
    assert concrete_name(pattern, "d") == name


class TestHashes:
    """Equal for equal code, contract and data."""

    def test_code(self, project: ProjectFolder) -> None:
        with_input(project, required=False)
        step = plan_step(project)
        first = hash_code(step, project.root)
        assert len(first) == 16
        assert hash_code(step, project.root) == first
        for name in ("notes.txt", ".hidden/x.py", "venv/pyvenv.cfg", "venv/lib/x.py"):
            project.write(name, "x = 1\n")
        # An editor's lock on a file leads nowhere.
        (project.root / ".#a.py").symlink_to("me@host.123")
        assert hash_code(step, project.root) == first
        project.write("helpers/x.py", "x = 1\n")
        second = hash_code(step, project.root)
        assert second != first
        project.write("helpers/x.py", "x = 2\n")
        assert hash_code(step, project.root) not in (first, second)

    def test_contract(self, project: ProjectFolder) -> None:
        hashes = set()
        for type_, extra in (("integer", {}), ("float", {}), ("integer", {"env": {"A": "1"}})):
            datasets = {"d": {"columns": {"x": {"type": type_}}}, "other": DATASETS["e"]}
            declare(
                project,
                datasets=datasets,
                steps={"a": {"inputs": {"in": {"files": {"*.csv": "d"}}}, **extra}},
            )
            loaded = project.load()
            hashes.add(hash_contract(plan_step(project), loaded))
        assert len(hashes) == 3
        datasets["other"] = {"columns": {"y": {"type": "date"}}}
        project_hash = hash_contract(plan_step(project), loaded)
        project.declare(
            datasets=datasets,
            steps={"a": {"script": "a.py", "inputs": {"in": {"files": {"*.csv": "d"}}}, **extra}},
        )
        assert hash_contract(plan_step(project), project.load()) == project_hash

    def test_command(self, project: ProjectFolder) -> None:
        hashes = []
        for words in (["true"], ["true", "x"], ["true"]):
            declare(project, steps={"a": {"kind": "command", "command": words}})
            hashes.append(hash_code(plan_step(project), project.root))
        assert hashes[0] == hashes[2] != hashes[1]

    def test_data(self) -> None:
        from mlvalidate.core.results import FileSummary, PortSummary

        def port(name: str, file: str, digest: str) -> PortSummary:
            files = (FileSummary(name=file, size_bytes=1, digest=digest),)
            return PortSummary(port=name, path="/x", files=files)

        ports = [port("a", "f", "1"), port("b", "f", "1"), port("a", "g", "1"), port("a", "f", "2")]
        assert len({hash_data([item]) for item in ports}) == 4
        assert hash_data(ports) == hash_data(ports)
        assert hash_data([]) != hash_data(ports)
