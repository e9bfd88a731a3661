"""How fast a language model's server is, measured by real calls."""
