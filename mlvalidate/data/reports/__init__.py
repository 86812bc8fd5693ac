"""Evidently's reports on output tables: which columns they show, and how they are rendered."""
