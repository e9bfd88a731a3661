"""What holds for every written object: valid, whose, by what, for research, replayable."""

import io
from pathlib import Path
from typing import Any

import pydicom
import pytest

from tests.tools.dicom_out.checker import errors, errors_between
from tests.tools.dicom_out.objects import KINDS, MAKER, files, sources, written
from tools.dicom_out.capture import secondary_capture
from tools.dicom_out.maker import Maker
from tools.dicom_out.overlay import overlay_picture, windowed
from tools.dicom_out.presentation import Window, presentation_state
from tools.dicom_out.sources import read_sources
from tools.dicom_out.uids import ROOT

HIGHDICOM = "1.2.826.0.1.3680043.10.511.3."


def _read(content: bytes) -> Any:
    return pydicom.dcmread(io.BytesIO(content))


def _all(ds: Any) -> list[Any]:
    found = []
    for element in ds:
        found.append(element)
        if element.VR == "SQ":
            for item in element.value:
                found += _all(item)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_outside_checker_finds_no_error(kind: str, tmp_path: Path) -> None:
    assert errors(written(kind), tmp_path, kind) == []


def test_objects_agree_with_their_sources(tmp_path: Path) -> None:
    objects = {name.removesuffix(".dcm"): content for name, content in files().items()}
    objects |= {kind: written(kind) for kind in ("sr", "seg", "sc", "pr")}
    assert errors_between(objects, tmp_path) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_inputs_give_the_same_bytes(kind: str) -> None:
    assert written(kind) == written(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_identifiers_are_our_own_or_of_the_sources(kind: str) -> None:
    ds = _read(written(kind))
    assert ds.SOPInstanceUID.startswith(ROOT)
    assert ds.SeriesInstanceUID.startswith(ROOT)
    random = [e for e in _all(ds) if e.VR == "UI" and str(e.value).startswith(HIGHDICOM)]
    assert random == []
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_says_that_it_is_for_research_and_by_what(kind: str) -> None:
    ds = _read(written(kind))
    assert "Research use" in ds.SeriesDescription
    assert ds.ManufacturerModelName == "a_method"
    assert list(ds.SoftwareVersions) == [MAKER.software, "3"]
    assert (ds.InstanceCreationDate, ds.InstanceCreationTime) == ("20260110", "110000")


@pytest.mark.parametrize("kind", ["sr", "seg", "sc", "pr"])
def test_patient_and_study_are_those_of_the_source(kind: str) -> None:
    ds, source = _read(written(kind)), sources().datasets[0]
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex",
                    "StudyInstanceUID", "StudyDate", "AccessionNumber"):  # fmt: skip
        assert ds[keyword].value == source[keyword].value, keyword


def test_another_moment_is_another_object() -> None:
    later = Maker(method="a_method", method_version="3", at=MAKER.at.replace(hour=12))
    window = Window(centre=40, width=400, name="soft")
    first = _read(presentation_state(window, (), sources(), MAKER, title="w"))
    second = _read(presentation_state(window, (), sources(), later, title="w"))
    assert first.SOPInstanceUID != second.SOPInstanceUID


def test_a_name_in_another_character_set_arrives_as_it_was(tmp_path: Path) -> None:
    """Wang^XiaoDong=王^小东 in GB18030, as PS3.5 annex K.2 spells it."""
    changed = {
        name: _renamed(content, "Wang^XiaoDong=王^小东", "GB18030")
        for name, content in files().items()
    }
    source = read_sources(changed)
    content = presentation_state(
        Window(centre=40, width=400, name="soft"), (), source, MAKER, title="w"
    )
    ds = _read(content)
    assert ds.SpecificCharacterSet == "ISO_IR 192"
    assert str(ds.PatientName) == "Wang^XiaoDong=王^小东"
    assert errors(content, tmp_path, "gb") == []


def _renamed(content: bytes, name: str, charset: str) -> bytes:
    ds = pydicom.dcmread(io.BytesIO(content))
    ds.SpecificCharacterSet = charset
    ds.PatientName = name
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize("stated", [{"BodyPartExamined": None}, {"BodyPartExamined": "HAND",
                                    "Laterality": "L"}], ids=["no-part", "left-hand"])  # fmt: skip
def test_the_side_is_stated_as_the_source_does(stated: dict[str, Any], tmp_path: Path) -> None:
    source = read_sources(files(**stated))
    one = source.of(source.instances[:1])
    import numpy as np

    grey = overlay_picture(windowed(np.zeros((16, 16)), 40, 400), [], MAKER)
    for kind, content in (
        ("sc", secondary_capture(grey, one, MAKER, title="o")),
        ("pr", presentation_state(None, (), source, MAKER, title="w")),
    ):
        assert errors(content, tmp_path, kind) == []


def test_a_name_of_a_single_part_is_in_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    """highdicom quotes such a name in a warning, which a service would log."""
    source = read_sources(files(PatientName="Zweistein", ReferringPhysicianName="ward"))
    window = Window(centre=40, width=400, name="soft")
    ds = _read(presentation_state(window, (), source, MAKER, title="w"))
    assert str(ds.PatientName) == "Zweistein"
    assert not [one for one in recwarn if "Zweistein" in str(one.message)]
