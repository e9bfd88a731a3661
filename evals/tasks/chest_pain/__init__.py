"""The task chest_pain."""
