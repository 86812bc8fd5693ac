"""Native code with threads, in this process and in workers."""
import os

import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

rows, label = make_classification(600, 8, random_state=3)
product = np.ones((700, 700)) @ np.ones((700, 700))
print(product.sum(), np.linalg.svd(rows, compute_uv=False).round(6))
print(len(os.listdir("/proc/self/task")) > 1 or os.cpu_count() == 1)
for model in (
    LogisticRegression(),
    HistGradientBoostingClassifier(max_iter=20, random_state=1),
    RandomForestClassifier(20, n_jobs=2, random_state=1),
):
    print(model.fit(rows, label).predict_proba(rows)[:3].round(6))
print(cross_val_score(LogisticRegression(), rows, label, n_jobs=2).round(6))
print(joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(-number) for number in range(4)))
frame = pd.DataFrame(rows).assign(label=label)
print(frame.groupby("label").mean().round(6))
folder = "/opt/ml/processing/output"
frame.to_parquet(folder + "/frame.parquet")
print(pd.read_parquet(folder + "/frame.parquet").equals(frame.rename(columns=str)))
joblib.dump(model, folder + "/model.joblib")
print(joblib.load(folder + "/model.joblib").n_features_in_)
