"""What real files say about a dataset, without repeating any of their rows."""
