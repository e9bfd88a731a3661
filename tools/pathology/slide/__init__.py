"""Slides: reading, checks, tissue, tiles, vectors of tiles and what a plugged model makes of them."""
