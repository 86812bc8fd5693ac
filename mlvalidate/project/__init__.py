"""Reads what users declare: the project file, with errors that name file, line and key."""

from __future__ import annotations

from mlvalidate.project.json_schema import project_json_schema
from mlvalidate.project.loading import (
    PROJECT_FILES,
    find_project_file,
    load_project,
    path_in_project,
)
from mlvalidate.project.problems import Problem, ProjectError

__all__ = [
    "PROJECT_FILES",
    "Problem",
    "ProjectError",
    "find_project_file",
    "load_project",
    "path_in_project",
    "project_json_schema",
]
