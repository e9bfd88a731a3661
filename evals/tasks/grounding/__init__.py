"""The task grounding."""
