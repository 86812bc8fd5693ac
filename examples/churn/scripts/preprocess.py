"""Split the customers and build the features of each split."""

import argparse
import logging
import os
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

from churnlib.features import ID, LABEL, build_features, fit_spec, read_customers, save_spec

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
logger = logging.getLogger("preprocess")

INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing"


def split(frame, share, seed):
    """Two parts, stratified by the label where each class has enough members."""
    counts = frame[LABEL].value_counts()
    enough = len(counts) > 1 and counts.min() * min(share, 1 - share) >= 2
    return train_test_split(frame, test_size=share, random_state=seed, stratify=frame[LABEL] if enough else None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-ratio", type=float, default=0.2)
    parser.add_argument("--validation-ratio", type=float, default=0.1)
    parser.add_argument("--calibration-ratio", type=float, default=0.2)
    args = parser.parse_args()
    seed = int(os.environ.get("RANDOM_SEED", "42"))

    raw = read_customers(INPUT, need_label=True)
    logger.info("read %d customers", len(raw))

    labelled = raw[raw[ID].notna() & raw[LABEL].notna()].drop_duplicates(ID).reset_index(drop=True)
    labelled[LABEL] = labelled[LABEL].astype(bool)
    if len(labelled) < len(raw):
        logger.warning("dropped %d customers without id or label, or seen twice", len(raw) - len(labelled))
    if len(labelled) < 50:
        raise SystemExit(f"{len(labelled)} labelled customers are too few to train on: 50 is the least")

    rest, test = split(labelled, args.test_ratio, seed)
    rest, calibration = split(rest, args.calibration_ratio / (1 - args.test_ratio), seed)
    train, validation = split(rest, args.validation_ratio / (1 - args.test_ratio - args.calibration_ratio), seed)

    spec = fit_spec(train)
    save_spec(spec, Path(OUTPUT) / "artifacts")
    for name, part in {"train": train, "validation": validation, "calibration": calibration, "test": test}.items():
        features = pd.concat([build_features(part, spec), part[LABEL]], axis=1)
        folder = Path(OUTPUT) / name
        folder.mkdir(parents=True, exist_ok=True)
        features.to_csv(folder / f"{name}.csv", index=False)
        logger.info("%s: %d rows, %.1f%% churned", name, len(features), 100 * features[LABEL].mean())
