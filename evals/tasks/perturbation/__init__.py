"""The task perturbation."""
