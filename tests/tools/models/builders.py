"""Tiny models for tests: graphs whose answers can be worked out by hand."""

from evals.phantoms.models import (
    CARD,
    LICENCE,
    Json,
    classifier,
    contract,
    f32,
    film,
    graph,
    image_input,
    mean_logits,
    output,
    write_model,
)

__all__ = [
    "CARD",
    "LICENCE",
    "Json",
    "classifier",
    "contract",
    "f32",
    "film",
    "graph",
    "image_input",
    "mean_logits",
    "output",
    "write_model",
]
