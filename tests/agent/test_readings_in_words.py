"""What a signed reading says in words, or without a time, is never passed over as low risk."""

from pathlib import Path
from typing import Any

import pytest

from agent.assessment import Assessment, Verdict
from tests.agent.cases import assessed, low_risk_case
from tests.agent.test_never_low import is_low
from tests.agent.test_signed_readings import by_doctor, put, read


def _with(folder: Path, form: str, items: dict[str, str], **more: Any) -> Assessment:
    case = low_risk_case(folder)
    put(case, by_doctor(read(items, form=form, **more)))
    return assessed(case)


DANGERS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("chest_ct", {"dissection": "present"}, {"done": None}),
    ("chest_ct", {"embolus": "present"}, {"done": None}),
    ("chest_ct", {"pneumothorax": "present"}, {"done": None}),
    ("chest_ct", {"impression_text": "Intramural haematoma of the ascending aorta."}, {}),
    ("chest_ct", {"impression_text": "主动脉夹层 A 型。"}, {}),
    ("chest_ct", {"urgent_contact": "present"}, {}),
    ("chest_film", {"projection": "pa", "remarks": "Large pneumothorax."}, {}),
    ("general_imaging", {"abnormal": "present"}, {}),
    ("chest_film", {"projection": "pa", "pulmonary_oedema": "present"}, {}),
    ("chest_ct", {"aorta_largest": "85"}, {}),
    ("coronary_cad_rads", {"lm": "occluded", "lad": "severe"}, {}),
    ("coronary_cad_rads", {"lm": "none", "lad": "moderate"}, {}),
    ("general_imaging", {"abnormal": "present", "findings_text": "Something odd."}, {}),
    ("general_imaging", {"urgent_contact": "present"}, {}),
    ("general_imaging", {"impression_text": "Type A dissection."}, {"done": None}),
]


@pytest.mark.parametrize(("form", "items", "more"), DANGERS)
def test_no_case_is_low_beside_it(
    tmp_path: Path, form: str, items: dict[str, str], more: dict[str, Any]
) -> None:
    found = _with(tmp_path, form, items, **more)
    assert not is_low(found), found.narrative.headline
    assert found.recommendations


HARMLESS = [
    ("chest_ct", {"impression_text": "No dissection, no embolus, no pneumothorax."}),
    ("general_imaging", {"abnormal": "absent", "impression_text": "Unremarkable."}),
]


@pytest.mark.parametrize(("form", "items"), HARMLESS)
def test_words_that_deny_every_danger_leave_a_low_case_low(
    tmp_path: Path, form: str, items: dict[str, str]
) -> None:
    assert is_low(_with(tmp_path, form, items))


def test_an_undated_dissection_leads_the_headline(tmp_path: Path) -> None:
    found = _with(tmp_path, "chest_ct", {"dissection": "present"}, done=None)
    assert "dissection of the aorta" in found.narrative.headline
    assert "Dr Reader" in found.narrative.headline


def test_the_words_are_kept_with_their_place(tmp_path: Path) -> None:
    words = {"abnormal": "present", "findings_text": "Something odd."}
    found = _with(tmp_path, "general_imaging", words)
    assert "General reading, Abnormal finding" in found.narrative.headline


def test_an_unsigned_reading_gives_no_words(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    put(case, read({"impression_text": "Type A dissection."}, form="chest_ct"))
    found = assessed(case)
    assert not is_low(found), "an unsigned reading waits for a signature"
    assert "Impression" not in found.narrative.headline


UNTIMED = [
    ("chest_ct", {"dissection": "present"}, "aortic_dissection"),
    ("chest_ct", {"embolus": "present"}, "pulmonary_embolism"),
    ("chest_film", {"projection": "pa", "pneumothorax": "present"}, "tension_pneumothorax"),
    ("chest_film", {"projection": "pa", "pneumomediastinum": "present"}, "oesophageal_rupture"),
]


@pytest.mark.parametrize(("form", "items", "diagnosis"), UNTIMED)
def test_nothing_is_argued_against_beside_a_finding_without_a_time(
    tmp_path: Path, form: str, items: dict[str, str], diagnosis: str
) -> None:
    found = _with(tmp_path, form, items, done=None)
    (verdict,) = [d.verdict for d in found.differential if d.id == diagnosis]
    assert verdict is not Verdict.ARGUED_AGAINST


def test_a_reading_signed_after_the_assessment_says_so(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    put(case, by_doctor(read({"dissection": "present"}, form="chest_ct"), minutes=600))
    (film,) = [i for i in assessed(case).inputs if i.file == "film1.json"]
    assert film.reason is not None
    assert "later than the moment of the assessment" in film.reason
