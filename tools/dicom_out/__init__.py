"""DICOM objects that carry results: reports, segmentations, pictures, presentations, notes."""
