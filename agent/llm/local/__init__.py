"""The local language model: its weights, its server process, and what this machine can give it."""
