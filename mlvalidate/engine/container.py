"""What a SageMaker container would give a script: paths, argv, environment, configuration files.

Sources: the SageMaker developer guide ("How Amazon SageMaker AI Processing Jobs run / provide
training information") and the sagemaker-training toolkit for script mode.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlvalidate.core.contracts import Access, Kind
from mlvalidate.core.plan import Origin, PlannedStep
from mlvalidate.core.run_folder import StepFolder
from mlvalidate.engine.outputs import is_own_folder, on_host
from mlvalidate.engine.sandbox import HOST_NAME

HARNESS_IN_CONTAINER = "/opt/mlvalidate"
# Where SageMaker puts the code of a job.
CODE_FOLDERS = {
    Kind.PROCESSING: "/opt/ml/processing/input/code",
    Kind.TRAINING: "/opt/ml/code",
}

_HARNESS = Path(__file__).parent / "worker" / "harness"
# Names under which the stand-in for pip is found on PATH.
_INSTALLERS = ("pip", "pip3", "conda", "mamba", "uv", "apt-get", "apt", "yum")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REGION = "us-east-1"
_ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Start:
    """How the script is started."""

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str


@dataclass(frozen=True)
class Paths:
    """Where the script finds its ports: in the sandbox, or on this machine without one.

    ``inputs`` are the folders that stand in for inputs when there is no sandbox.
    """

    planned: PlannedStep
    folder: StepFolder
    in_sandbox: bool

    def port(self, direction: str, name: str) -> str:
        """Return the path of a port as the script sees it."""
        return self.locate(self.planned.step.container_path(direction, name))

    def locate(self, container_path: str) -> str:
        """Return the path that stands for a container path."""
        if self.in_sandbox:
            return container_path
        return str(self.on_host(container_path))

    def on_host(self, container_path: str) -> Path:
        """Return where a path below /opt/ml lies in the step's folder."""
        return on_host(self.folder, container_path)

    @property
    def harness(self) -> str:
        """The folder of the stand-ins as the script sees it."""
        return HARNESS_IN_CONTAINER if self.in_sandbox else str(self.folder.harness)

    def translate(self, text: str) -> str:
        """Fill in {inputs.x} and {outputs.x}; without a sandbox, map paths of ports as well."""
        step = self.planned.step
        replacements = {"{harness}": self.harness}
        for direction, ports in (("input", step.inputs), ("output", step.outputs)):
            for name in ports:
                path = self.port(direction, name)
                replacements[f"{{{direction}s.{name}}}"] = path
                replacements[step.container_path(direction, name)] = path
        # One pass, longest first: what has been filled in is not looked at again.
        longest_first = sorted(replacements, key=len, reverse=True)
        pattern = "|".join(map(re.escape, longest_first))
        if not pattern:
            return text
        return re.sub(pattern, lambda found: replacements[found[0]], text)


def make_folders(paths: Paths) -> None:
    """Create what the container would have ready: ports, configuration, the stand-ins."""
    planned, folder = paths.planned, paths.folder
    step = planned.step
    shutil.copytree(_HARNESS, folder.harness, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _INSTALLERS[1:]:
        (folder.harness / "bin" / name).symlink_to("pip")
    (folder.harness / "notes.jsonl").touch()
    (folder.harness / "hosts").write_text(_hosts())
    for item in planned.inputs:
        # SageMaker makes no folder for an input that a job does not have.
        if item.origin is not Origin.ABSENT:
            paths.on_host(item.container_path).mkdir(parents=True, exist_ok=True)
    for name in step.outputs:
        paths.on_host(step.container_path("output", name)).mkdir(parents=True, exist_ok=True)
    if step.kind is Kind.TRAINING:
        for path in ("/opt/ml/model", "/opt/ml/output/data"):
            paths.on_host(path).mkdir(parents=True, exist_ok=True)
    else:
        paths.on_host("/opt/ml/output").mkdir(parents=True, exist_ok=True)
    for container_path, content in _configuration(planned).items():
        target = paths.on_host(container_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content))


def _hosts() -> str:
    """Return /etc/hosts with the name that SageMaker's configuration files give this machine."""
    path = Path("/etc/hosts")
    known = path.read_text(errors="replace") if path.is_file() else "127.0.0.1 localhost\n"
    return f"{known.rstrip()}\n127.0.0.1 {HOST_NAME}\n"


def _job_name(planned: PlannedStep) -> str:
    return planned.node.replace("_", "-")


def _job_arn(planned: PlannedStep) -> str:
    job = "training-job" if planned.step.kind is Kind.TRAINING else "processing-job"
    return f"arn:aws:sagemaker:{_REGION}:{_ACCOUNT}:{job}/{_job_name(planned)}"


def _resource_config() -> dict[str, object]:
    return {
        "current_host": HOST_NAME,
        "current_instance_type": "local",
        "current_group_name": "homogeneousCluster",
        "hosts": [HOST_NAME],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "local",
                "hosts": [HOST_NAME],
            }
        ],
        "network_interface_name": "eth0",
    }


