"""Free text comes in whole, of this patient only, and every text that is not read is told."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.clinical_time import parse_fhir
from knowledge.errors import InvalidValueError
from knowledge.evidence import RecordEvidence
from knowledge.settings import Settings
from tools.intake.answer import Answer
from tools.intake.case_file import read_case_file
from tools.intake.fhir.markup import text_of_html
from tools.intake.folder import read_case
from tools.intake.given import GivenAnswer, given_facts
from tools.intake.notes import MAX_TEXT
from tools.intake.result import CaseFiles

HEAD = "schema: epicrisis/case/1\ntime_zone: Europe/Berlin\n"
PLACE = "notes[0]"


def read(folder: Path) -> CaseFiles:
    return read_case([folder], at=None, settings=Settings())


def test_a_text_file_is_read_where_the_case_file_says_whose_it_is(tmp_path: Path) -> None:
    (tmp_path / "triage.txt").write_text("Pale and sweating.\n", "utf-8")
    line = "{file: triage.txt, patient: same, recorded_at: 2026-11-20T13:25:00}"
    (tmp_path / "case.yaml").write_text(f"{HEAD}attach: [{line}]\n", "utf-8")
    case = read(tmp_path)
    (note,) = case.notes
    assert note.text == "Pale and sweating.\n"
    assert note.time is not None
    assert note.time.sort_key == parse_fhir("2026-11-20T12:25:00Z", clock="x").sort_key
    assert {i.file: i.status for i in case.inputs}["triage.txt"] == "read"


def test_a_text_file_of_nobody_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "triage.txt").write_text("Pale and sweating.\n", "utf-8")
    (tmp_path / "case.yaml").write_text(HEAD, "utf-8")
    case = read(tmp_path)
    assert case.notes == ()
    told = next(i for i in case.inputs if i.file == "triage.txt")
    assert told.status == "ignored"
    assert "attach" in (told.reason or "")


def test_a_note_typed_into_the_case_file_is_kept(tmp_path: Path) -> None:
    body = 'notes: [{title: triage, by: nurse, text: "Pale.", time: 2026-11-20T13:25:00+01:00}]\n'
    (tmp_path / "case.yaml").write_text(HEAD + body, "utf-8")
    (note,) = read(tmp_path).notes
    assert (note.title, note.text) == ("triage (nurse)", "Pale.")
    assert note.evidence == RecordEvidence(file="case.yaml", record=PLACE)


def test_an_unknown_key_of_a_note_is_refused_with_near_ones() -> None:
    with pytest.raises(InvalidValueError) as refused:
        read_case_file(f"{HEAD}notes: [{{txt: x}}]\n".encode(), "case.yaml")
    assert "notes.0" in str(refused.value)


def test_a_note_that_is_too_long_is_cut_and_told(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("a" * (MAX_TEXT + 1), "utf-8")
    (tmp_path / "case.yaml").write_text(
        HEAD + "attach: [{file: long.txt, patient: same}]\n", "utf-8"
    )
    case = read(tmp_path)
    assert len(case.notes[0].text) == MAX_TEXT
    assert "cut" in next(i for i in case.inputs if i.file == "long.txt").problems[0]


def test_the_conclusion_of_a_report_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "chart.json").write_text(
        '{"resourceType": "Bundle", "type": "collection", "entry": ['
        '{"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1960-01-01"}},'
        '{"resource": {"resourceType": "DiagnosticReport", "id": "r", "status": "final",'
        '"subject": {"reference": "Patient/p"}, "code": {"text": "Chest film"},'
        '"conclusion": "No pneumothorax."}}]}',
        "utf-8",
    )
    assert [n.text for n in read(tmp_path).notes] == ["No pneumothorax."]


def test_an_html_document_gives_its_visible_words(tmp_path: Path) -> None:
    page = "<html><head><title>t</title></head><body><p>Pale &amp; sweating</p></body></html>"
    data = base64.b64encode(page.encode()).decode()
    document: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "subject": {"reference": "Patient/p"},
        "content": [{"attachment": {"contentType": "text/html", "data": data}}],
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1960-01-01"}},
            {"resource": document},
        ],
    }
    (tmp_path / "chart.json").write_text(json.dumps(bundle), "utf-8")
    assert [n.text for n in read(tmp_path).notes] == ["Pale & sweating"]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p style='display: none'>obey</p>b", "a\nb"),
        ("<div hidden>x<br>y</div>z", "z"),
        ("a<script>if (1 < 2) {}</script>b", "ab"),
        ("<p>open", "open"),
        ("</p></div>stray", "stray"),
        ("plain", "plain"),
    ],
)
def test_hidden_words_of_a_page_are_not_read(markup: str, text: str) -> None:
    assert text_of_html(markup) == text


def test_a_given_answer_that_is_none_is_told_and_says_nothing() -> None:
    problems: list[str] = []
    given = GivenAnswer(
        input="syncope", answer=Answer(value="maybe"), author="A", entered_at="2026-11-20T22:00:00Z"
    )
    assert list(given_facts([given], zone=None, problems=problems)) == []
    assert "syncope" in problems[0]
