"""What a language model's server can do, found out by real calls."""
