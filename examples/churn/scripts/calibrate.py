"""Turn the model's scores into probabilities that can be taken at their word."""

import argparse
import json
import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from churnlib.features import LABEL, read_features
from churnlib.model import apply_calibration, churn_score, load_model, logit

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
logger = logging.getLogger("calibrate")

MODEL_PATH = "/opt/ml/processing/input/model"
CALIBRATION_PATH = "/opt/ml/processing/input/calibration"
CALIBRATOR_PATH = "/opt/ml/processing/output/calibrator"
REPORT_PATH = "/opt/ml/processing/output/report"


def fit_calibration(method, scores, labels):
    if len(np.unique(labels)) < 2:
        logger.warning("one class only: scores are left as they are")
        return {"method": "none"}
    if method == "platt":
        regression = LogisticRegression(C=1e6, max_iter=200).fit(logit(scores).reshape(-1, 1), labels)
        return {"method": "platt", "slope": float(regression.coef_[0, 0]), "intercept": float(regression.intercept_[0])}
    if method == "isotonic":
        regression = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, labels)
        return {"method": "isotonic", "x": regression.X_thresholds_.tolist(), "y": regression.y_thresholds_.tolist()}
    raise ValueError(f"unknown calibration method: {method}")


def reliability(probabilities, labels, bins):
    """Said against seen, in bins of equal width; an empty bin has neither."""
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(probabilities, edges) - 1, 0, bins - 1)
    table = pd.DataFrame({"bin": place, "said": probabilities, "seen": labels.astype(float)})
    grouped = table.groupby("bin").agg(customers=("said", "size"), said=("said", "mean"), seen=("seen", "mean"))
    grouped = grouped.reindex(pd.RangeIndex(bins, name="bin"))
    grouped["customers"] = grouped["customers"].fillna(0).astype("int64")
    grouped.insert(0, "upper", edges[1:].round(6))
    grouped.insert(0, "lower", edges[:-1].round(6))
    return grouped.round(6).reset_index()


def main(input_paths: dict, output_paths: dict, environ_vars: dict, job_args: argparse.Namespace):
    method = environ_vars.get("CALIBRATION_METHOD", "platt")
    bins = int(job_args.bins)

    model = load_model(input_paths["model"])
    frame = read_features(Path(input_paths["calibration"]) / "calibration.csv")
    labels = frame[LABEL].astype(bool).to_numpy()
    scores = churn_score(model, frame)

    calibration = fit_calibration(method, scores, labels)
    probabilities = apply_calibration(calibration, scores)
    report = {
        "method": calibration["method"],
        "customers": len(frame),
        "brier_before": round(float(brier_score_loss(labels, scores)), 6),
        "brier_after": round(float(brier_score_loss(labels, probabilities)), 6),
    }
    logger.info("calibrated: %s", report)

    calibrator_dir, report_dir = Path(output_paths["calibrator"]), Path(output_paths["report"])
    for folder in (calibrator_dir, report_dir):
        folder.mkdir(parents=True, exist_ok=True)
    (calibrator_dir / "calibration.json").write_text(json.dumps(calibration, indent=2))
    (report_dir / "report.json").write_text(json.dumps(report, indent=2))
    reliability(probabilities, labels, bins).to_csv(report_dir / "reliability.csv", index=False)
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bins", type=int, default=10)
    job_args = parser.parse_args()

    input_paths = {"model": MODEL_PATH, "calibration": CALIBRATION_PATH}
    output_paths = {"calibrator": CALIBRATOR_PATH, "report": REPORT_PATH}
    environ_vars = {"CALIBRATION_METHOD": os.environ.get("CALIBRATION_METHOD", "platt")}
    main(input_paths, output_paths, environ_vars, job_args)
