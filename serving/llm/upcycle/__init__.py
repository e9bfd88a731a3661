"""Sparse upcycling: a small working mixture of experts made offline of a packaged dense model."""
