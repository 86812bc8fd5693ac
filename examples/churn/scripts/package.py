"""Pack the model, its calibration and the inference code into one archive that an endpoint can load."""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

INPUT = Path("/opt/ml/processing/input")
OUTPUT = Path("/opt/ml/processing/output/package")
CODE = Path(__file__).resolve().parent


def collect(folder):
    """Lay out what the archive holds."""
    with tarfile.open(INPUT / "model" / "model.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    shutil.copy(INPUT / "artifacts" / "feature_spec.json", folder)
    shutil.copy(INPUT / "calibration" / "calibration.json", folder)
    code = folder / "code" / "churnlib"
    code.mkdir(parents=True)
    shutil.copy(CODE / "inference.py", folder / "code")
    for module in sorted((CODE / "churnlib").glob("*.py")):
        shutil.copy(module, code)


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def pack(folder, archive):
    """A tar.gz that depends on the content only: no times, no owners."""
    with open(archive, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped:
        with tarfile.open(fileobj=zipped, mode="w") as tar:
            for path in files_of(folder):
                info = tarfile.TarInfo(path.relative_to(folder).as_posix())
                info.size, info.mode = path.stat().st_size, 0o644
                with open(path, "rb") as content:
                    tar.addfile(info, content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model-name", default="churn")
    args = parser.parse_args()

    evaluation = json.loads((INPUT / "evaluation" / "evaluation.json").read_text())
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        collect(folder)
        manifest = {
            "name": args.model_name,
            "version": os.environ.get("MODEL_VERSION", "0"),
            "algorithm": evaluation["algorithm"],
            "metrics": evaluation["metrics"],
            "entry_point": "code/inference.py",
            "files": {
                path.relative_to(folder).as_posix(): {
                    "bytes": path.stat().st_size,
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                }
                for path in files_of(folder)
            },
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
        shutil.copy(folder / "manifest.json", OUTPUT)
        pack(folder, OUTPUT / "model.tar.gz")
    print(f"packed {len(manifest['files']) + 1} files")
