"""The task checker."""
