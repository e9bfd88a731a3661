"""FHIR R4 JSON: thin models of what is read, and their mapping to facts."""
