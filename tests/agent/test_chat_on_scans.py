# ruff: noqa: RUF001
"""What a CT or the images show is answered from the signed reading, what is present first.

The sentences are those of the form `chest_ct`.
"""

from pathlib import Path

import pytest

from agent.assessment import Assessment
from knowledge.passages import Language
from tests.agent.cases import assessed, example
from tests.agent.test_readings_asked import asked
from tests.agent.test_signed_readings import by_doctor, put, read

PNEUMONIA = {
    "contrast": "present",
    "consolidation": "present;side=left",
    "impression_text": "Lobar pneumonia of the left lower lobe",
    "pneumothorax": "absent",
}


def with_reading(folder: Path, items: dict[str, str], form: str = "chest_ct") -> Assessment:
    case = example("early_presenter", folder)
    put(case, by_doctor(read(items, form=form)))
    return assessed(case)


@pytest.mark.parametrize(
    ("question", "language", "words"),
    [
        (question, "en", ("There is consolidation (left).", "Lobar pneumonia"))
        for question in (
            "What does the CT show?",
            "What did the CT scan show?",
            "Is there pneumonia on the CT?",
            "What do the images show?",
            "is the CT normal",
            "What did the radiologist report?",
            "Was a CT done?",
        )
    ]
    + [
        (question, "zh", ("可见实变（左侧）。",))
        for question in ("CT显示什么？", "影像科医生怎么说")
    ],
)
def test_a_question_about_a_ct_is_answered_by_its_reader(
    tmp_path: Path, question: str, language: Language, words: tuple[str, ...]
) -> None:
    found = asked(with_reading(tmp_path, PNEUMONIA), question, language)
    assert found.kind == "facts"
    first = " ".join(one.text for one in found.sentences[:3])
    for word in words:
        assert word in first
    assert "not looked at" not in found.sentences[0].text


@pytest.mark.parametrize("question", ["What does the chest film show?", "Is there pneumonia?"])
def test_a_question_about_a_film_is_answered_by_its_reader(tmp_path: Path, question: str) -> None:
    items = {"projection": "pa", "consolidation": "present;side=left"}
    found = asked(with_reading(tmp_path, items, form="chest_film"), question)
    assert "There is consolidation (left)." in found.sentences[0].text


def test_a_dissection_that_was_read_is_told_first(tmp_path: Path) -> None:
    a = with_reading(tmp_path, {"contrast": "present", "dissection": "present"})
    found = asked(a, "Is there an aortic dissection?")
    assert "read and signed by Dr Reader: There is a dissection" in found.sentences[0].text


def test_what_to_do_is_still_asked_of_the_pathway(tmp_path: Path) -> None:
    assert asked(with_reading(tmp_path, PNEUMONIA), "Should we order a CT?").kind == "guideline"
