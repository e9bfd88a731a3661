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
from agent.urgent_readings import in_words
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
from tools.readings.model import Edit, Reading, Said, Study, Subject
from tools.readings.sr_out import reading_sr
from tools.readings.urgent import urgent_reading
from tools.readings.versions import open_clashes, signed

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


def corrected(first: Reading, *, path: str = "pneumothorax") -> Reading:
    """Return a signed later version in which the reader takes a sign back, with its history."""
    who, at = "Dr Reader", MADE + timedelta(minutes=10)
    before = first.at(path)
    now = read(NOT_SHOWN).at(path)
    return first.model_copy(
        update={
            "version": first.version + 2,
            "items": {**first.items, path: now},
            "edits": (Edit(version=first.version + 1, path=path, before=before, by=who, at=at),),
            "signed": Said(by="reader", who=who, at=at),
        }
    )


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
    later = corrected(first)
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


# ---- signs of tension, and signs to be told at once


def urgent(a: Assessment) -> list[str]:
    return [one.text for one in a.recommendations if one.id == "urgent_reading"]


@pytest.mark.parametrize("sign", ["tension", "tracheal_shift"])
def test_tension_that_a_signed_film_states_is_the_immediate_line(case: Path, sign: str) -> None:
    put(case, by_doctor(read({**SHOWN, sign: "present"})))
    a = assessed(case)
    assert verdict(a) == "supported"
    assert a.narrative.headline.startswith("Tension pneumothorax is suspected: decompress now.")
    assert a.recommendations[0].id == "tension"
    assert {e.model_dump().get("record") for e in a.recommendations[0].evidence} & {sign}
    assert "without signs of tension" not in a.narrative.headline + advice(a)


def test_tension_counts_although_a_statement_denies_the_pneumothorax(case: Path) -> None:
    change_case(case, "facts:\n", "facts:\n  imaging_pneumothorax: no\n")
    put(case, by_doctor(read({**SHOWN, "tension": "present"})))
    assert assessed(case).recommendations[0].id == "tension"


@pytest.mark.parametrize("input_id", ["imaging_tension", "imaging_tracheal_shift"])
def test_a_film_never_answers_that_tension_is_absent(case: Path, input_id: str) -> None:
    put(case, by_doctor(read({**SHOWN, "tension": "absent", "tracheal_shift": "absent"})))
    found = answer(assessed(case), input_id)
    assert found is not None
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_CONTRACT


def test_without_signs_of_tension_is_said_only_where_they_were_looked_for(case: Path) -> None:
    put(case, by_doctor(read(SHOWN)))
    a = assessed(case)
    assert "without signs of tension" in a.narrative.headline
    assert "without signs of tension" in advice(a)
    change_case(case, "  tracheal_deviation: no\n", "")
    a = assessed(case)
    assert "tension not assessed: Tracheal deviation." in a.narrative.headline
    change_case(case, "  hypotension_shock: no\n", "")
    change_case(case, "  breath_sounds_absent_one_side: no\n", "")
    a = assessed(case)
    told = "tension not assessed: Hypotension or shock, Tracheal deviation."
    assert told in a.narrative.headline
    assert told in advice(a)
    assert "without signs of tension" not in a.model_dump_json()


def test_disagreement_on_tension_is_named(case: Path) -> None:
    change_case(case, "facts:\n", "facts:\n  imaging_tension: no\n")
    put(case, by_doctor(read({**SHOWN, "tension": "present"})))
    a = assessed(case)
    told = "tension not assessed: Signs of tension on imaging (sources disagree)"
    assert told in a.narrative.headline
    assert "without signs of tension" not in advice(a)


SIGNS = {**NOT_SHOWN, "free_air": "present", "wide_mediastinum": "present"}


