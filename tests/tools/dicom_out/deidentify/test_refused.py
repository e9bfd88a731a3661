"""What may not leave: text in pixels, labels, documents, animals; and keys that are none."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from knowledge.errors import ContractError, InputError, InvalidValueError, UnsupportedError
from tests.data_folder import shared_data
from tests.tools.dicom_out.checker import errors
from tests.tools.dicom_out.deidentify.test_planted import KEY
from tests.tools.dicom_out.objects import written
from tests.tools.imaging.ct.phantoms import dicom_slice
from tools.dicom_out.deidentify.dates import shifted_date, shifted_moment
from tools.dicom_out.deidentify.image import deidentified_image
from tools.dicom_out.deidentify.pseudonyms import read_key
from tools.dicom_out.deidentify.refusals import LeftOutError


def _try(content: bytes) -> Any:
    return deidentified_image(content, KEY, file="a.dcm")


def _image(**changes: Any) -> bytes:
    return dicom_slice(np.zeros((8, 8), np.int16), **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned into the pixels"),
        ({"Modality": "US"}, "modality US"),
        ({"Modality": "XA"}, "modality XA"),
        ({"Modality": ""}, "not stated"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "captured picture"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4"}, "captured picture"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "nothing states NO"),
        ({"Modality": "CR", "ImageType": ["DERIVED", "PRIMARY"]}, "derived film"),
        ({"RecognizableVisualFeatures": "YES"}, "face"),
        ({"PatientSpeciesDescription": "Canine"}, "not of a human"),
    ],
)
def test_an_image_that_may_show_its_patient_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        _try(_image(**changes))


def test_an_ultrasound_that_states_no_text_leaves() -> None:
    assert _try(_image(Modality="US", BurnedInAnnotation="NO")).content


@pytest.mark.parametrize("kind", ["LABEL", "OVERVIEW"])
def test_label_and_macro_of_a_slide_are_left_out(kind: str) -> None:
    ds = pydicom.dcmread(shared_data("dicom-misc") / "sm_image.dcm")
    ds.ImageType = ["ORIGINAL", "PRIMARY", kind, "NONE"]
    out = io.BytesIO()
    ds.save_as(out)
    with pytest.raises(LeftOutError):
        _try(out.getvalue())


def test_a_slide_leaves_without_its_labels_text() -> None:
    content = _try((shared_data("dicom-misc") / "sm_image.dcm").read_bytes()).content
    ds = pydicom.dcmread(io.BytesIO(content))
    before = pydicom.dcmread(shared_data("dicom-misc") / "sm_image.dcm")
    assert ds.PixelData == before.PixelData
    assert ds.get("ContainerIdentifier") != before.ContainerIdentifier


@pytest.mark.parametrize("kind", ["sr", "pr", "seg"])
def test_documents_and_derived_objects_are_refused(kind: str) -> None:
    with pytest.raises(UnsupportedError):
        _try(written(kind))


@pytest.mark.parametrize(
    "name", ["dx_image.dcm", "CTImage.dcm", "GH133.dcm", "CT1_J2KR", "ct_image.dcm"]
)
def test_real_images_leave_as_valid_as_they_were_and_without_their_identifiers(
    name: str, tmp_path: Path
) -> None:
    content = (shared_data("dicom-misc") / name).read_bytes()
    try:
        done = _try(content).content
    except ContractError as error:  # the dog
        assert "not of a human" in error.reason  # noqa: PT017
        return
    before = pydicom.dcmread(io.BytesIO(content))
    number = str(before.PatientID)
    if len(number) > 5:
        assert number.encode() not in done
    assert str(before.StudyInstanceUID).encode() not in done
    known = set(errors(content, tmp_path, "before"))
    new = [one for one in errors(done, tmp_path, "after") if one not in known]
    assert new == []


@pytest.mark.parametrize("content", [b"II*\0" + bytes(400), b"\x89PNG\r\n\x1a\n" + bytes(400)])
def test_what_is_no_dicom_is_not_called_damaged(content: bytes) -> None:
    with pytest.raises(UnsupportedError, match=r"slide\.svs: no DICOM file"):
        deidentified_image(content, key=KEY, file="slide.svs")


def test_a_damaged_file_is_named() -> None:
    with pytest.raises(InputError):
        _try(b"\0" * 128 + b"DICM" + b"\xff" * 40)


def test_a_key_that_is_too_short_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"short")
    with pytest.raises(InvalidValueError, match="32 bytes"):
        read_key(tmp_path / "short")
    with pytest.raises(InputError, match="key file"):
        read_key(tmp_path / "none")


def test_dates_that_are_none_are_emptied() -> None:
    from datetime import timedelta

    by = timedelta(days=-400)
    assert shifted_date("20241301", by) == ""
    assert shifted_date("", by) == ""
    assert shifted_moment("202401", by) == ""
    assert shifted_date("20260105", timedelta(days=-5)) == "20251231"
