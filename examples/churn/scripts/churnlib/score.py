"""Score customers with the trained model: python -m churnlib.score"""

import argparse
import json
import os
from pathlib import Path

import pandas as pd

from .features import ID, build_features, load_spec, read_customers
from .model import apply_calibration, churn_score, load_calibration, load_model

BASE = Path("/opt/ml/processing")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--low", type=float, default=0.5)
    parser.add_argument("--high", type=float, default=0.8)
    args = parser.parse_args()

    customers = read_customers(BASE / "input" / "customers")
    spec = load_spec(BASE / "input" / "artifacts")
    model = load_model(BASE / "input" / "model")
    calibration = load_calibration(BASE / "input" / "calibration")
    if calibration is None:
        print("no calibration: raw scores are used as probabilities")

    scores = churn_score(model, build_features(customers, spec))
    probability = apply_calibration(calibration, scores)
    result = pd.DataFrame({ID: customers[ID], "score": scores.round(6), "churn_probability": probability.round(6)})
    result["risk"] = pd.cut(result["churn_probability"], [-1, args.low, args.high, 2], labels=["low", "medium", "high"], right=False)
    result["as_of"] = spec["snapshot"]
    result["model_name"] = os.environ.get("MODEL_NAME", "churn")
    result = result.sort_values(["churn_probability", ID], ascending=[False, True])

    output = BASE / "output" / "scores"
    output.mkdir(parents=True, exist_ok=True)
    result.to_csv(output / "scores.csv", index=False)
    summary = {
        "customers": len(result),
        "mean_probability": round(float(result["churn_probability"].mean()), 6),
        "high_risk_share": round(float((result["risk"] == "high").mean()), 6),
        "calibrated": calibration is not None,
    }
    (output / "summary.json").write_text(json.dumps(summary, indent=2))
    print(f"scored {len(result)} customers: {summary}")


if __name__ == "__main__":
    main()
