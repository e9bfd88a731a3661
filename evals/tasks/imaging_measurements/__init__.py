"""Measurements on images of known truth, against the errors that the tools state."""
