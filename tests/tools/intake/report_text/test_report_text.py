# ruff: noqa: RUF001 - Chinese reports are printed with full-width signs
"""Laboratory reports as text and PDF: results with their place, marked "from document"."""

import io
from pathlib import Path

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from knowledge.clinical_time import parse_fhir
from knowledge.errors import IdentityConflictError
from knowledge.evidence import NoteEvidence
from knowledge.finding import Finding, State, Why
from knowledge.quantity import Quantity
from knowledge.settings import Settings
from tests.tools.intake.tables.samples import case, content, told
from tools.chart.answers import resolve
from tools.chart.not_understood import not_understood
from tools.intake.report_text.read import FROM_DOCUMENT, read_report
from tools.intake.report_text.result_line import results_of_line
from tools.labs.printed_interval import printed_interval

ENGLISH = """CITY HOSPITAL LABORATORY
Name: Clara Muster     Sex: F    DOB: 1955-07-21
Specimen: Serum
Collected: 20-Nov-2026 08:10     Reported: 2026-11-20 09:00

Test            Result   Flag   Unit     Reference range
Potassium       5.9      H      mmol/L   3.5-5.1
Sodium          138             mmol/L   135 - 145
Creatinine      88
CRP             <5              mg/L     <5
Ferritin        >1000    H      ug/L     15-150
Glucose         1,234           mg/dL    70-99
Troponin T      12              ng/L     <14
Please call the ward 7 before 12
"""
CHINESE = """某某医院检验报告单
姓名：王芳  性别：女  病案号：0099  出生日期：1955-07-21
标本：血清  采样时间：2026年11月20日 08:10
序号 项目 结果 提示 单位 参考区间
1 ALT 丙氨酸氨基转移酶 65 ↑ U/L 9-50
2 肌酐(Cr) 80 μmol/L 57-97
3 白细胞计数(WBC) 11.2↑ 10^9/L 3.5--9.5
4 钾 3.1 ↓ mmol/L 3.5～5.3  钠 138 mmol/L 137-147
5 乙肝表面抗原 阴性
"""


def report(text: str, name: str = "report.txt") -> dict[str, Finding]:
    found = read_report(content(text, name), zone="Europe/Berlin", settings=Settings())
    assert found is not None
    return {fact.finding.concept.text: fact.finding for fact in found.documented}


def test_an_english_report_is_read_line_by_line() -> None:
    found = report(ENGLISH)
    potassium = found["Potassium"]
    assert potassium.value == Quantity(value=5.9, unit="mmol/L")
    assert potassium.flags == (FROM_DOCUMENT, "lab-high")
    # 08:10 in Berlin in November is 07:10 UTC; the report's own time is no collection time
    assert str(potassium.time) == "2026-11-20 07:10 UTC"
    assert potassium.specimen == "serum"
    assert [str(f.value) for n, f in found.items() if n in ("CRP", "Sodium")] == [
        "138 mmol/L",
        "<5 mg/L",
    ]
    printed = printed_interval(found["Sodium"], "sodium")
    assert printed is not None
    assert printed.bounds is not None
    assert (printed.bounds.low, printed.bounds.high) == (135, 145)


def test_the_evidence_is_the_span_of_the_line() -> None:
    found = read_report(content(ENGLISH, "r.txt"), zone=None, settings=Settings())
    assert found is not None
    assert found.document is not None
    for fact in found.documented:
        (place,) = fact.finding.evidence
        assert isinstance(place, NoteEvidence)
        assert place.document == found.document.id
        line = found.document.text[place.start : place.end]
        assert line.startswith(fact.finding.concept.text)
        assert "\n" not in line


def test_a_creatinine_without_unit_and_a_number_with_two_readings_are_refused() -> None:
    # clinical.md B3: refuse a value that is plausible in two units (creatinine 1 or 88)
    creatinine = report(ENGLISH)["Creatinine"]
    assert creatinine.not_assessed is not None
    assert creatinine.not_assessed.why is Why.UNIT_NOT_RECOGNISED
    assert "Glucose" not in report(ENGLISH)


