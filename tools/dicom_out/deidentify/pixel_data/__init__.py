"""Pixel data without what is no pixel: comments, application segments, bytes beyond the image."""
