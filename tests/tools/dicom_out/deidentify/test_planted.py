"""Identifiers are planted everywhere an object can hold them, and searched for in every byte."""

import io
from datetime import date
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from knowledge.dicom_confidentiality import dicom_confidentiality
from tests.tools.imaging.ct.phantoms import dicom_slice
from tools.dicom_out.deidentify.image import deidentified_image
from tools.dicom_out.deidentify.pseudonyms import Key

KEY = Key(secret=b"a secret of thirty-two bytes....")
OTHER_KEY = Key(secret=b"another secret, also of 32 bytes")

SECRETS = (
    "Zweistein", "Albertine", "MRN-4711-0815", "Oranienburger", "Prenzlau", "030-5554711",
    "Wagenknechtova", "19511224", "ACC-998877", "Charite-Nord", "99887766554433",
)  # fmt: skip
"""Family and given name, number, street, town, telephone, physician, birth date, accession number,
institution, an identifier of digits alone."""
TEXT = " ".join(SECRETS)
UID_ROOT = "1.3.6.1.4.1.99999.4711"

_TEXT_VR = ("LO", "SH", "ST", "LT", "UT", "UC", "PN")
_LONGEST = {"SH": 16, "LO": 64, "PN": 64}


def _text(vr: str, place: int) -> str:
    if vr == "PN":
        return ("Zweistein^Albertine", "Wagenknechtova^Olga")[place % 2]
    secret = SECRETS[place % len(SECRETS)]
    return (f"{secret} x" if vr not in _LONGEST else secret)[: _LONGEST.get(vr, 1000)]


def planted() -> pydicom.Dataset:
    """Return a CT with an identifier in every text attribute of the profile, and elsewhere."""
    ds = pydicom.dcmread(io.BytesIO(dicom_slice(np.zeros((8, 8), np.int16))))
    ds.PatientName, ds.PatientID = "Zweistein^Albertine", "MRN-4711-0815"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19511224", "F", "074Y"
    ds.PatientAddress = "Oranienburger Str. 12, Prenzlau"
    ds.PatientTelephoneNumbers = "030-5554711"
    ds.AccessionNumber, ds.InstitutionName = "ACC-998877", "Charite-Nord"
    ds.OtherPatientIDs = ["99887766554433", "MRN-4711-0815"]
    for place, (keyword, _) in enumerate(sorted(dicom_confidentiality().actions.rows.items())):
        tag = tag_for_keyword(keyword)
        if tag is None or tag in ds or tag >> 16 in (0x0000, 0x0002, 0x5000, 0x6000):
            continue
        vr = dictionary_VR(tag)
        if vr in _TEXT_VR:
            setattr(ds, keyword, _text(vr, place))
        elif vr == "UI":
            setattr(ds, keyword, f"{UID_ROOT}.{place}")
        elif vr == "SQ":
            setattr(ds, keyword, Sequence([_item(place)]))
    for keyword in ("ImageComments", "DerivationDescription", "ConvolutionKernel", "SequenceName",
                    "ContrastBolusAgent", "FilterType", "Manufacturer"):  # fmt: skip
        setattr(ds, keyword, "Zweistein Albertine"[:16])
    ds.add_new(0x00090010, "LO", "ACME PRIVATE")
    ds.add_new(0x00091001, "LO", "Zweistein")
    ds.add_new(0x00091002, "UN", TEXT.encode())
    ds.add_new(0x60000022, "LO", "Overlay of Zweistein")
    ds.add_new(0x50000010, "US", 1)
    ds.add_new(0xFFFCFFFC, "OB", TEXT.encode() + b"\0" * (len(TEXT) % 2))
    ds.DerivationCodeSequence = [_item(1)]
    ds.preamble = TEXT.encode()[:128].ljust(128, b"\0")
    ds.file_meta.SourceApplicationEntityTitle = "ZWEISTEIN"
    ds.file_meta.PrivateInformationCreatorUID = pydicom.uid.UID(f"{UID_ROOT}.7")
    ds.file_meta.PrivateInformation = TEXT.encode() + b"\0" * (len(TEXT) % 2)
    return ds


