"""Long work: durable, with progress, cancel and resume."""
