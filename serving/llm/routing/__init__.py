"""Which experts of a mixture work on which tokens, counted in a real run."""
