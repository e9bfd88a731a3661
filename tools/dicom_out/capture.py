"""A secondary capture: the image with an overlay and the notice burned in, for any viewer."""

from tools.dicom_out.maker import MANUFACTURER, Maker
from tools.dicom_out.overlay import Picture
from tools.dicom_out.quiet import quiet
from tools.dicom_out.settle import object_uids, settle, state_side
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import digest_of

_SERIES_NUMBER = 9903


@quiet()
def secondary_capture(picture: Picture, sources: Sources, maker: Maker, *, title: str) -> bytes:
    """Return a picture as a DICOM secondary capture that refers to its source image.

    The words in it are of this product and name no patient, so Burned In Annotation is ``NO``
    (PS3.3 C.7.6.1.1.1 asks for text that identifies the patient); the source's own pixels are
    answered for by the source, whose statement is kept where it says ``YES``.

    Args:
        picture: (rows, columns, 3) uint8.
        sources: The one image it was made from comes first.
        maker: What made it.
        title: Of the series, at most 40 characters.
    """
    import highdicom as hd

    first = sources.datasets[0]
    series, instance = object_uids("sc", sources, maker, digest_of(picture.tobytes()))
    turned = _orientation(first)
    made = hd.sc.SCImage.from_ref_dataset(
        first,
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        series_instance_uid=series,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=instance,
        instance_number=1,
        manufacturer=MANUFACTURER,
        patient_orientation=turned or ("L", "P"),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    if turned is None:
        made.PatientOrientation = []  # type 2C: not known
    made.ImageType = ["DERIVED", "SECONDARY"]
    state_side(made, sources)
    stated = str(first.get("BurnedInAnnotation", "") or "")
    made.BurnedInAnnotation = "YES" if stated == "YES" else "NO"
    made.DerivationDescription = "Overlay of a result of software burned in; research use"
    made.SourceImageSequence = [_reference(first)]
    return settle(made, sources=sources, maker=maker, description=title)


def _orientation(ds: object) -> tuple[str, str] | None:
    """Return the directions of row and column as letters, where the image states them."""
    from highdicom.spatial import get_closest_patient_orientation
    from pydicom.dataset import Dataset

    if not isinstance(ds, Dataset):
        return None
    cosines = ds.get("ImageOrientationPatient")
    if cosines and len(cosines) == 6:
        import numpy as np

        row, column = np.array(cosines[:3], float), np.array(cosines[3:], float)
        square = np.stack([row, column, np.cross(row, column)], axis=1)
        letters = get_closest_patient_orientation(square)
        return str(letters[0].value), str(letters[1].value)
    stated = ds.get("PatientOrientation")
    if stated and len(stated) == 2 and all(str(one) for one in stated):
        return str(stated[0]), str(stated[1])
    return None


def _reference(ds: object) -> object:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = getattr(ds, "SOPClassUID", "")
    item.ReferencedSOPInstanceUID = getattr(ds, "SOPInstanceUID", "")
    return item