def test_urgent_signs_of_a_signed_film_are_told_first(case: Path) -> None:
    put(case, by_doctor(read(SIGNS)))
    a = assessed(case)
    told = (
        "Signed reading of the chest film of 2026-11-20 18:50 (Dr Reader, 2026-11-20 18:55): "
        "free air under the diaphragm; wide mediastinum: to be told at once."
    )
    assert urgent(a) == [told]
    assert told in a.narrative.headline
    (sentence,) = [one for one in a.narrative.sentences if one.text == told]
    assert [e.model_dump() for e in sentence.evidence] == [
        {"kind": "record", "file": "film1.json", "record": "free_air"},
        {"kind": "record", "file": "film1.json", "record": "wide_mediastinum"},
    ]
    (row,) = [one for one in a.recommendations if one.id == "urgent_reading"]
    assert row.evidence == sentence.evidence
    assert row.urgency == "urgent"
    section = imaging_section(a, str, chinese=False)
    assert section is not None
    assert section.note.startswith(told)
    chinese = imaging_section(a, translations("zh").gettext, chinese=True)
    assert chinese is not None
    assert "膈下游离气体; 纵隔增宽" in chinese.note.partition("。")[0]


def test_urgent_signs_in_chinese_are_those_of_the_form() -> None:
    found = urgent_reading(reading_file(by_doctor(read(SIGNS)), file="f.json", written_as="x"))
    assert found is not None
    said = in_words(found, "Europe/Berlin", "zh")
    for words in ("胸部", "膈下游离气体; 纵隔增宽", "需立即告知", "Dr Reader", "2026-11-20 18:55"):
        assert words in said


@pytest.mark.parametrize(
    "one",
    [
        read(SIGNS),
        by_doctor(read(SIGNS, done=MADE - timedelta(days=30))),
        by_doctor(read(NOT_SHOWN)),
        by_doctor(read(CT, form="chest_ct")),
    ],
)
def test_unsigned_old_future_or_without_an_urgent_sign_tells_nothing(
    case: Path, one: Reading
) -> None:
    put(case, one)
    assert not urgent(assessed(case))


def test_signs_on_a_film_dated_after_its_signature_are_told_as_undated(case: Path) -> None:
    """Nobody reads what is not made yet: the clock of the machine is wrong, the signs are there."""
    put(case, by_doctor(read(SIGNS, done=MADE + timedelta(days=1))))
    (told,) = urgent(assessed(case))
    assert "time not stated" in told
    assert "wide mediastinum" in told


def test_what_is_signed_after_the_assessment_is_not_signed_yet(case: Path) -> None:
    put(case, by_doctor(read(SIGNS), minutes=60))
    a = assessed(case)
    assert not urgent(a)
    assert [one.standing for one in a.readings] == ["unsigned"]


def test_signs_taken_back_by_their_reader_or_gone_on_a_later_film_are_not_told(
    case: Path,
) -> None:
    gone = {"projection": "pa", "pneumothorax": "absent", "free_air": "absent"}
    gone |= {"wide_mediastinum": "absent", "pneumomediastinum": "absent"}
    first = by_doctor(read(SIGNS))
    later = by_doctor(read(gone, id="two"), minutes=9)
    put(case, first, later)
    assert not urgent(assessed(case))
    control = of_study(gone, "1.2.9", MADE + timedelta(minutes=4), id="new")
    put(case, first, control)
    assert not urgent(assessed(case))
    silent = of_study({"projection": "pa"}, "1.2.9", MADE + timedelta(minutes=4), id="new")
    put(case, first, silent)
    assert urgent(assessed(case)), "silence takes nothing back"


TENSION = {**SHOWN, "tension": "present"}


def test_a_tension_pneumothorax_that_is_gone_is_not_decompressed(case: Path) -> None:
    first = by_doctor(read(TENSION))
    put(case, first)
    assert "decompress" in assessed(case).narrative.headline
    put(case, first, by_doctor(read(NOT_SHOWN, id="two"), minutes=9))
    assert "decompress" not in assessed(case).narrative.headline
    put(case, first, of_study(NOT_SHOWN, "1.2.9", MADE + timedelta(minutes=4), id="new"))
    assert "decompress" not in assessed(case).narrative.headline


def test_a_shifted_trachea_beside_a_disputed_pneumothorax_is_tension_until_settled(
    case: Path,
) -> None:
    other = Said(by="reader", who="Dr Other", at=MADE + timedelta(minutes=9))
    put(
        case,
        by_doctor(read({**SHOWN, "tracheal_shift": "present"})),
        signed(read(NOT_SHOWN, id="two"), by=other),
    )
    assert "ension" in assessed(case).narrative.headline


