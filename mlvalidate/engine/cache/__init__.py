"""Reuse of steps that passed: what makes a step the same, what is kept of it, how it comes back."""