def test_lines_that_are_not_understood_are_listed_by_number() -> None:
    found = read_report(content(ENGLISH, "r.txt"), zone=None, settings=Settings())
    assert found is not None
    assert found.problems == (
        "line 12: the comma has two readings (decimal sign, or between thousands)",
        "line 14: neither the name of the test nor a unit or interval is known",
        "lines of words that are no result: 1",
    )
    assert found.unread


def test_a_troponin_that_does_not_say_high_sensitivity_is_no_analyte() -> None:
    systems = {c.system for c in report(ENGLISH)["Troponin T"].concept.codings}
    assert "urn:epicrisis:analyte" not in systems


def test_a_chinese_report_with_two_columns_on_a_line() -> None:
    found = report(CHINESE)
    assert list(found) == ["ALT", "肌酐(Cr)", "白细胞计数(WBC)", "钾", "钠", "乙肝表面抗原"]
    # 80 umol/L / 88.4 = 0.905 mg/dL
    creatinine = found["肌酐(Cr)"].value
    assert isinstance(creatinine, Quantity)
    assert creatinine.value == pytest.approx(80 / 88.4, rel=1e-3)
    assert found["钾"].flags == (FROM_DOCUMENT, "lab-low")
    assert found["钾"].reported == "3.1 mmol/L (laboratory's range: 3.5~5.3)"
    assert str(found["乙肝表面抗原"].value) == "阴性"
    assert str(found["ALT"].time) == "2026-11-20 07:10 UTC"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Potassium 5.9 H mmol/L 3.5-5.1", ("5.9", "lab-high", "mmol/L", "3.5-5.1")),
        ("Potassium: 5.9 mmol/L (3.5 - 5.1) H", ("5.9", "lab-high", "mmol/L", "(3.5 - 5.1)")),
        ("K+ 3.1↓ mmol/L [3.5-5.1]", ("3.1", "lab-low", "mmol/L", "[3.5-5.1]")),
        ("* Sodium ↓ 128 135-145 mmol/L", ("128", "lab-low", "mmol/L", "135-145")),
        ("hs-cTnT < 5 ng/L", ("<5", None, "ng/L", "")),
        ("D-Dimer >1000 HH ng/mL FEU <500", (">1000", "lab-critical-high", "ng/mL FEU", "<500")),
        ("WBC 11.2 x 10^9/L 4-10", ("11.2", None, "x10^9/L", "4-10")),
        ("INR 1.1", ("1.1", None, None, "")),
    ],
)
def test_parts_of_a_line_in_any_order(line: str, expected: tuple[str, ...]) -> None:
    results = results_of_line(line)
    assert isinstance(results, tuple)
    (one,) = results
    assert (one.value, one.flag, one.unit, one.range_words) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Potassium 5,9 mmol/L",
        "Potassium 5.9 6.1 mmol/L",
        "Potassium 5.9 mmol/L 3.5-5.1 on 12 March",
        "Calcium ionised 1.2 total 2.3 mmol/L",
        "Room 12 of ward 7",
        "Potassium 5.9.1 mmol/L",
        "x" * 500 + " 5",
    ],
)
def test_a_line_that_is_not_understood_as_a_whole_gives_no_result(line: str) -> None:
    assert isinstance(results_of_line(line), str)


def test_a_haemolysed_specimen_flags_every_result() -> None:
    found = report(ENGLISH + "Comment: sample slightly haemolysed\n")
    assert all("haemolysed" in f.flags for f in found.values())
    denied = report(ENGLISH + "Comment: not haemolysed\n")
    assert not any("haemolysed" in f.flags for f in denied.values())
    assert all("haemolysed" in f.flags for f in report(CHINESE + "备注：标本轻度溶血\n").values())
    assert not any("haemolysed" in f.flags for f in report(CHINESE + "备注：无溶血\n").values())


def test_a_date_with_two_readings_is_no_collection_time() -> None:
    text = ENGLISH.replace("20-Nov-2026 08:10", "03/04/2026 08:10")
    assert all(f.time is None for f in report(text).values())
    found = read_report(content(text, "r.txt"), zone=None, settings=Settings())
    assert found is not None
    assert "line 4: collection time: has two readings or is no time" in found.problems


