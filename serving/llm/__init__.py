"""Serving a language model on vLLM: profiles of models, and starting them."""
