"""The task pubmedqa."""
