"""Cases: one patient's visit, its files, its assessments and what was answered."""
