"""The commands of the command line; each registers itself through an entry point."""
