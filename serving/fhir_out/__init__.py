"""Results out: an assessment as FHIR R4 resources, and written back where that is configured."""