def test_a_signature_under_answers_that_contradict_each_other_is_refused(case: Path) -> None:
    against = read(
        {"projection": "pa", "pericardial_effusion": "present", "cardiomegaly": "absent"}
    )
    assert open_clashes(against)
    update = {"signed": Said(by="reader", who="Dr Reader", at=MADE), "status": "final"}
    put(case, against.model_copy(update=update))
    a = assessed(case)
    (film,) = [i for i in a.inputs if i.file == "film1.json"]
    assert film.status == "failed"
    assert film.reason is not None
    assert "contradict each other" in film.reason


def test_an_urgent_sign_that_only_a_model_states_is_not_told() -> None:
    one = by_doctor(read(SIGNS))
    said = one.items["free_air"].model_copy(update={"said": MODEL})
    forged = one.model_copy(update={"items": {**one.items, "free_air": said}})
    found = urgent_reading(reading_file(forged, file="f.json", written_as="x"))
    assert found is not None
    assert [sign.en for sign in found.signs] == ["Wide mediastinum"]


def of_study(items: dict[str, str], uid: str, done: datetime | None, **changes: Any) -> Reading:
    """Return a signed reading of another study than that of `read`."""
    form = changes.pop("form", "chest_film")
    study = Study(study_uid=uid, modality="DX" if form == "chest_film" else "CT", done=done)
    made = 0 if done is None else int((done - MADE).total_seconds() // 60)
    minutes = changes.pop("minutes", max(5, made + 1))
    return by_doctor(reading(form, items, subject=PATIENT, study=study, **changes), minutes=minutes)


CLAIMED = "One reader or source states a pneumothorax and another denies it"


@pytest.mark.parametrize("hours", [1, 55])
def test_a_film_before_the_pain_never_denies(case: Path, hours: int) -> None:
    change_case(case, "  breath_sounds_absent_one_side: no\n", "")
    put(case, by_doctor(read(NOT_SHOWN, done=MADE - timedelta(hours=1 + hours))))
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_WINDOW
    assert "done before the pain began" in found.not_assessed.detail
    assert verdict(a) == "not assessed"
    (listed,) = a.readings
    assert "imaging_pneumothorax" not in listed.answers
    assert any("done before the pain began" in told for told in listed.not_used)


def test_a_pneumothorax_before_the_pain_is_still_told(case: Path) -> None:
    put(case, by_doctor(read(SHOWN, done=MADE - timedelta(hours=55))))
    found = answer(assessed(case))
    assert found is not None
    assert found.state is State.PRESENT


@pytest.mark.parametrize(("hours", "state"), [(0, State.ABSENT), (7, State.NOT_ASSESSED)])
def test_without_an_onset_only_a_film_of_the_last_hours_denies(
    case: Path, hours: int, state: State
) -> None:
    change_case(case, "  onset: 2026-11-20T17:30:00+01:00\n", "")
    put(case, by_doctor(read(NOT_SHOWN, done=MADE - timedelta(hours=hours))))
    found = answer(assessed(case))
    assert found is not None
    assert found.state is state
    if found.not_assessed is not None:
        assert "not known when the pain began" in found.not_assessed.detail


def test_yesterdays_film_does_not_cancel_todays(case: Path) -> None:
    put(
        case,
        of_study(NOT_SHOWN, "1.2.9", MADE - timedelta(hours=40), id="old"),
        by_doctor(read(SHOWN)),
    )
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.state is State.PRESENT
    assert not a.conflicts
    assert "Imaging shows a pneumothorax" in advice(a)


def test_a_later_film_without_the_sign_counts_and_tells_the_earlier_one(case: Path) -> None:
    put(
        case,
        by_doctor(read(SHOWN)),
        of_study(NOT_SHOWN, "1.2.9", MADE + timedelta(minutes=10), id="new"),
    )
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.state is State.ABSENT
    assert found.reported is not None
    assert "an earlier examination" in found.reported
    assert "film1.json" in found.reported
    assert not a.conflicts
    assert {one.file: one.answers for one in a.readings}["film1.json"] == ()


def test_a_film_does_not_undo_an_earlier_ct(case: Path) -> None:
    ct = {"contrast": "present", "image_quality": "adequate", "pneumothorax": "present"}
    put(
        case,
        of_study(ct, "1.2.8", MADE - timedelta(minutes=10), form="chest_ct", id="ct"),
        by_doctor(read(NOT_SHOWN)),
    )
    a = assessed(case)
    assert [c.input for c in a.conflicts] == ["imaging_pneumothorax"]
    assert CLAIMED in advice(a)


def test_a_pneumothorax_that_one_reader_denies_leads(case: Path) -> None:
    denied = signed(
        read(NOT_SHOWN, id="two"),
        by=Said(by="reader", who="Dr Other", at=MADE + timedelta(minutes=9)),
    )
    put(case, by_doctor(read(SHOWN)), denied)
    a = assessed(case)
    assert a.narrative is not None
    assert CLAIMED in a.narrative.headline
    assert CLAIMED in advice(a)
    assert verdict(a) == "not assessed"


def test_a_denied_pneumothorax_with_shock_is_tension_until_settled(case: Path) -> None:
    change_case(case, "hypotension_shock: no", "hypotension_shock: yes")
    change_case(case, "facts:\n", "facts:\n  imaging_pneumothorax: no\n")
    put(case, by_doctor(read(SHOWN)))
    assert verdict(assessed(case)) == "supported"


def test_a_later_word_of_the_same_reader_replaces_what_it_states_anew(case: Path) -> None:
    put(case, by_doctor(read(SHOWN)), by_doctor(read(NOT_SHOWN, id="two"), minutes=9))
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.state is State.ABSENT
    assert "it replaces the earlier reading film1.json: present" in (found.reported or "")
    assert not a.conflicts
    assert {one.file: one.answers for one in a.readings}["film1.json"] == ()


def test_an_addendum_about_something_else_takes_nothing_back(case: Path) -> None:
    other = {"projection": "pa", "effusion": "absent"}
    put(case, by_doctor(read(SHOWN)), by_doctor(read(other, id="two"), minutes=9))
    found = answer(assessed(case))
    assert found is not None
    assert found.state is State.PRESENT


def test_a_version_of_another_study_replaces_nothing(case: Path) -> None:
    old = of_study(NOT_SHOWN, "1.2.9", MADE - timedelta(hours=40), version=5)
    put(case, by_doctor(read(SHOWN)), old)
    a = assessed(case)
    found = answer(a)
    assert found is not None
    assert found.state is State.PRESENT
    assert {one.standing for one in a.readings} == {"signed"}


def test_a_version_number_with_another_history_is_not_believed(case: Path) -> None:
    put(case, by_doctor(read(SHOWN)), by_doctor(read(NOT_SHOWN, version=9), minutes=10))
    a = assessed(case)
    assert {one.standing for one in a.readings} == {"signed"}
    assert [c.input for c in a.conflicts] == ["imaging_pneumothorax"]
    assert CLAIMED in advice(a)


@pytest.mark.parametrize(
    ("done", "told"),
    [
        (MADE - timedelta(hours=83), "older than 72 h"),
        (MADE + timedelta(hours=5), "made after the reading was signed: a clock is wrong"),
        (None, "does not say when the images were made"),
    ],
)
def test_a_reading_lists_only_what_it_really_answered(
    case: Path, done: datetime | None, told: str
) -> None:
    put(case, by_doctor(read(SHOWN, done=done)))
    (listed,) = assessed(case).readings
    assert listed.answers == ()
    assert len(listed.not_used) == 1
    assert listed.not_used[0].startswith("Pneumothorax on imaging: ")
    assert told in listed.not_used[0]


def test_a_denied_dissection_is_in_the_headline(case: Path) -> None:
    change_case(case, "facts:\n", "facts:\n  cta_aortic_dissection: no\n")
    put(case, by_doctor(read({**CT, "dissection": "present"}, form="chest_ct")))
    a = assessed(case)
    assert a.narrative is not None
    assert "states a dangerous finding on imaging and another denies it" in a.narrative.headline


def test_a_question_on_request_that_is_not_used_is_named_too(case: Path) -> None:
    items = {"projection": "pa", "effusion": "present"}
    put(case, by_doctor(read(items, done=MADE - timedelta(hours=83))))
    (listed,) = assessed(case).readings
    assert listed.answers == ()
    assert listed.not_used[0].startswith("Pleural effusion")
