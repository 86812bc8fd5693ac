"""Data: synthetic tables, table files, and whether a table fits its declared dataset.

Importing the package or `synthesis`, `files`, `conformity` and `samples` is cheap: numpy, pandas
and pyarrow are loaded by the calls that need them.
"""
