"""What the people who run the service see: health, metrics, traces, logs. No patient data."""
