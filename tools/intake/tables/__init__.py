"""Laboratory results from tables: CSV, TSV and Excel, each read by a mapping file."""
