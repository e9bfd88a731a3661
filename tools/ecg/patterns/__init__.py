"""Named ECG patterns: statements beside the criteria of infarction, never changing them."""
