"""Pages for people: server-rendered, no script from anywhere else."""
