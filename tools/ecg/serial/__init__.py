"""Several tracings of one patient: what changed, and whether the change is beyond our error."""
