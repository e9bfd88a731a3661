"""The evaluation tasks: a folder for each."""
