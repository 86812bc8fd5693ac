"""Loading a trained model and applying it."""

import json
import tarfile
from pathlib import Path

import joblib
import numpy as np

from .features import FEATURES

EPSILON = 1e-6


def unpack_model(folder):
    """SageMaker hands a model over as model.tar.gz: unpack it where it lies."""
    archive = Path(folder) / "model.tar.gz"
    if archive.exists():
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")


def load_model(folder):
    unpack_model(folder)
    return joblib.load(Path(folder) / "model.joblib")


def churn_score(model, features):
    """The probability of churn; a model that saw one class only says 0 or 1."""
    probabilities = model.predict_proba(features[FEATURES])
    classes = [bool(label) for label in model.classes_]
    if True not in classes:
        return np.zeros(len(features))
    return probabilities[:, classes.index(True)]


def logit(scores):
    scores = np.clip(scores, EPSILON, 1 - EPSILON)
    return np.log(scores / (1 - scores))


def load_calibration(folder):
    """The calibration, or None if there is none: scores are then taken as they are."""
    path = Path(folder) / "calibration.json"
    return json.loads(path.read_text()) if path.exists() else None


def apply_calibration(calibration, scores):
    method = calibration["method"] if calibration else "none"
    if method == "platt":
        return 1 / (1 + np.exp(-(calibration["slope"] * logit(scores) + calibration["intercept"])))
    if method == "isotonic":
        return np.interp(scores, calibration["x"], calibration["y"])
    return np.asarray(scores, dtype=float)
