"""HL7 v2 over MLLP: received, kept, acknowledged, and put into the cases of their patients."""
