"""From raw customers to model features: the same code for training, batch scoring and serving."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

ID = "customer_id"
LABEL = "churned"
SNAPSHOT = "1997-10-01"

DATES = ["first_order", "last_order"]
NUMBERS = ["orders", "cds", "spend", "largest_order", "median_gap_days", "price_per_cd"]
CATEGORIES = ["first_weekday", "basket"]
RAW = [ID, *DATES, *NUMBERS, *CATEGORIES, "weekend_buyer"]

NUMERIC = [
    "tenure_days",
    "recency_days",
    "active_days",
    "orders",
    "cds",
    "log_spend",
    "avg_order_value",
    "largest_share",
    "price_per_cd",
    "median_gap_days",
]
BOOLEAN = ["bought_again", "weekend_buyer"]
FEATURES = NUMERIC + BOOLEAN + CATEGORIES

# What may be missing: there is no gap after one day of buying, and no price per CD without paying.
MAY_BE_EMPTY = ["median_gap_days", "price_per_cd"]
LEAST = {"orders": 1, "cds": 1, "spend": 0, "largest_order": 0, "median_gap_days": 0, "price_per_cd": 0}
KNOWN = {
    "first_weekday": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "basket": ["single", "small", "large"],
}

YES_NO = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}


def read_customers(folder, need_label=False):
    """All csv files of a folder as one frame, with the types the features need."""
    files = sorted(Path(folder).glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"no csv file in {folder}")
    raw = pd.concat([pd.read_csv(file, dtype={ID: str}) for file in files], ignore_index=True)
    return clean(raw, need_label)


def clean(raw, need_label=False):
    needed = RAW + [LABEL] if need_label else RAW
    missing = [column for column in needed if column not in raw.columns]
    if missing:
        raise ValueError(f"columns missing from the customers: {missing}")
    raw = raw.copy()
    for column in DATES:
        raw[column] = pd.to_datetime(raw[column])
    for column in NUMBERS:
        raw[column] = pd.to_numeric(raw[column]).astype("float64")
    raw["weekend_buyer"] = parse_bool(raw["weekend_buyer"])
    if need_label:
        raw[LABEL] = parse_bool(raw[LABEL])
    check(raw, needed)
    raw["weekend_buyer"] = raw["weekend_buyer"].astype(bool)
    return raw


def check(raw, needed):
    """Refuse customers that nobody should learn from or be scored by."""
    if raw.empty:
        raise ValueError("there are no customers")
    problems = [f"{column} has missing values" for column in needed if column not in MAY_BE_EMPTY and raw[column].isna().any()]
    problems += [f"{column} is below {least}" for column, least in LEAST.items() if (raw[column] < least).any()]
    problems += [f"{column} is after {SNAPSHOT}" for column in DATES if (raw[column] >= SNAPSHOT).any()]
    problems += [f"{column} has unknown values" for column, known in KNOWN.items() if not raw[column].isin(known).all()]
    if raw[ID].duplicated().any():
        problems.append(f"{ID} is not unique")
    if problems:
        raise ValueError(f"these are no customers to work with: {'; '.join(problems)}")


def parse_bool(values):
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("boolean")
    text = values.astype("string").str.strip().str.lower()
    unknown = sorted(set(text.dropna()) - set(YES_NO))
    if unknown:
        raise ValueError(f"{values.name}: not a boolean: {unknown[:5]}")
    return pd.Series([YES_NO.get(value) if pd.notna(value) else pd.NA for value in text], index=values.index, dtype="boolean", name=values.name)


def fit_spec(raw):
    """What the features learn from the training customers: fill values and categories, the most common first."""
    base = derive(raw, SNAPSHOT)
    fill = {column: median(base[column]) for column in NUMERIC}
    known = {column: by_frequency(raw[column]) for column in CATEGORIES}
    return {"snapshot": SNAPSHOT, "features": FEATURES, "fill": fill, "categories": known}


def build_features(raw, spec):
    base = derive(raw, spec["snapshot"])
    features = pd.DataFrame({ID: raw[ID]})
    for column in NUMERIC:
        features[column] = base[column].fillna(spec["fill"][column])
    for column in ["tenure_days", "recency_days", "active_days", "orders", "cds"]:
        features[column] = features[column].round().astype("int64")
    for column in ["log_spend", "avg_order_value", "largest_share", "price_per_cd", "median_gap_days"]:
        features[column] = features[column].astype("float64").round(6)
    features["bought_again"] = features["orders"] > 1
    features["weekend_buyer"] = raw["weekend_buyer"]
    for column in CATEGORIES:
        # A model can't weigh a category that it never saw: it is given the most common one.
        known = spec["categories"][column]
        features[column] = raw[column].astype(object).where(raw[column].isin(known), known[0])
    return features[[ID, *FEATURES]]


def by_frequency(values):
    counts = values.astype(str).value_counts()
    return sorted(counts.index, key=lambda value: (-counts[value], value))


def derive(raw, snapshot):
    day = pd.Timestamp(snapshot)
    orders = raw["orders"].clip(lower=1)
    spend = raw["spend"].clip(lower=0)
    return pd.DataFrame(
        {
            "tenure_days": (day - raw["first_order"]).dt.days.clip(lower=0),
            "recency_days": (day - raw["last_order"]).dt.days.clip(lower=0),
            "active_days": (raw["last_order"] - raw["first_order"]).dt.days.clip(lower=0),
            "orders": orders,
            "cds": raw["cds"],
            "log_spend": np.log1p(spend),
            "avg_order_value": spend / orders,
            "largest_share": (raw["largest_order"] / spend.where(spend > 0)).clip(0, 1),
            "price_per_cd": raw["price_per_cd"],
            "median_gap_days": raw["median_gap_days"],
        }
    )


def median(values):
    value = values.median()
    return 0.0 if pd.isna(value) else float(value)


def read_features(path):
    features = pd.read_csv(path, dtype={column: str for column in [ID, *CATEGORIES]})
    check_features(features)
    return features


def check_features(features):
    """Refuse features that no model should be trained on or judged by."""
    missing = [column for column in [ID, *FEATURES, LABEL] if column not in features.columns]
    if missing:
        raise ValueError(f"columns missing from the features: {missing}")
    if features.empty:
        raise ValueError("there are no customers")
    problems = [f"{column} has missing values" for column in [ID, *FEATURES, LABEL] if features[column].isna().any()]
    problems += [f"{column} is no number" for column in NUMERIC if not pd.api.types.is_numeric_dtype(features[column])]
    problems += [f"{column} is no boolean" for column in [*BOOLEAN, LABEL] if not pd.api.types.is_bool_dtype(features[column])]
    if not problems:
        problems += [f"{column} is below 0" for column in NUMERIC if (features[column] < 0).any()]
        problems += [f"{column} has unknown values" for column, known in KNOWN.items() if not features[column].isin(known).all()]
    if features[ID].duplicated().any():
        problems.append(f"{ID} is not unique")
    if problems:
        raise ValueError(f"these are no features to work with: {'; '.join(problems)}")


def save_spec(spec, folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / "feature_spec.json").write_text(json.dumps(spec, indent=2))


def load_spec(folder):
    return json.loads((Path(folder) / "feature_spec.json").read_text())
