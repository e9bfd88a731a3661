"""A small FHIR R4 store for evaluations: searched, written to, served on the loopback address."""
