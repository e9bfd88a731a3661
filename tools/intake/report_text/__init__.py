"""Laboratory reports as plain text or PDF: results with their place in the text."""
