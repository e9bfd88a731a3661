"""Structured readings of images: what is stated, by whom, and what follows from it."""
