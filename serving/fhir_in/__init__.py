"""Patients in: a pull of one patient from a FHIR R4 server into a case."""
