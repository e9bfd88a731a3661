"""The agent as a graph: checkpointed, resumable, and never worse than the pathway alone."""
