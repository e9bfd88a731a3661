"""Pathology: slides, tissue, stains and what is counted on them."""
