"""Reading ECG files: DICOM waveform, WFDB, Philips Sierra XML."""

from tools.ecg.readers.read import read_ecg

__all__ = ["read_ecg"]
