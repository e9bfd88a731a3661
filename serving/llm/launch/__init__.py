"""Starting a model on vLLM: what is chosen and why, whether it fits, and in which form it runs."""
