"""A small model of our own that names the tools a request needs, with code around it."""
