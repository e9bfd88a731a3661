"""Data quality of cases: what of their data could not be used or is in doubt, and the way out."""