# ---- in a case


def test_results_of_a_document_are_shown_and_answer_nothing(tmp_path: Path) -> None:
    # docs/decisions/0007 and 0009: what a text says fills no score
    read = case(tmp_path, report_txt=ENGLISH)
    assert not read.timeline.facts
    assert {f.finding.concept.text for f in read.documented} >= {"Potassium", "CRP"}
    assert all(FROM_DOCUMENT in f.finding.flags for f in read.documented)
    assert [d.title for d in read.timeline.documents] == ["report.txt"]
    item = told(read, "report.txt")
    assert (item.status, item.unread) == ("read", True)
    assert any("answer no question until a person confirms" in p for p in item.problems)


def test_no_question_is_answered_by_a_document_and_its_text_stays_to_be_read(
    tmp_path: Path,
) -> None:
    at = parse_fhir("2026-11-20T10:00:00Z", clock="test")
    text = ENGLISH.replace("Creatinine      88", "Creatinine      88   umol/L")
    by_document = case(tmp_path / "document", report_txt=text)
    answers = resolve(by_document.timeline, at=at).findings
    assert {answers[key].state for key in ("potassium", "creatinine")} == {State.NOT_ASSESSED}
    open_items = not_understood(by_document.timeline, at=at).critical
    assert [item.concept.text for item in open_items] == ["report.txt"]
    # the same numbers as rows of a table are results of the record
    rows = (
        "test,value,unit,collected\n"
        "potassium,5.9,mmol/L,2026-11-20T08:10:00+01:00\n"
        "creatinine,88,umol/L,2026-11-20T08:10:00+01:00\n"
    )
    by_table = case(tmp_path / "table", labs_csv=rows)
    answers = resolve(by_table.timeline, at=at).findings
    assert str(answers["potassium"].value) == "5.9 mmol/L"
    assert answers["creatinine"].state is State.PRESENT


CASE = (
    "schema: epicrisis/case/1\ntime_zone: Europe/Berlin\n"
    "patient: {family: Muster, given: [Clara], birth_date: 1955-07-21, sex: female}\n"
)


def test_the_head_of_a_report_is_compared_with_the_patient(tmp_path: Path) -> None:
    read = case(tmp_path, report_txt=ENGLISH, case_yaml=CASE)
    assert len(read.documented) == 6
    with pytest.raises(IdentityConflictError, match="birth date"):
        case(tmp_path, report_txt=ENGLISH.replace("1955-07-21", "1956-07-21"))
    with pytest.raises(IdentityConflictError, match="name"):
        case(tmp_path, report_txt=ENGLISH.replace("Clara Muster", "Max Mustermann"))


def test_a_report_that_names_two_patients_refuses_the_case(tmp_path: Path) -> None:
    two = ENGLISH + "\nName: Max Mustermann   DOB: 1940-01-01\nSodium 130 mmol/L\n"
    with pytest.raises(IdentityConflictError):
        case(tmp_path, report_txt=two)


def test_a_report_without_a_name_needs_a_statement(tmp_path: Path) -> None:
    nameless = "\n".join(line for line in ENGLISH.split("\n") if not line.startswith("Name"))
    read = case(tmp_path, report_txt=nameless, case_yaml=CASE)
    assert not read.documented
    assert told(read, "report.txt").status == "failed"
    stated = CASE + "attach: [{file: report.txt, patient: same}]\n"
    assert len(case(tmp_path, case_yaml=stated).documented) == 6


def test_a_note_stays_a_note(tmp_path: Path) -> None:
    note = "Seen at 10. Chest pain since the morning.\nPotassium was fine.\n"
    stated = CASE + "attach: [{file: note.txt, patient: same}]\n"
    read = case(tmp_path, note_txt=note, case_yaml=stated)
    assert told(read, "note.txt").kind == "note"
    assert not read.documented


