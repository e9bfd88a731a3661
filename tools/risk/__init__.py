"""Scores and decision rules: exact over every completion of what is not known."""
