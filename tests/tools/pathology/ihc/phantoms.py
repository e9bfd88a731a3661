"""Drawn fields of immunohistochemistry whose nuclei, their numbers and their stain are known."""

from evals.phantoms.ihc import (
    DAB,
    EOSIN,
    HAEMATOXYLIN,
    RINGS,
    Floats,
    Look,
    Nucleus,
    Phantom,
    Where,
    drawn,
    field_of,
    labels_of,
    png,
    square,
    whole,
)

__all__ = [
    "DAB",
    "EOSIN",
    "HAEMATOXYLIN",
    "RINGS",
    "Floats",
    "Look",
    "Nucleus",
    "Phantom",
    "Where",
    "drawn",
    "field_of",
    "labels_of",
    "png",
    "square",
    "whole",
]
