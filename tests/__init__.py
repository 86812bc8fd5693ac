"""A package, so that it comes before one of this name that a dependency installs."""
