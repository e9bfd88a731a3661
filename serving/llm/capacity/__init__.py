"""What serving a language model takes: memory, speed, accelerators, cost, and what limits it."""
