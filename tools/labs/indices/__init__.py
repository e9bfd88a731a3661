"""Derived laboratory indices: one file per family, each index a pure function over intervals."""