def _item(place: int) -> Dataset:
    """Return an item that holds texts, a private element, a UID and another item."""
    inner = Dataset()
    inner.CodeMeaning = "Scan of Zweistein"
    inner.TextValue = TEXT
    inner.ReferencedSOPInstanceUID = f"{UID_ROOT}.9.{place}"
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "DCM", "Albertine"
    item.PersonName = "Wagenknechtova^Olga"
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    item.ReferencedSOPInstanceUID = f"{UID_ROOT}.8.{place}"
    item.add_new(0x00110010, "LO", "ACME")
    item.add_new(0x00111001, "LT", TEXT)
    item.PurposeOfReferenceCodeSequence = [inner]
    return item


def _bytes(ds: pydicom.Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


def _done(ds: pydicom.Dataset, key: Key = KEY) -> Any:
    return deidentified_image(_bytes(ds), key, file="a.dcm")


def _read(content: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(content))


def test_the_plan_is_planted() -> None:
    """Else the search below would prove nothing."""
    content = _bytes(planted())
    assert all(secret.encode() in content for secret in SECRETS)
    assert content.count(b"Zweistein") > 40
    texts = [e for e in planted().iterall() if e.VR in _TEXT_VR]
    assert len(texts) > 250
    assert content.count(UID_ROOT.encode()) > 60


def test_no_planted_identifier_is_in_any_byte_that_leaves() -> None:
    content = _done(planted()).content
    low = content.lower()
    found = [s for s in (*SECRETS, "wagenknecht", "olga", UID_ROOT) if s.lower().encode() in low]
    assert found == []


def test_private_attributes_curves_and_overlays_are_gone_at_every_level() -> None:
    ds = _read(_done(planted()).content)
    tags = [e.tag for e in ds.iterall()]
    assert not [t for t in tags if t.is_private]
    assert not [t for t in tags if t.group >> 8 in (0x50, 0x60) or t.group == 0xFFFC]


def test_what_was_done_is_stated() -> None:
    ds = _read(_done(planted()).content)
    assert ds.PatientIdentityRemoved == "YES"
    assert ds.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113107"]
    assert ds.PatientName == f"ANON^{ds.PatientID[:8]}"
    assert ds.PatientBirthDate == ""
    assert "PatientAge" not in ds


def test_pixels_and_geometry_stay() -> None:
    before, after = planted(), _read(_done(planted()).content)
    assert after.PixelData == before.PixelData
    for keyword in ("Rows", "Columns", "PixelSpacing", "ImagePositionPatient", "SliceThickness",
                    "KVP", "RescaleIntercept", "Modality", "ImageType"):  # fmt: skip
        assert after[keyword].value == before[keyword].value, keyword


def test_every_image_of_a_patient_gets_one_pseudonym_and_one_shift() -> None:
    first, second = planted(), planted()
    second.SOPInstanceUID = f"{UID_ROOT}.55"
    second.StudyDate, second.AcquisitionDate = "20260301", "20260302"
    a, b = _read(_done(first).content), _read(_done(second).content)
    assert a.PatientID == b.PatientID
    assert a.StudyInstanceUID == b.StudyInstanceUID
    assert a.SOPInstanceUID != b.SOPInstanceUID
    assert a.StudyDate != first.StudyDate
    assert _day(b.StudyDate) - _day(a.StudyDate) == _day("20260301") - _day(first.StudyDate)
    assert _day(b.AcquisitionDate) - _day(b.StudyDate) == _day("20260302") - _day("20260301")
    assert a.AcquisitionTime == first.AcquisitionTime


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def test_references_between_images_follow_their_new_identifiers() -> None:
    first = planted()
    second = planted()
    second.SOPInstanceUID = f"{UID_ROOT}.77"
    second.ReferencedImageSequence = [Dataset()]
    second.ReferencedImageSequence[0].ReferencedSOPClassUID = first.SOPClassUID
    second.ReferencedImageSequence[0].ReferencedSOPInstanceUID = first.SOPInstanceUID
    a, b = _read(_done(first).content), _read(_done(second).content)
    assert b.ReferencedImageSequence[0].ReferencedSOPInstanceUID == a.SOPInstanceUID


def test_another_patient_and_another_key_give_other_pseudonyms() -> None:
    other = planted()
    other.PatientID = "MRN-4711-0816"
    numbers = {
        _read(_done(planted()).content).PatientID,
        _read(_done(other).content).PatientID,
        _read(_done(planted(), OTHER_KEY).content).PatientID,
    }
    assert len(numbers) == 3


def test_the_same_image_and_key_give_the_same_bytes() -> None:
    assert _done(planted()).content == _done(planted()).content


def test_a_name_in_a_coded_meaning_gives_way_to_the_published_meaning() -> None:
    ds = planted()
    ds.ViewCodeSequence = [Dataset()]
    ds.ViewCodeSequence[0].CodeValue = "39607008"
    ds.ViewCodeSequence[0].CodingSchemeDesignator = "SCT"
    ds.ViewCodeSequence[0].CodeMeaning = "Zweistein"
    done = _done(ds)
    view = _read(done.content).ViewCodeSequence[0]
    assert view.CodeValue == "39607008"
    assert view.CodeMeaning == "Lung structure (body structure)"


def test_an_identifier_inside_the_pixel_data_stops_the_export() -> None:
    from knowledge.errors import ContractError

    ds = planted()
    ds.PixelData = b"Zweistein".ljust(len(ds.PixelData), b"\0")
    with pytest.raises(ContractError, match="still in it"):
        _done(ds)


def test_a_name_in_gb18030_is_found_too() -> None:
    ds = pydicom.dcmread(io.BytesIO(dicom_slice(np.zeros((8, 8), np.int16))))
    ds.SpecificCharacterSet = "GB18030"
    ds.PatientName = "王小东"
    ds.StudyDescription = "王小东 胸部"
    content = _done(ds).content
    for coding in ("gb18030", "utf-8"):
        assert "王小东".encode(coding) not in content


def test_keywords_of_the_profile_are_of_the_dictionary() -> None:
    for keyword in dicom_confidentiality().actions.rows:
        tag = tag_for_keyword(keyword)
        assert tag is not None or int(keyword, 16) > 0, keyword
        assert tag is None or keyword_for_tag(tag) == keyword


def test_the_table_is_that_of_another_maker() -> None:
    """The outside reading of table E.1-1, where it is installed."""
    other = pytest.importorskip(
        "dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c",
        reason="dicom-anonymizer is not installed",
    )
    for tag in (one for one in other.X_TAGS if len(one) == 2):
        number = (tag[0] << 16) + tag[1]
        keyword = keyword_for_tag(tag)
        assert dicom_confidentiality().action(keyword, number) == "X"


def test_codes_of_an_institution_are_removed_and_public_ones_stay() -> None:
    ds = planted()
    own, public = Dataset(), Dataset()
    own.CodeValue, own.CodingSchemeDesignator = "NPONKINF", "HOSPITAL"
    own.CodeMeaning = "PET/CT ward 7"
    public.CodeValue, public.CodingSchemeDesignator = "39607008", "SCT"
    public.CodeMeaning = "Lung"
    ds.ProcedureCodeSequence, ds.AnatomicRegionSequence = [own], [public]
    after = _read(_done(ds).content)
    assert "ProcedureCodeSequence" not in after
    assert after.AnatomicRegionSequence[0].CodeMeaning == "Lung structure (body structure)"


def _small(**changes: Any) -> pydicom.Dataset:
    content = dicom_slice(np.zeros((8, 8), np.int16), **changes)
    return pydicom.dcmread(io.BytesIO(content))


_KEPT = ("ConvolutionKernel", "Manufacturer", "ManufacturerModelName", "FilterType")
_CODED = ("BodyPartExamined", "ScanOptions", "PatientPosition")


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("Zhang^Wei=张^伟", "1234", "B 张伟"),
        ("张^伟", "1234", "伟"),
        ("Zhang^Wei", "1234", "ZHANGWEI"),
        ("Smith^John", "471108", "SMITH_JOHN"),
        ("Smith^John", "471108", "SMITHJ"),
        ("Li^An", "12345", "LI AN"),
        ("Hu^Ct", "12345", "HU"),
        ("Smith^John", "471108", "MRN471108"),
        ("Smith^John", "471108", "24_12_1951"),
    ],
)
def test_a_name_in_kept_texts_and_code_strings_is_emptied(
    name: str, number: str, text: str
) -> None:
    ds = _small(PatientID=number, PatientBirthDate="19511224")
    ds.SpecificCharacterSet, ds.PatientName = "ISO_IR 192", name
    for keyword in (*_KEPT, *(_CODED if text.isascii() else ())):
        setattr(ds, keyword, text)
    if text.isascii():
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", text]
    after = _read(_done(ds).content)
    assert not [k for k in (*_KEPT, *_CODED) if text in str(after.get(k, ""))]
    assert text not in list(after.ImageType)


