"""A hospital in a box: a FHIR server, a SMART server and this service, on this machine alone."""
