# ruff: noqa: RUF001
"""Questions about an image are answered from its signed reading; its film counts as read.

The sentences are those of the form `chest_film`; no verdict of normality is ours.
"""

import asyncio
from pathlib import Path

import pytest

from agent.assessment import Assessment
from agent.chat.answer import ChatAnswer, answer
from agent.fact_sheet.sheet import fact_sheet
from evals.phantoms.film import chest, dicom
from knowledge.passages import Language
from knowledge.plain_text import has_chinese
from tests.agent.cases import assessed, example
from tests.agent.test_signed_readings import PATIENT, by_doctor, put, read
from tools.readings.model import Reading, Study

UID = "1.2.826.0.1.3680043.8.498.66"
ITEMS = {
    "projection": "pa",
    "pneumothorax": "absent",
    "free_air": "present",
    "wide_mediastinum": "present",
    "consolidation": "not-assessed;why=quality",
}


def of_film(items: dict[str, str]) -> Reading:
    one = read(items, subject=PATIENT)
    study = Study(study_uid=UID, modality="DX", done=one.study.done)
    return one.model_copy(update={"study": study})


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Return the example with a film of its patient."""
    folder = example("early_presenter", tmp_path)
    film = dicom(
        chest().grey,
        PatientID=PATIENT.id,
        IssuerOfPatientID=PATIENT.issuer,
        PatientName="Exemplo^Davi",
        PatientBirthDate="19830130",
        PatientSex="M",
        StudyInstanceUID=UID,
        StudyDate="20261120",
        StudyTime="185000",
        AcquisitionDate="20261120",
        AcquisitionTime="185000",
        TimezoneOffsetFromUTC="+0100",
    )
    (folder / "film.dcm").write_bytes(film)
    return folder


def asked(a: Assessment, question: str, language: Language = "en") -> ChatAnswer:
    sheet = fact_sheet(a, language=language)
    made = answer(None, question, sheet=sheet, searcher=None, language=language)
    return asyncio.run(made)


def said(found: ChatAnswer) -> str:
    return " ".join(one.text for one in found.sentences)


def told(a: Assessment) -> str:
    return " ".join(one.text for one in a.narrative.sentences)


def reason(a: Assessment, file: str = "film.dcm") -> str | None:
    return next(one.reason for one in a.inputs if one.file == file)


def test_a_film_with_a_signed_reading_is_not_unread(case: Path) -> None:
    before = assessed(case)
    assert "it may hold a result: film.dcm" in told(before)
    put(case, by_doctor(of_film(ITEMS)))
    a = assessed(case)
    assert reason(a) == "read and signed by Dr Reader"
    assert "it may hold a result" not in told(a)


def test_a_film_with_an_unsigned_reading_waits_for_a_signature(case: Path) -> None:
    put(case, of_film(ITEMS))
    a = assessed(case)
    assert reason(a) == "has an unsigned reading: have it signed"
    assert "until a reader has signed it: film.dcm; film1.json. Have it signed." in told(a)
    assert "Type what it says" not in told(a)
    found = asked(a, "is the film normal")
    assert "an unsigned reading is in the case: nothing of it is used" in said(found)
    assert "free air" not in said(found)


def test_a_signed_reading_that_states_nothing_leaves_its_film_unread(case: Path) -> None:
    put(case, by_doctor(of_film({"consolidation": "not-assessed;why=quality"})))
    assert "it may hold a result: film.dcm" in told(assessed(case))


def test_a_reading_of_other_images_leaves_the_film_unread(case: Path) -> None:
    put(case, by_doctor(read(ITEMS)))
    a = assessed(case)
    assert "it may hold a result: film.dcm" in told(a)


@pytest.mark.parametrize(
    "question", ["is the film normal", "what does the signed reading of the film say"]
)
def test_what_the_reader_stated_is_told_section_by_section(case: Path, question: str) -> None:
    put(case, by_doctor(of_film(ITEMS)))
    found = asked(assessed(case), question)
    present, absent, still = (one.text for one in found.sentences[:3])
    assert "read and signed by Dr Reader: Present: " in present
    assert "[Hila, mediastinum and heart] The mediastinum is widened." in present
    assert "[Pleura and diaphragm] There is free air under the diaphragm." in present
    assert "Absent: [Pleura and diaphragm] No pneumothorax." in absent
    assert "Consolidation: not assessed (image quality" in still
    assert "not looked at: Rotation; " in still
    assert "Pleural effusion" in still
    assert any("normal is for its reader to say" in note for note in found.notes)
    assert "film1.json" in {getattr(e, "file", "") for e in found.sentences[0].evidence}


def test_one_sign_is_told_by_its_name_also_where_nobody_looked(case: Path) -> None:
    put(case, by_doctor(of_film(ITEMS)))
    a = assessed(case)
    (only,) = asked(a, "is there free air under the diaphragm").sentences
    assert only.text.endswith("Dr Reader: There is free air under the diaphragm.")
    assert "No pneumothorax." in said(asked(a, "is there a pneumothorax"))
    put(case, by_doctor(of_film({"projection": "pa", "pneumothorax": "absent"})))
    (only,) = asked(assessed(case), "is there free air under the diaphragm").sentences
    assert only.text.endswith("Free air under the diaphragm: not assessed (not looked at).")


def test_chinese_questions_are_answered_in_chinese(case: Path) -> None:
    put(case, by_doctor(of_film(ITEMS)))
    found = asked(assessed(case), "胸片正常吗？", "zh")
    assert found.kind == "facts"
    assert "由Dr Reader阅片并签署：有：" in said(found)
    assert "膈下可见游离气体。" in said(found)
    assert "无：[胸膜与膈肌]未见气胸。" in said(found)
    assert "胸片测量 1" in said(found)
    assert all(has_chinese(note) for note in found.notes)
    air = asked(assessed(case), "有气胸吗", "zh")
    assert "不支持张力性气胸：影像未见气胸。" in said(air)
    assert all(has_chinese(one.text) for one in air.sentences)
