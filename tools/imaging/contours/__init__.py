"""Structures that people or models outlined on a series: DICOM RTSTRUCT and SEG, in and out."""
