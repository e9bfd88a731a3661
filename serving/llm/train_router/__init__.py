"""Training of the router: traces, tuning, merging, checking, export. Heavy packages come lazily."""
