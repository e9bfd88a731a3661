"""The task medagentbench."""
