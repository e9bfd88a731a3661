"""Slides: reading, checks, tissue, tiles, their vectors and what a plugged model says of them."""
