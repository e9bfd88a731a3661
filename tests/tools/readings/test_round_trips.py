"""A reading goes out as JSON, FHIR and DICOM and comes back equal; damaged ones are refused."""

import json
from pathlib import Path

import pytest

from knowledge.errors import (
    ContractError,
    IdentityConflictError,
    InvalidValueError,
    UnreadableError,
    UnsupportedError,
)
from knowledge.reading_form import reading_form_ids
from tests.data_folder import shared_data
from tests.tools.dicom_out.checker import errors
from tests.tools.readings.full import full_reading
from tests.tools.readings.made import NOON, READER, reading
from tools.dicom_out.sources import read_sources
from tools.readings.any_file import read_any
from tools.readings.fhir_in import reading_from_fhir
from tools.readings.fhir_out import fhir_bundle
from tools.readings.model import Said, Stated, Study, Subject
from tools.readings.sr_in import reading_from_sr
from tools.readings.sr_out import reading_sr
from tools.readings.study import subject_and_study
from tools.readings.versions import edited, new_reading, signed

FORMS = reading_form_ids()


@pytest.mark.parametrize("form", FORMS)
def test_through_json(form: str) -> None:
    made = full_reading(form)
    assert read_any(json.dumps(made.to_json()).encode(), name="r.json") == made


@pytest.mark.parametrize("form", FORMS)
def test_through_fhir(form: str) -> None:
    made = full_reading(form)
    bundle = json.loads(json.dumps(fhir_bundle(made)))
    assert reading_from_fhir(bundle) == made


@pytest.mark.parametrize("form", FORMS)
def test_through_dicom_sr(form: str) -> None:
    made = full_reading(form)
    assert reading_from_sr(reading_sr(made)) == made


@pytest.mark.parametrize("form", FORMS)
def test_an_untouched_reading_stays_untouched(form: str) -> None:
    made = reading(form)
    assert reading_from_fhir(fhir_bundle(made)) == made
    assert reading_from_sr(reading_sr(made)) == made


def test_a_signed_reading_and_one_without_images_time_and_accession() -> None:
    bare = reading(
        "bone_age",
        {"hand": "left"},
        study=Study(study_uid="1.2.3", modality="DX"),
        subject=Subject(id="P1", age_years=8.5, sex="male"),
        prior="reading-0",
    )
    final = signed(bare, by=READER)
    assert reading_from_fhir(fhir_bundle(final)) == final
    assert reading_from_sr(reading_sr(final)) == final


def test_the_same_reading_gives_the_same_bytes() -> None:
    made = full_reading("thyroid_tirads")
    assert reading_sr(made) == reading_sr(made)
    assert fhir_bundle(made) == fhir_bundle(made)


def test_the_sr_is_preliminary_and_unverified_also_when_signed() -> None:
    import io

    import pydicom

    final = signed(reading("bone_age", {"hand": "left"}), by=READER)
    ds = pydicom.dcmread(io.BytesIO(reading_sr(final)))
    assert (ds.PreliminaryFlag, ds.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    assert ds.PatientID == "P1"
    texts = [item.TextValue for item in ds.ContentSequence if item.ValueType == "TEXT"]
    assert any("Research use only" in text for text in texts)


@pytest.mark.parametrize("form", FORMS)
def test_dciodvfy_finds_no_error(form: str, tmp_path: Path) -> None:
    assert errors(reading_sr(full_reading(form)), tmp_path, "reading") == []


def test_of_a_real_film_with_its_own_identifiers() -> None:
    film = shared_data("dicom-misc") / "GH133.dcm"
    sources = read_sources({"film": film})
    who, what = subject_and_study(sources)
    made = new_reading(
        "mammography_birads", reading_id="m1", subject=who, study=what, started=READER
    )
    assert reading_from_sr(reading_sr(made, sources)) == made
    stranger = made.model_copy(update={"subject": Subject(id="someone else")})
    with pytest.raises(IdentityConflictError):
        reading_sr(stranger, sources)
    other = made.model_copy(update={"study": what.model_copy(update={"study_uid": "1.2.3"})})
    with pytest.raises(ContractError):
        reading_sr(other, sources)


def test_a_range_has_no_value_in_fhir_and_what_was_not_looked_at_says_so() -> None:
    bundle = fhir_bundle(reading("stroke_aspects"))
    every = [entry["resource"] for entry in bundle["entry"]]
    observations = [r for r in every if r["resourceType"] == "Observation"]
    assert observations
    for resource in observations:
        assert not any(key.startswith("value") for key in resource)
        assert "dataAbsentReason" in resource
    table = next(r for r in observations if r["code"]["text"] == "ASPECTS")
    assert table["note"][0]["text"].startswith("Possible: ASPECTS 6 to 10; ")


def test_a_missing_part_is_named_and_refused() -> None:
    bundle = fhir_bundle(full_reading("thyroid_tirads"))
    for place in range(1, len(bundle["entry"])):
        resource = bundle["entry"][place]["resource"]
        if "reading-table" in str(resource.get("code")):  # made again from the items
            continue
        less = {**bundle, "entry": bundle["entry"][:place] + bundle["entry"][place + 1 :]}
        with pytest.raises(UnreadableError):
            reading_from_fhir(less)


def test_a_bundle_or_report_of_something_else_is_refused() -> None:
    with pytest.raises(UnsupportedError):
        reading_from_fhir({"resourceType": "Bundle", "entry": []})
    with pytest.raises(UnreadableError):
        reading_from_sr(b"no dicom")
    other = shared_data("dicom-misc") / "test_SR.dcm"
    with pytest.raises(UnsupportedError):
        reading_from_sr(other.read_bytes())


def test_a_truncated_report_is_refused_or_the_same() -> None:
    content = reading_sr(full_reading("bone_age"))
    for end in range(0, len(content) - 1, 997):
        with pytest.raises((UnreadableError, UnsupportedError, InvalidValueError)):
            reading_from_sr(content[:end])


def test_an_edit_of_a_list_keeps_what_stood_there() -> None:
    made = full_reading("thyroid_tirads")
    by = Said(by="reader", who="Dr Two", at=made.last_change)
    gone = edited(made, {"nodules": Stated.model_validate({"state": "absent", "said": by})}, by=by)
    assert len(gone.edits[-1].before.entries) == 2
    assert reading_from_fhir(fhir_bundle(gone)) == gone
    assert reading_from_sr(reading_sr(gone)) == gone
    assert gone.last_change >= NOON


@pytest.mark.parametrize(
    "entry",
    [7, [{"resource": 7}], [{"resource": {"resourceType": "DiagnosticReport", "code": 7}}]],
    ids=["entries", "resource", "code"],
)
def test_a_bundle_of_odd_parts_is_refused(entry: object) -> None:
    content = json.dumps({"resourceType": "Bundle", "entry": entry}).encode()
    with pytest.raises((UnreadableError, UnsupportedError)):
        read_any(content, name="bundle.json")
