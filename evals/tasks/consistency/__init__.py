"""The task consistency."""
