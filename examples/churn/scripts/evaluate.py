"""Judge the model on the customers that it has never seen."""

import json
import os
import tarfile

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss, log_loss, roc_auc_score

from churnlib.features import ID, LABEL, read_features
from churnlib.model import churn_score

if __name__ == "__main__":
    model_path = "/opt/ml/processing/model/model.tar.gz"
    with tarfile.open(model_path) as tar:
        tar.extractall(path="/opt/ml/processing/model", filter="data")
    model = joblib.load("/opt/ml/processing/model/model.joblib")
    with open("/opt/ml/processing/model/metadata.json") as file:
        metadata = json.load(file)

    test = read_features("/opt/ml/processing/test/test.csv")
    labels = test[LABEL].astype(bool)
    scores = churn_score(model, test)
    both = labels.nunique() == 2
    report = {
        "algorithm": metadata["algorithm"],
        "customers": len(test),
        "churned_share": round(float(labels.mean()), 6),
        "metrics": {
            # with one class only nothing can be ranked: chance level
            "auc": round(float(roc_auc_score(labels, scores)), 6) if both else 0.5,
            "average_precision": round(float(average_precision_score(labels, scores)), 6) if both else float(labels.mean()),
            "brier": round(float(brier_score_loss(labels, scores)), 6),
            "log_loss": round(float(log_loss(labels, scores, labels=[False, True])), 6),
            "accuracy": round(float(accuracy_score(labels, scores >= 0.5)), 6),
        },
    }
    print(json.dumps(report, indent=2))

    for output_dir in ("/opt/ml/processing/evaluation", "/opt/ml/processing/predictions"):
        os.makedirs(output_dir, exist_ok=True)
    with open("/opt/ml/processing/evaluation/evaluation.json", "w") as file:
        json.dump(report, file, indent=2)
    predictions = pd.DataFrame({ID: test[ID], LABEL: labels, "score": scores.round(6)})
    predictions.to_csv("/opt/ml/processing/predictions/predictions.csv", index=False)
