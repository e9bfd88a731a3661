"""Launch out of an EHR (SMART App Launch 2): the patient in context and a token to read them."""
