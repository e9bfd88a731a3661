"""Models that others bring: one folder, one strict description, our own pre-processing."""
