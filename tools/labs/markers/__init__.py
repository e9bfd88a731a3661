"""Serial markers besides troponin: CK-MB, natriuretic peptides, D-dimer, lactate, procalcitonin."""
