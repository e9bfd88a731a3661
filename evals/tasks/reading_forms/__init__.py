"""Forms of readings against published tables, whole and with each item left out."""
