"""What each imaging tool makes of one input."""
