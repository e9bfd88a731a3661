"""Reading clinical notes: where a quote stands, what it means there, how it fits the record."""
