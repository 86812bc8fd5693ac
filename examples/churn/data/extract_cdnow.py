"""Make customers.csv out of the CDNOW purchase log that the PyPI package Lifetimes ships.

    pip download --no-deps Lifetimes==0.11.3
    python extract_cdnow.py Lifetimes-0.11.3-py3-none-any.whl
"""

import sys
import zipfile
from pathlib import Path

import pandas as pd

MEMBER = "lifetimes/datasets/CDNOW_master.txt"
SNAPSHOT = pd.Timestamp("1997-10-01")  # what is known before this day describes a customer; the nine months after it label them
EVERY = 4  # keep customers 4, 8, 12, ...: 5,892 of 23,570

with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(MEMBER) as log:
    orders = pd.read_csv(log, sep=r"\s+", skiprows=1, names=["customer", "date", "cds", "dollars"])
orders["date"] = pd.to_datetime(orders["date"].astype(str), format="%Y%m%d")
orders = orders[orders["customer"] % EVERY == 0].sort_values(["customer", "date"], kind="stable")

known, later = orders[orders["date"] < SNAPSHOT], orders[orders["date"] >= SNAPSHOT]
by = known.groupby("customer")
days = known.drop_duplicates(["customer", "date"])
gaps = days.groupby("customer")["date"].diff().dt.days

customers = pd.DataFrame(
    {
        "first_order": by["date"].min(),
        "last_order": by["date"].max(),
        "orders": by.size(),
        "cds": by["cds"].sum(),
        "spend": by["dollars"].sum().round(2),
        "largest_order": by["dollars"].max(),
        "median_gap_days": gaps.groupby(days["customer"]).median(),  # empty: bought on one day only
    }
)
customers["price_per_cd"] = (customers["spend"] / customers["cds"]).round(2).where(customers["spend"] > 0)  # empty: never paid
customers["first_weekday"] = customers["first_order"].dt.day_name()
customers["basket"] = pd.cut(customers["cds"] / customers["orders"], [0, 1, 3, float("inf")], labels=["single", "small", "large"])
customers["weekend_buyer"] = known["date"].dt.dayofweek.ge(5).groupby(known["customer"]).any()
customers["churned"] = ~customers.index.isin(later["customer"])
customers.insert(0, "customer_id", [f"C{number:06d}" for number in customers.index])

customers.to_csv(Path(__file__).with_name("customers.csv"), index=False, date_format="%Y-%m-%d", lineterminator="\n")
print(f"{len(customers)} customers, {customers['churned'].mean():.1%} churned")
