"""Train a churn model: logistic regression or boosted trees."""

import argparse
import json
import os
from pathlib import Path

import joblib
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from churnlib.features import BOOLEAN, CATEGORIES, FEATURES, LABEL, NUMERIC, read_features
from churnlib.model import churn_score


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--algorithm", choices=["logistic", "boosting"], default="logistic")
    parser.add_argument("-C", "--C", type=float, default=1.0)
    parser.add_argument("--max_iter", type=int, default=300)
    parser.add_argument("--learning_rate", type=float, default=0.05)
    parser.add_argument("--max_leaf_nodes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
    parser.add_argument("--validation", default=os.environ.get("SM_CHANNEL_VALIDATION", "/opt/ml/input/data/validation"))
    parser.add_argument("--model_dir", default=os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    parser.add_argument("--output_data_dir", default=os.environ.get("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"))
    args, _ = parser.parse_known_args()
    return args


def read_channel(folder):
    files = sorted(Path(folder).glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"no csv file in {folder}")
    return pd.concat([read_features(file) for file in files], ignore_index=True)


def build_model(args, labels):
    if labels.nunique() < 2:
        print("only one class among the labels: the model will always say the same")
        return DummyClassifier(strategy="prior")
    encode = ColumnTransformer(
        [
            ("numeric", StandardScaler(), NUMERIC),
            ("boolean", "passthrough", BOOLEAN),
            ("category", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
        ]
    )
    if args.algorithm == "boosting":
        estimator = HistGradientBoostingClassifier(
            learning_rate=args.learning_rate,
            max_iter=args.max_iter,
            max_leaf_nodes=args.max_leaf_nodes,
            min_samples_leaf=40,
            early_stopping=False,
            random_state=args.seed,
        )
    else:
        estimator = LogisticRegression(C=args.C, max_iter=args.max_iter)
    return make_pipeline(encode, estimator)


def measure(model, frame):
    labels, scores = frame[LABEL].astype(bool), churn_score(model, frame)
    result = {"rows": len(frame), "brier": round(float(brier_score_loss(labels, scores)), 6)}
    # with one class only nothing can be ranked: chance level
    result["auc"] = round(float(roc_auc_score(labels, scores)), 6) if labels.nunique() == 2 else 0.5
    return result


if __name__ == "__main__":
    args = parse_args()
    train, validation = read_channel(args.train), read_channel(args.validation)
    labels = train[LABEL].astype(bool)
    model = build_model(args, labels).fit(train[FEATURES], labels)
    metrics = {"train": measure(model, train), "validation": measure(model, validation)}
    for name, values in metrics.items():
        print(" ".join([f"{name}:"] + [f"{key}={value};" for key, value in values.items()]))

    model_dir, output_dir = Path(args.model_dir), Path(args.output_data_dir)
    model_dir.mkdir(parents=True, exist_ok=True)
    output_dir.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, model_dir / "model.joblib")
    metadata = {
        "algorithm": args.algorithm,
        "features": FEATURES,
        "label": LABEL,
        "positive_share": round(float(labels.mean()), 6),
        "scikit_learn": sklearn.__version__,
        "metrics": metrics,
    }
    (model_dir / "metadata.json").write_text(json.dumps(metadata, indent=2))
    (output_dir / "metrics.json").write_text(json.dumps(metrics, indent=2))
