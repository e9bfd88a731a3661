"""The seam to a language model: one small interface, whatever serves it."""