def test_numbers_that_are_the_patients_are_emptied() -> None:
    ds = _small(PatientID="471108", PatientBirthDate="19511224")
    ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber = 471108, 24121951, 19511224
    ds.KVP = "471108.0"
    done = _done(ds)
    after = _read(done.content)
    assert done.scrubbed == 4
    numbers = (after.SeriesNumber, after.AcquisitionNumber, after.InstanceNumber, after.KVP)
    assert numbers == (None, None, None, None)


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "gb18030"])
def test_a_chinese_name_in_the_pixels_stops_the_export_and_the_place_is_named(coding: str) -> None:
    from knowledge.errors import ContractError

    ds = _small(PatientName="张^伟", SpecificCharacterSet="ISO_IR 192")
    ds.PixelData = "张伟".encode(coding).ljust(len(ds.PixelData), b"\0")
    with pytest.raises(ContractError, match="PixelData"):
        _done(ds)


def test_bytes_beyond_the_image_are_cut_off() -> None:
    ds = _small(PatientName="Smith^John")
    pixels = ds.PixelData
    ds.PixelData = pixels + b"Smith John 19511224 "
    done = _done(ds)
    assert done.pixels_changed
    assert _read(done.content).PixelData == pixels


def test_the_comment_of_a_jpeg_and_what_follows_its_end_are_overwritten() -> None:
    from PIL import Image
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit

    grey = np.full((8, 8), 80, np.uint8)
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "JPEG", comment=b"Li An born 24.12.51")
    ds = _small(PatientName="Li^An", BitsAllocated=8, BitsStored=8, HighBit=7)
    ds.PixelData = encapsulate([out.getvalue() + b"Li An bed 3 "])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    done = _done(ds)
    assert b"Li An" not in done.content
    assert b"24.12.51" not in done.content
    assert done.pixels_changed
    assert np.abs(_read(done.content).pixel_array.astype(int) - 80).max() <= 1


def test_identifiers_that_only_begin_as_the_standards_do_become_others() -> None:
    ds = _small(StudyInstanceUID="1.2.840.10008.471108.19511224")
    done = _done(ds)
    assert b"471108" not in done.content
    assert done.study.startswith("2.25.")


def test_what_does_not_state_its_text_leaves_with_a_notice() -> None:
    assert _done(_small()).notices == ("the pixels were not looked at for text",)
    assert _done(_small(BurnedInAnnotation="NO")).notices == ()
