"""Drawn images of known truth: films, CT, slides, stained fields, and models worked out by hand."""
