"""What is known of each model that may be served: a data file per model, with its sources."""
