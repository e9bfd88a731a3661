"""The task injection."""
