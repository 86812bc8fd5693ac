import csv

with open("/opt/ml/processing/input/raw/orders.csv", newline="") as file:
    amounts = [float(row["amount"]) for row in csv.DictReader(file)]

with open("/opt/ml/processing/output/near/near.csv", "w") as file:
    for amount in amounts:
        # Every order is compared with every other one.
        near = sum(abs(amount - other) < 1 for other in amounts)
        file.write(f"{near}\n")
