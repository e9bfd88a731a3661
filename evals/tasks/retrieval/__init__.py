"""The task retrieval."""
