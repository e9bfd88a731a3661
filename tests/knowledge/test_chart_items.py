"""The words by which an unmatched chart item is recognised, in both languages."""

import pytest

from knowledge.chart_items import chart_item_table
from knowledge.clinical_inputs import catalogue
from knowledge.codes import ICD10, Coding, Concept

TABLE = chart_item_table()

SEEN = [
    ("Troponin T, high sensitive", "troponin"),
    ("hs-TnI (POCT)", "troponin"),
    ("高敏肌钙蛋白T", "troponin"),
    ("D-DIMER QUANT", "d_dimer"),
    ("D-二聚体", "d_dimer"),
    ("Type B dissection", "aorta"),
    ("主动脉夹层", "aorta"),
    ("bilateral PE", "embolism"),
    ("肺栓塞", "embolism"),
    ("CAD, LAD stent", "coronary"),
    ("ACS?", "coronary"),
    ("急性心肌梗死", "coronary"),
    ("Pericardial tamponade", "pericardium"),
    ("left pneumothorax", "pneumothorax"),
    ("左侧气胸", "pneumothorax"),
    ("BP lying", "circulation"),
    ("血压", "circulation"),
    ("SpO2 (%)", "oxygen"),
    ("Serum potassium", "potassium"),
]


@pytest.mark.parametrize(("text", "term"), SEEN)
def test_an_important_word_is_recognised(text: str, term: str) -> None:
    assert TABLE.terms[term] in TABLE.terms_in(text)


@pytest.mark.parametrize("text", ["Speech therapy", "Vitamin B12", "Family history", "Asthma", ""])
def test_an_ordinary_text_is_not(text: str) -> None:
    assert TABLE.terms_in(text) == ()


@pytest.mark.parametrize(("code", "acute"), [("I24.9", True), ("I20.0", True), ("I25.1", False)])
def test_an_acute_code_is_recognised(code: str, acute: bool) -> None:
    concept = Concept(text="x", codings=(Coding(system=ICD10, code=code),))
    assert TABLE.is_acute(concept) is acute


def test_what_settles_a_term_is_a_clinical_input() -> None:
    assert {i for t in TABLE.terms.values() for i in t.settled_by} <= set(catalogue().inputs)


DENIED = [
    "No pneumothorax. Normal aortic contour.",
    "Sinus rhythm, no ST elevation.",
    "No evidence of pulmonary embolism or aortic dissection.",
    "Kein Pneumothorax, keine Aortendissektion.",
    "Kein Anhalt für eine Lungenembolie",
    "未见气胸。主动脉形态正常",
    "Family history of coronary artery disease",
]


@pytest.mark.parametrize("text", DENIED)
def test_what_a_text_denies_is_not_left_open(text: str) -> None:
    assert TABLE.terms_in(text)
    assert TABLE.terms_left_open(text) == ()


DOUBTFUL = [
    ("No change in the known dissection", "aorta"),
    ("Dissection cannot be excluded", "aorta"),
    ("No pneumothorax but dissection", "aorta"),
    ("No pneumothorax dissection", "aorta"),
    ("No pneumothorax (dissection seen)", "aorta"),
    ("No. Dissection", "aorta"),
    ("No dissection?", "aorta"),
    ("Not normal aorta", "aorta"),
    ("未见肺栓塞主动脉夹层", "aorta"),
    ("Family history of MI, known CAD", "coronary"),
    ("Troponin normal", "troponin"),
    ("No troponin elevation", "troponin"),
    ("Akute Aortendissektion Typ A", "aorta"),
    ("Lungenembolie", "embolism"),
    ("Z.n. Herzinfarkt, KHK", "coronary"),
]


@pytest.mark.parametrize(("text", "term"), DOUBTFUL)
def test_anything_doubtful_is_left_open(text: str, term: str) -> None:
    assert TABLE.terms[term] in TABLE.terms_left_open(text)


def test_what_is_measured_is_never_denied() -> None:
    numbers = ("troponin", "other_cardiac_marker", "d_dimer", "circulation", "oxygen", "potassium")
    assert not any(TABLE.terms[key].deniable for key in numbers)
