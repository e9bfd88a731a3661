"""Readings for tests: short ways to state items."""

from evals.phantoms.readings import IMAGES, MODEL, NOBODY_YET, NOON, READER, one, reading, stated

__all__ = ["IMAGES", "MODEL", "NOBODY_YET", "NOON", "READER", "one", "reading", "stated"]
