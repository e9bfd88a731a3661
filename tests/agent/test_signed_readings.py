"""A signed reading answers the pathway; an unsigned one, or silence, answers nothing.

Expected verdicts and recommendations are those of the rows of `pathways/chest_pain.yaml`, which
cite the BTS guideline on pleural disease of 2023.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.assessment import Assessment, Status
from evals.phantoms.readings import MODEL, reading
from knowledge.clinical_inputs import catalogue
from knowledge.finding import Finding, State, Why
from knowledge.reading_inputs import ReadingInput, reading_inputs
from serving.report.imaging import imaging_section
from serving.web.translation import translations
from tests.agent.cases import assessed, change_case, example
from tools.intake.readings import reading_file
from tools.readings.fhir_out import fhir_bundle
from tools.readings.in_case import reading_facts
from tools.readings.model import Reading, Said, Study, Subject
from tools.readings.sr_out import reading_sr
from tools.readings.versions import signed

PATIENT = Subject(id="EX-0003", issuer="urn:epicrisis:example-mrn", sex="male")
"""That of the chart of the example."""
MADE = datetime(2026, 11, 20, 17, 50, tzinfo=UTC)
"""15 minutes before the assessment of the example, 19:05 in Berlin."""
SHOWN = {"projection": "pa", "pneumothorax": "present"}
NOT_SHOWN = {"projection": "pa", "pneumothorax": "absent"}


def read(items: dict[str, str], form: str = "chest_film", **changes: Any) -> Reading:
    """Return an unsigned reading of the patient of the example."""
    modality = "DX" if form == "chest_film" else "CT"
    study = Study(study_uid="1.2.3", modality=modality, done=changes.pop("done", MADE))
    return reading(form, items, subject=changes.pop("subject", PATIENT), study=study, **changes)


def by_doctor(one: Reading, *, minutes: int = 5) -> Reading:
    """Return a reading as signed."""
    at = MADE + timedelta(minutes=minutes)
    return signed(one, by=Said(by="reader", who="Dr Reader", at=at))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return example("early_presenter", tmp_path)


def put(case: Path, *readings: Reading) -> None:
    for number, one in enumerate(readings, 1):
        (case / f"film{number}.json").write_text(one.model_dump_json(by_alias=True), "utf-8")


def answer(a: Assessment, input_id: str = "imaging_pneumothorax") -> Finding | None:
    label = catalogue().get(input_id).label
    return next((f for f in a.findings if f.concept.text == label), None)


def verdict(a: Assessment) -> str:
    return next(d.verdict for d in a.differential if d.diagnosis == "Tension pneumothorax")


def advice(a: Assessment) -> str:
    return " ".join(one.text for one in a.recommendations)


def test_a_signed_pneumothorax_is_present_with_its_recommendation_and_who_signed(
    case: Path,
) -> None:
    assert "shows a pneumothorax" not in advice(assessed(case))
    put(case, by_doctor(read(SHOWN)))
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.state is State.PRESENT
    assert found.time is not None
    assert found.time.at == MADE
    assert found.method == "read and signed by Dr Reader at 2026-11-20 17:55 UTC"
    assert found.evidence[0].model_dump() == {
        "kind": "record",
        "file": "film1.json",
        "record": "pneumothorax",
    }
    assert "Imaging shows a pneumothorax" in advice(a)
    (listed,) = a.readings
    assert (listed.signed_by, listed.answers) == ("Dr Reader", ("imaging_pneumothorax",))
    assert listed.summary_en[0] == "Present: Pneumothorax"
    assert "气胸" in listed.summary_zh[0]


def test_with_shock_it_is_the_must_not_miss_verdict(case: Path) -> None:
    change_case(case, "hypotension_shock: no", "hypotension_shock: yes")
    put(case, by_doctor(read(SHOWN)))
    assert verdict(assessed(case)) == "supported"


def test_a_signed_absence_argues_against_it(case: Path) -> None:
    change_case(case, "  breath_sounds_absent_one_side: no\n", "")
    assert verdict(assessed(case)) == "not assessed"
    put(case, by_doctor(read(NOT_SHOWN)))
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.state is State.ABSENT
    assert verdict(a) == "argued against"


@pytest.mark.parametrize("items", [SHOWN, NOT_SHOWN])
def test_an_unsigned_reading_answers_nothing_and_says_so(case: Path, items: dict[str, str]) -> None:
    put(case, read(items))
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.UNCONFIRMED
    assert "unsigned reading in the case (film1.json)" in found.not_assessed.detail
    assert "Imaging shows a pneumothorax" not in advice(a)
    (told,) = [one for one in a.inputs if one.file == "film1.json"]
    assert told.reason is not None
    assert "unsigned" in told.reason
    assert a.readings[0].standing == "unsigned"


def test_silence_is_never_normal(case: Path) -> None:
    put(case, by_doctor(read({"projection": "pa", "effusion": "absent"})))
    a = assessed(case)
    assert answer(a) is None  # what is missing is no finding
    assert "Pneumothorax on imaging" not in advice(a)
    assert a.readings[0].answers == ("pleural_effusion",)
    put(case, by_doctor(read({"projection": "pa", "pneumothorax": "not-assessed;why=quality"})))
    found = answer(assessed(case))
    assert found is not None
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.QUALITY


@pytest.mark.parametrize(
    "items", [{"pneumothorax": "absent"}, {**NOT_SHOWN, "projection": "ap-supine"}]
)
def test_a_film_that_is_supine_or_does_not_say_so_excludes_nothing(
    case: Path, items: dict[str, str]
) -> None:
    put(case, by_doctor(read(items)))
    found = answer(assessed(case))
    assert found is not None
    assert found.state is State.NOT_ASSESSED


def test_what_only_a_model_says_answers_nothing_even_in_a_signed_file(case: Path) -> None:
    one = by_doctor(read(NOT_SHOWN))
    said = one.items["pneumothorax"].model_copy(update={"said": MODEL})
    forged = one.model_copy(update={"items": {**one.items, "pneumothorax": said}})
    file = reading_file(forged, file="film.json", written_as="reading")
    found = {f.finding.concept.text: f.finding for f in reading_facts(file, "signed")}
    why = found["Pneumothorax on imaging"].not_assessed
    assert why is not None
    assert why.why is Why.UNCONFIRMED


def test_a_reading_of_another_patient_refuses_the_case(case: Path) -> None:
    other = Subject(id="EX-9999", issuer=PATIENT.issuer, sex="male")
    put(case, by_doctor(read(SHOWN, subject=other)))
    a = assessed(case)
    assert a.status is Status.REFUSED
    assert not a.recommendations


def test_a_number_without_its_issuer_needs_a_statement(case: Path) -> None:
    put(case, by_doctor(read(SHOWN, subject=Subject(id="EX-0003", sex="male"))))
    a = assessed(case)
    assert answer(a) is None
    (told,) = [one for one in a.inputs if one.file == "film1.json"]
    assert told.status == "failed"
    change_case(case, "facts:\n", "attach: [{file: film1.json, patient: same}]\nfacts:\n")
    found = answer(assessed(case))
    assert found is not None
    assert found.state is State.PRESENT


def test_a_statement_that_disagrees_is_a_conflict(case: Path) -> None:
    change_case(case, "facts:\n", "facts:\n  imaging_pneumothorax: no\n")
    put(case, by_doctor(read(SHOWN)))
    a = assessed(case)
    (conflict,) = [c for c in a.conflicts if c.input == "imaging_pneumothorax"]
    assert {side.says for side in conflict.sides} == {"present", "absent"}
    found = answer(a)
    assert found is not None
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.CONFLICTING
    change_case(case, "facts:\n", "answers:\n  imaging_pneumothorax: yes\nfacts:\n")
    found = answer(assessed(case))
    assert found is not None
    assert found.state is State.PRESENT


def test_two_readings_that_disagree_are_a_conflict(case: Path) -> None:
    put(case, by_doctor(read(SHOWN)), by_doctor(read(NOT_SHOWN, id="reading-2")))
    a = assessed(case)
    assert [c.input for c in a.conflicts] == ["imaging_pneumothorax"]


def test_a_signed_correction_takes_the_place_of_what_it_corrects(case: Path) -> None:
    first = by_doctor(read(SHOWN))
    later = by_doctor(read(NOT_SHOWN, version=7), minutes=10)
    put(case, first, later)
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.state is State.ABSENT
    assert {one.file: one.standing for one in a.readings} == {
        "film1.json": "superseded",
        "film2.json": "signed",
    }


def test_an_unsigned_correction_takes_no_place(case: Path) -> None:
    put(case, by_doctor(read(SHOWN)), read(NOT_SHOWN, version=7))
    found = answer(assessed(case))
    assert found is not None
    assert found.state is State.PRESENT


def test_an_old_examination_does_not_answer(case: Path) -> None:
    put(case, by_doctor(read(SHOWN, done=MADE - timedelta(hours=73))))
    found = answer(assessed(case))
    assert found is not None
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.STALE


def test_one_version_in_three_forms_is_one_reading(case: Path) -> None:
    one = by_doctor(read(SHOWN))
    put(case, one)
    (case / "film.fhir.json").write_text(json.dumps(fhir_bundle(one)), "utf-8")
    (case / "film_sr.dcm").write_bytes(reading_sr(one))
    a = assessed(case)
    kinds = {i.file: (i.status, i.kind) for i in a.inputs if i.file.startswith("film")}
    assert kinds == {
        "film.fhir.json": ("read", "structured reading (FHIR bundle)"),
        "film1.json": ("ignored", "structured reading (reading)"),
        "film_sr.dcm": ("ignored", "structured reading (DICOM SR)"),
    }
    assert not a.conflicts
    assert len(a.readings) == 1
    (case / "film1.json").unlink()
    for file, next_file in (("film.fhir.json", "film_sr.dcm"), ("film_sr.dcm", "")):
        found = answer(assessed(case))
        assert found is not None
        assert (found.state, found.evidence[0].model_dump()["file"]) == (State.PRESENT, file)
        (case / file).unlink()
        assert not next_file or (case / next_file).exists()


def test_a_damaged_reading_is_told_and_stops_nothing(case: Path) -> None:
    body = json.loads(by_doctor(read(SHOWN)).model_dump_json(by_alias=True))
    body["items"]["pneumothorax"]["state"] = "perhaps"
    (case / "film1.json").write_text(json.dumps(body), "utf-8")
    a = assessed(case)
    (told,) = [one for one in a.inputs if one.file == "film1.json"]
    assert told.status == "failed"
    assert answer(a) is None


CT = {
    "contrast": "present",
    "image_quality": "adequate",
    "dissection": "absent",
    "embolus": "absent",
    "pericardial_effusion": "absent",
    "pneumothorax": "absent",
}


def test_a_ct_answers_what_its_form_asks_and_no_more(case: Path) -> None:
    put(case, by_doctor(read(CT, form="chest_ct")))
    a = assessed(case)
    states = {i: answer(a, i) for i in ("imaging_pericardial_effusion", "imaging_pneumothorax")}
    assert [f.state for f in states.values() if f is not None] == [State.ABSENT, State.ABSENT]
    for input_id in ("cta_aortic_dissection", "ctpa_pulmonary_embolism"):
        found = answer(a, input_id)
        assert found is not None
        assert found.not_assessed is not None
        assert found.not_assessed.why is Why.OUTSIDE_CONTRACT


def test_a_dissection_that_is_signed_is_acted_on(case: Path) -> None:
    put(case, by_doctor(read({**CT, "dissection": "present"}, form="chest_ct")))
    found = answer(assessed(case), "cta_aortic_dissection")
    assert found is not None
    assert found.state is State.PRESENT


ROW = {
    "form": "chest_film", "input": "imaging_pneumothorax", "max_age_hours": 72,
    "present_when": {"input": "pneumothorax", "is": "present"},
    "otherwise": {"en": "x", "zh": "x"}, "source": "epicrisis", "review": "R80",
}  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"form": "no_such_form"},
        {"input": "no_such_input"},
        {"input": "heart_rate"},
        {"present_when": {"input": "no_such_item", "is": "present"}},
        {"present_when": {"input": "projection", "is": "sideways"}},
        {"max_age_hours": 24},
    ],
)
def test_a_row_that_names_what_is_not_there_is_refused_on_load(changed: dict[str, Any]) -> None:
    ReadingInput.model_validate(ROW)
    with pytest.raises(ValueError, match=r"."):
        ReadingInput.model_validate({**ROW, **changed})


def test_every_row_cites_a_source() -> None:
    table = reading_inputs()
    assert all(table.cite("reading_inputs", row.source, row.review).label for row in table.rows)


def test_the_report_says_what_was_signed_and_by_whom(case: Path) -> None:
    put(case, by_doctor(read(SHOWN)))
    a = assessed(case)
    section = imaging_section(a, str, chinese=False)
    assert section is not None
    (item,) = section.items
    assert "signed reading (Dr Reader, 2026-11-20 18:55): Present: Pneumothorax" in item.lines[1]
    assert item.evidence[0].model_dump()["file"] == "film1.json"
    chinese = imaging_section(a, translations("zh").gettext, chinese=True)
    assert chinese is not None
    assert "已签名阅片 (Dr Reader" in chinese.items[0].lines[1]
    assert "气胸" in chinese.items[0].lines[1]
