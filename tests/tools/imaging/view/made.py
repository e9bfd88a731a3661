"""DICOM images made for tests: what is in them is known."""

import io
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
CR = "1.2.840.10008.5.1.4.1.1.1"


def image(values: np.ndarray[Any, Any], *, sop_class: str = CT, **more: Any) -> bytes:
    """Return an uncompressed DICOM image of these values, 16 bits."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = more.pop("SOPInstanceUID", generate_uid())
    ds = Dataset()
    ds.file_meta = meta
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = more.pop("StudyInstanceUID", "1.2.3")
    ds.SeriesInstanceUID = more.pop("SeriesInstanceUID", "1.2.3.4")
    ds.PatientName, ds.PatientID = "Test^Image", "IMG-1"
    ds.PatientBirthDate, ds.PatientSex = "19600101", "F"
    ds.Modality = more.pop("Modality", "CT" if sop_class == CT else "CR")
    ds.Rows, ds.Columns = values.shape[-2:]
    if values.ndim == 3:
        ds.NumberOfFrames = values.shape[0]
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = more.pop("PhotometricInterpretation", "MONOCHROME2")
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 1
    ds.PixelData = values.astype("<i2").tobytes()
    for name, value in more.items():
        setattr(ds, name, value)
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def ramp(rows: int = 8, columns: int = 8) -> np.ndarray[Any, Any]:
    """Return values 0, 1, 2, ... in the order of reading."""
    return np.arange(rows * columns, dtype=np.int16).reshape(rows, columns)
