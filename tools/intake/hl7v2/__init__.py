"""HL7 v2 messages to the same resources that the FHIR reader takes: results, orders, notes, who."""