def test_a_letter_with_a_few_results_among_other_numbers_stays_a_note(tmp_path: Path) -> None:
    lines = [f"On day {n} he walked {n} flights of stairs." for n in range(1, 12)]
    letter = "\n".join((*lines, "Potassium 5.9 mmol/L", "Sodium 138 mmol/L"))
    stated = CASE + "attach: [{file: letter.txt, patient: same}]\n"
    read = case(tmp_path, letter_txt=letter, case_yaml=stated)
    assert told(read, "letter.txt").kind == "note"
    assert not read.documented


def test_an_attached_report_keeps_the_title_and_time_that_are_stated(tmp_path: Path) -> None:
    stated = CASE + (
        "attach:\n  - {file: report.txt, patient: same, note: Fax of the ward,\n"
        '     recorded_at: "2026-11-20T09:30:00+01:00"}\n'
    )
    read = case(tmp_path, report_txt=ENGLISH, case_yaml=stated)
    (document,) = read.timeline.documents
    assert (document.title, str(document.time)) == ("Fax of the ward", "2026-11-20 08:30 UTC")
    # the results keep the collection time of the report itself
    assert {str(f.finding.time) for f in read.documented} == {"2026-11-20 07:10 UTC"}


# ---- PDF


LOCKED = "locked"


def pdf(text: str, *, password: str | None = None) -> bytes:
    out = io.BytesIO()
    lock = StandardEncryption(password, canPrint=1) if password else None
    page = Canvas(out, encrypt=lock, invariant=1)
    page.setFont("Courier", 9)
    for number, line in enumerate(text.split("\n")):
        page.drawString(40, 800 - 12 * number, line)
    page.save()
    return out.getvalue()


def test_a_pdf_is_read_by_its_text_layer(tmp_path: Path) -> None:
    read = case(tmp_path, report_pdf=pdf(ENGLISH))
    values = {f.finding.concept.text: str(f.finding.value) for f in read.documented}
    assert values["Potassium"] == "5.9 mmol/L"
    assert values["CRP"] == "<5 mg/L"
    assert told(read, "report.pdf").kind == "laboratory report (PDF)"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf(""), "no text layer"),
        (pdf(ENGLISH, password=LOCKED), "password"),
        (pdf(ENGLISH)[:300], "damaged PDF"),
        (pdf("Dear colleague,\nthank you for 2 of your letters."), "no laboratory results in it"),
    ],
    ids=["scan", "encrypted", "cut", "letter"],
)
def test_a_pdf_that_cannot_be_read_is_listed_with_the_reason(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    item = told(case(tmp_path, report_pdf=data), "report.pdf")
    assert item.unread
    assert reason in (item.reason or "")


def test_a_letter_in_pdf_is_kept_as_a_text_where_it_is_attached(tmp_path: Path) -> None:
    stated = CASE + "attach: [{file: letter.pdf, patient: same}]\n"
    read = case(tmp_path, letter_pdf=pdf("Dear colleague,\nthank you."), case_yaml=stated)
    assert [d.title for d in read.timeline.documents] == ["letter.pdf"]
    assert not read.documented


HEAD = "Patient name: Muster Clara\nDate of birth: 1955-07-21\nCollected: 2026-11-20 08:00\n"


@pytest.mark.parametrize("said", ["Specimen: Liquor", "Specimen: Urin", "URINE", "尿常规"])
def test_results_behind_another_specimen_are_not_of_blood(said: str) -> None:
    text = f"{HEAD}Sodium 140 mmol/L\nPotassium 4.5 mmol/L\n{said}\nGlucose 20 mmol/L\n"
    found = read_report(content(text, "r.txt"), zone="UTC", settings=Settings())
    assert found is not None
    keys = [[c.code for c in fact.finding.concept.codings] for fact in found.documented]
    assert keys == [["sodium"], ["potassium"], []]
    assert any("Glucose" in problem for problem in found.problems)


def test_a_point_before_three_digits_beside_commas_has_two_readings() -> None:
    text = f"{HEAD}Sodium 140 mmol/L\nUrea 5 mmol/L\nPlatelets 150.000 /uL\n"
    found = read_report(content(text, "r.txt"), zone="UTC", settings=Settings())
    assert found is not None
    assert len(found.documented) == 2
    assert any("two readings" in problem for problem in found.problems)
