"""Stands in for the user's sitecustomize in a fork server: it runs in each script instead."""
