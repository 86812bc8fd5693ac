"""Plotly figures: each is one pure function from results to a figure."""
