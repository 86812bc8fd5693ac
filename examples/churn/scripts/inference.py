"""What the endpoint runs: the functions that SageMaker's scikit-learn container looks for."""

import io
import json
import os
import sys
from pathlib import Path

import joblib
import pandas as pd

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from churnlib.features import ID, build_features, clean, load_spec  # noqa: E402
from churnlib.model import apply_calibration, churn_score, load_calibration  # noqa: E402


def model_fn(model_dir):
    return {
        "model": joblib.load(Path(model_dir) / "model.joblib"),
        "spec": load_spec(model_dir),
        "calibration": load_calibration(model_dir),
    }


def input_fn(body, content_type="text/csv"):
    if content_type == "application/json":
        return clean(pd.DataFrame(json.loads(body)))
    if content_type == "text/csv":
        return clean(pd.read_csv(io.StringIO(body), dtype={ID: str}))
    raise ValueError(f"unsupported content type: {content_type}")


def predict_fn(customers, loaded):
    scores = churn_score(loaded["model"], build_features(customers, loaded["spec"]))
    probability = apply_calibration(loaded["calibration"], scores)
    return pd.DataFrame({ID: customers[ID], "churn_probability": probability.round(6)})


def output_fn(prediction, accept="application/json"):
    return prediction.to_json(orient="records"), accept
