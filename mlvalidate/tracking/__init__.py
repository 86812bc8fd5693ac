"""Recording runs in MLflow: the only package that imports mlflow."""