def _input_data_config(planned: PlannedStep) -> dict[str, object]:
    return {
        item.port: {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        for item in planned.inputs
        if item.origin is not Origin.ABSENT
    }


def _configuration(planned: PlannedStep) -> dict[str, object]:
    """Return the content of the JSON files that SageMaker leaves for the script, by path."""
    step = planned.step
    if step.kind is Kind.TRAINING:
        folder = "/opt/ml/input/config"
        return {
            f"{folder}/hyperparameters.json": {
                name: as_hyperparameter(value) for name, value in step.hyperparameters.items()
            },
            f"{folder}/inputdataconfig.json": _input_data_config(planned),
            f"{folder}/resourceconfig.json": _resource_config(),
        }
    return {
        "/opt/ml/config/processingjobconfig.json": _processing_job_config(planned),
        "/opt/ml/config/resourceconfig.json": _resource_config(),
    }


def _processing_job_config(planned: PlannedStep) -> dict[str, object]:
    step = planned.step
    return {
        "ProcessingJobArn": _job_arn(planned),
        "ProcessingJobName": _job_name(planned),
        "ProcessingInputs": [
            {
                "InputName": item.port,
                "AppManaged": False,
                "S3Input": {
                    "LocalPath": item.container_path,
                    "S3Uri": f"s3://local/{planned.node}/input/{item.port}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                    "S3DataDistributionType": "FullyReplicated",
                    "S3CompressionType": "None",
                },
            }
            for item in planned.inputs
            if item.origin is not Origin.ABSENT
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": name,
                    "AppManaged": False,
                    "S3Output": {
                        "LocalPath": step.container_path("output", name),
                        "S3Uri": f"s3://local/{planned.node}/output/{name}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for name in step.outputs
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "local", "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ContainerArguments": arguments_of(planned)},
        "Environment": planned.env,
        "StoppingCondition": {"MaxRuntimeInSeconds": int(planned.timeout)},
    }


def as_hyperparameter(value: object) -> str:
    """Return a hyperparameter as SageMaker hands it over: always text, JSON where it is no text."""
    return value if isinstance(value, str) else json.dumps(value)


def _as_argument(value: object) -> str:
    """Return a hyperparameter on the command line of script mode (`True`, `a=1,b=2`)."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return "" if value is None else str(value)


def _hyperparameter_arguments(hyperparameters: Mapping[str, object]) -> list[str]:
    words: list[str] = []
    for name, value in sorted(hyperparameters.items()):
        words += [f"--{name}" if len(name) > 1 else f"-{name}", _as_argument(value)]
    return words


def arguments_of(planned: PlannedStep) -> list[str]:
    """Return the words behind the script on its command line."""
    step = planned.step
    words = _hyperparameter_arguments(step.hyperparameters)
    if isinstance(step.args, tuple):
        return words + list(step.args)
    for name, value in step.args.items():
        if value is None or value is False:
            continue
        words.append(f"--{name}")
        if isinstance(value, tuple):
            words += map(str, value)
        elif value is not True:
            words.append(str(value))
    return words


def code_folder(planned: PlannedStep, root: Path) -> Path:
    """Return the folder that the script is started from, and imports from."""
    step = planned.step
    if step.script:
        return (root / step.script).parent
    return root / step.code_root if step.code_root else root


def make_start(paths: Paths, root: Path) -> Start:
    """Return argv, environment and working folder of the script."""
    planned = paths.planned
    step = planned.step
    python = str(planned.python)
    arguments = [paths.translate(word) for word in arguments_of(planned)]
    if step.kind is Kind.COMMAND:
        argv = [paths.translate(word) for word in step.command or ()] + arguments
    elif step.kind is Kind.CALLABLE:
        argv = [python, f"{paths.harness}/call_main.py", _write_call(paths, root)]
    elif step.module:
        argv = [python, "-m", step.module, *arguments]
    else:
        argv = [python, str(root / (step.script or "")), *arguments]
    env = {name: paths.translate(value) for name, value in environment_of(paths, arguments).items()}
    return Start(tuple(argv), env, _working_folder(paths, root))


def _working_folder(paths: Paths, root: Path) -> str:
    """Return where the script starts.

    A processing job's script starts in `/`, a training job's in its code folder. `python -m` needs
    the code root. Without a sandbox the code folder is the safe choice.
    """
    step = paths.planned.step
    if step.workdir and step.workdir != "code":
        return paths.locate(step.workdir) if step.workdir.startswith("/opt/ml") else step.workdir
    in_root = step.kind is Kind.PROCESSING and step.script and paths.in_sandbox
    if in_root and not step.workdir:
        return "/"
    return str(code_folder(paths.planned, root))


def _write_call(paths: Paths, root: Path) -> str:
    """Write what `call_main.py` needs; return the file's path as the script sees it."""
    planned = paths.planned
    step = planned.step
    assert isinstance(step.args, dict)
    call = {
        "script": str(root / step.script) if step.script else "",
        "module": step.module or "",
        "root": str(code_folder(planned, root)),
        "entry": step.function,
        "input_paths": {item.port: paths.locate(item.container_path) for item in planned.inputs},
        "output_paths": {name: paths.port("output", name) for name in step.outputs},
        "environ_vars": planned.env,
        "job_args": {name.replace("-", "_"): value for name, value in step.args.items()},
    }
    (paths.folder.harness / "call.json").write_text(json.dumps(call))
    return f"{paths.harness}/call.json"


def plain_environment(python: Path) -> dict[str, str]:
    """Return the environment that every script of an interpreter has in common."""
    return {
        "PATH": f"{python.parent}:{_SYSTEM_PATH}",
        "HOME": str(Path.home()),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "UTF-8",
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def environment_of(paths: Paths, arguments: list[str]) -> dict[str, str]:
    """Return the environment of the script; paths in it are container paths."""
    planned = paths.planned
    env = plain_environment(planned.python)
    if planned.credentials is Access.ALLOW:
        del env["AWS_EC2_METADATA_DISABLED"]
        env |= {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    if planned.step.kind is Kind.TRAINING:
        env |= _training_environment(paths, arguments)
    else:
        env |= {
            "PROCESSING_JOB_NAME": _job_name(planned),
            "PROCESSING_JOB_ARN": _job_arn(planned),
        }
    # Read now, and kept nowhere. They were set when the plan was made.
    env |= {name: os.environ[name] for name in planned.pass_env if name in os.environ}
    env |= planned.env
    # The stand-ins come first, whatever the step puts there.
    for name, folder in (("PATH", "bin"), ("PYTHONPATH", "site")):
        behind = [env[name]] if env.get(name) else []
        env[name] = ":".join([f"{paths.harness}/{folder}", *behind])
    return env


def _training_environment(paths: Paths, arguments: list[str]) -> dict[str, str]:
    """Return the SM_* variables of script mode."""
    planned = paths.planned
    step = planned.step
    channels = sorted(item.port for item in planned.inputs if item.origin is not Origin.ABSENT)
    module = step.module or Path(step.script or "").name
    values: dict[str, Any] = {
        "HOSTS": [HOST_NAME],
        "CURRENT_HOST": HOST_NAME,
        "CURRENT_INSTANCE_TYPE": "local",
        "CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "NETWORK_INTERFACE_NAME": "eth0",
        "NUM_CPUS": os.cpu_count() or 1,
        "NUM_GPUS": 0,
        "NUM_NEURONS": 0,
        "LOG_LEVEL": 20,
        "HPS": step.hyperparameters,
        "USER_ENTRY_POINT": module,
        "MODULE_NAME": Path(module).stem,
        "MODULE_DIR": paths.locate(CODE_FOLDERS[Kind.TRAINING]),
        "FRAMEWORK_PARAMS": {},
        "USER_ARGS": arguments,
        "RESOURCE_CONFIG": _resource_config(),
        "INPUT_DATA_CONFIG": _input_data_config(planned),
        "CHANNELS": channels,
        "MODEL_DIR": paths.locate("/opt/ml/model"),
        "INPUT_DIR": paths.locate("/opt/ml/input"),
        "INPUT_CONFIG_DIR": paths.locate("/opt/ml/input/config"),
        "OUTPUT_DIR": paths.locate("/opt/ml/output"),
        "OUTPUT_DATA_DIR": paths.locate("/opt/ml/output/data"),
        "OUTPUT_INTERMEDIATE_DIR": paths.locate("/opt/ml/output/intermediate"),
        **{f"CHANNEL_{channel.upper()}": paths.port("input", channel) for channel in channels},
        **{f"HP_{name.upper()}": value for name, value in step.hyperparameters.items()},
    }
    described = {name.lower(): value for name, value in values.items()}
    return {
        "TRAINING_JOB_NAME": _job_name(planned),
        "TRAINING_JOB_ARN": _job_arn(planned),
        **{f"SM_{name}": _as_variable(value) for name, value in values.items()},
        "SM_TRAINING_ENV": json.dumps(
            {
                **described,
                "job_name": _job_name(planned),
                "channel_input_dirs": {
                    channel: paths.port("input", channel) for channel in channels
                },
            },
            sort_keys=True,
        ),
    }


def _as_variable(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))


def read_message(paths: Paths) -> str:
    """Return what the script left for SageMaker as its failure or exit message, or ''.

    SageMaker keeps the first 1,024 characters of /opt/ml/output/failure (training) and the first
    1 KB of /opt/ml/output/message (processing).
    """
    name = "failure" if paths.planned.step.kind is Kind.TRAINING else "message"
    if not is_own_folder(paths.folder.ml / "output", paths.folder.ml):
        return ""
    try:
        # The script may have left a link or a pipe there: only a plain file is read.
        descriptor = os.open(
            paths.folder.ml / "output" / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        )
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return file.read(4096).decode("utf-8", errors="replace")[:1024]
