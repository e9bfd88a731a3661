"""CDS Hooks 2.0, tolerant of 3.0: cards of the deterministic assessment in the EHR."""
