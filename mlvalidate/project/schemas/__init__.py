"""Datasets that pandera or Frictionless schemas declare, in our own words."""
