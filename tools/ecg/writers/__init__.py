"""Writing an ECG recording as DICOM waveform, HL7 aECG or FHIR Observation."""

from tools.ecg.writers.write import FORMATS, write_ecg

__all__ = ["FORMATS", "write_ecg"]
