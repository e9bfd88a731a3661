"""CT: one series to a volume, and measurements on it."""
