"""Images in a case: identity before fusion, statements for pictures, copies, refusals."""

import io
import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from knowledge.errors import ContractError, IdentityConflictError, UnreadableError
from knowledge.finding import State
from knowledge.timeline import Category
from tests.data_folder import shared_data
from tests.tools.intake.samples import bundle, observation, patient, read, report, write
from tools.imaging.dicom_image import read_dicom_image
from tools.intake.result import CaseFiles

STATED = "schema: epicrisis/case/1\nattach: [{file: FILE, patient: same, recorded_at: WHEN}]\n"


def film(**changes: Any) -> bytes:
    """Return the ultrasound sample as a small film of Clara Muster, with elements changed."""
    ds = pydicom.dcmread(shared_data("dicom-misc") / "chrFren.dcm")
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "Muster^Clara", "19550721", "F"
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition = "DX", "CHEST", "PA"
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.StudyInstanceUID, ds.StudyDate, ds.StudyTime = "1.2.3", "20261120", "091500"
    for name, value in changes.items():
        setattr(ds, name, value)
    return _bytes(ds)


def _bytes(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


def _png(colour: int = 90) -> bytes:
    out = io.BytesIO()
    picture = Image.new("L", (40, 30), colour)
    picture.putpixel((3, 3), 200)
    picture.save(out, "PNG")
    return out.getvalue()


def _case(folder: Path, **files: bytes) -> CaseFiles:
    write(folder, "chart.json", bundle(patient(), observation()))
    for name, content in files.items():
        write(folder, name.replace("_", "."), content)
    return read(folder)


def test_a_film_of_the_patient_is_a_study_that_is_not_assessed(tmp_path: Path) -> None:
    case = _case(tmp_path, film_dcm=film())
    (study,) = case.studies
    assert study.title == "radiograph (digital), chest, PA"
    assert study.time is not None
    assert study.time.at.isoformat() == "2026-11-20T13:15:00+00:00"  # its zone: four hours behind
    (fact,) = case.timeline.in_category(Category.IMAGING)
    assert fact.finding.state is State.NOT_ASSESSED
    assert fact.finding.not_assessed is not None
    assert fact.finding.not_assessed.detail == "no validated model configured"
    item = report(case, "film.dcm")
    assert (item.status, item.unread) == ("read", True)


@pytest.mark.parametrize(
    "changes",
    [{"PatientName": "Other^Person"}, {"PatientBirthDate": "19550722"}, {"PatientSex": "M"}],
    ids=["name", "birth date", "sex"],
)
def test_a_film_of_another_person_refuses_the_case(tmp_path: Path, changes: Any) -> None:
    with pytest.raises(IdentityConflictError, match="not shown to be of one patient"):
        _case(tmp_path, film_dcm=film(**changes))


def test_a_film_that_carries_only_a_name_needs_a_statement(tmp_path: Path) -> None:
    case = _case(tmp_path, film_dcm=film(PatientBirthDate="", PatientSex=""))
    assert case.studies == ()
    assert report(case, "film.dcm").status == "failed"


def test_a_picture_is_used_only_with_its_line_and_at_its_time(tmp_path: Path) -> None:
    case = _case(tmp_path, film_png=_png())
    item = report(case, "film.png")
    assert (item.status, item.unread, case.studies) == ("ignored", True, ())
    assert "carries no identity" in (item.reason or "")
    line = STATED.replace("FILE", "film.png").replace("WHEN", '"2026-11-20T09:00:00+01:00"')
    write(tmp_path, "case.yaml", line)
    (study,) = read(tmp_path).studies
    assert study.title == "picture without a header"
    assert study.time is not None
    assert study.time.at.isoformat() == "2026-11-20T08:00:00+00:00"


def test_one_instance_in_two_files_is_one_image(tmp_path: Path) -> None:
    case = _case(tmp_path, a_dcm=film(), b_dcm=film(SeriesDescription="sent a second time"))
    (study,) = case.studies
    assert (study.files, study.images) == (("a.dcm",), 1)
    assert report(case, "b.dcm").reason == "the same image as a.dcm (one SOP Instance UID)"


def test_a_picture_of_our_own_report_is_no_study(tmp_path: Path) -> None:
    write(tmp_path, "assessment.json", b'{"result_sha256": "x"}')
    case = _case(tmp_path, **{"ecg-1_png": _png()})
    assert case.studies == ()
    assert not report(case, "ecg-1.png").unread


def test_a_series_is_one_study_and_its_ecg_is_still_a_recording(tmp_path: Path) -> None:
    shutil.copy(shared_data("ecg-dicom") / "waveform_ecg.dcm", tmp_path / "ecg.dcm")
    write(tmp_path, "case.yaml", STATED.replace("FILE", "ecg.dcm").replace("WHEN", "null"))
    case = _case(tmp_path, a_dcm=film(), b_dcm=film(SOPInstanceUID="1.2.3.9", ViewPosition="LL"))
    assert [s.images for s in case.studies] == [2]
    assert len(case.recordings) == 1


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"PatientSpeciesDescription": "Canine"}, "species"),
        ({"PatientBreedDescription": "Beagle"}, "breed"),
        ({"ResponsiblePersonRole": "OWNER"}, "owner"),
        ({"InstitutionName": "Veterinary Hospital"}, "institution name"),
        ({"StudyDescription": "Tierarztpraxis, Thorax"}, "study description"),
    ],
    ids=["species", "breed", "owner", "institution", "study"],
)
def test_an_animal_is_refused_whatever_says_so(changes: Any, where: str) -> None:
    with pytest.raises(ContractError, match=where):
        read_dicom_image(film(**changes), file="a.dcm", zone=None)


def test_a_human_by_species_is_taken() -> None:
    found = read_dicom_image(
        film(PatientSpeciesDescription="Homo sapiens"), file="a.dcm", zone=None
    )
    assert found.modality == "DX"


def test_pixels_that_end_early_are_told() -> None:
    content = film()
    found = read_dicom_image(content[:-200], file="a.dcm", zone=None)
    (problem,) = [p for p in found.problems if p.code == "pixels-truncated"]
    assert "of 1024 bytes" in problem.detail  # 32 x 32 pixels of one byte


def test_a_header_cut_in_the_middle_is_refused_or_told(tmp_path: Path) -> None:
    content = film()
    with pytest.raises(UnreadableError):
        read_dicom_image(content[:150], file="a.dcm", zone=None)
    case = _case(tmp_path, film_dcm=content[:150])
    assert report(case, "film.dcm").status == "failed"


def test_a_picture_cut_in_the_middle_is_refused(tmp_path: Path) -> None:
    item = report(_case(tmp_path, film_png=_png()[:-30]), "film.png")
    assert (item.status, "damaged picture" in (item.reason or "")) == ("failed", True)
