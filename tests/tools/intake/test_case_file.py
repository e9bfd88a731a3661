"""case.yaml: typed answers, near matches for mistakes, and hostile YAML."""

import re
from pathlib import Path
from typing import Any

import pytest

import tools.intake.case_file as case_file
from knowledge.clinical_time import parse_fhir
from knowledge.codes import ANALYTE, EPICRISIS
from knowledge.errors import InputError, InvalidValueError, TooLargeError, UnreadableError
from knowledge.evidence import RecordEvidence
from knowledge.finding import State, Why
from knowledge.quantity import Choice, Interval, Quantity, QuantityInterval
from knowledge.timeline import Category, Fact
from tests.tools.intake.samples import read, report, write
from tools.intake.case_file import CaseFile, read_case_file, stated_facts, stated_finding

HEAD = "schema: epicrisis/case/1\n"


def parsed(body: str) -> CaseFile:
    return read_case_file((HEAD + body).encode(), "case.yaml")


def facts(body: str) -> tuple[list[Fact], list[str]]:
    problems: list[str] = []
    case = parsed(body)
    found = list(stated_facts(case, "case.yaml", zone=case.time_zone, problems=problems))
    return found, problems


def test_the_documented_example_is_valid() -> None:
    example = (case_file.__doc__ or "").split("::\n", 1)[1]
    body = "\n".join(line[4:] for line in example.splitlines())
    case = read_case_file(body.encode(), "case.yaml")
    problems: list[str] = []
    found = list(stated_facts(case, "case.yaml", zone=case.time_zone, problems=problems))
    assert problems == []
    assert all(f.finding.state is not State.NOT_ASSESSED for f in found)
    documented = set(re.findall(r"^([a-z_]+):", body, re.MULTILINE))
    assert documented == {f.alias or n for n, f in CaseFile.model_fields.items()}


ANSWERS: list[tuple[str, Any, State, Any]] = [
    ("diaphoresis", "yes", State.PRESENT, None),
    ("diaphoresis", True, State.PRESENT, None),
    ("diaphoresis", "No", State.ABSENT, None),
    ("diaphoresis", False, State.ABSENT, None),
    ("diaphoresis", "unknown", State.NOT_ASSESSED, None),
    ("diaphoresis", None, State.NOT_ASSESSED, None),
    ("killip_class", "II", State.PRESENT, Choice(choice="II")),
    ("history_suspicion", "Highly", State.PRESENT, Choice(choice="highly")),
    ("heart_rate", "110 /min", State.PRESENT, Quantity(value=110, unit="/min")),
    ("heart_rate", 110, State.PRESENT, Quantity(value=110, unit="/min")),
    ("systolic_bp", "120 mmHg", State.PRESENT, Quantity(value=120, unit="mm[Hg]")),
    ("age_years", "66 years", State.PRESENT, Quantity(value=66, unit="a")),
    ("creatinine", "88.4 umol/L", State.PRESENT, Quantity(value=0.99998, unit="mg/dL")),
    ("creatinine", 1.0, State.NOT_ASSESSED, None),
    ("heart_rate", "110 bananas", State.NOT_ASSESSED, None),
    ("age_years", 300, State.NOT_ASSESSED, None),
    ("age_years", "66 dog years", State.NOT_ASSESSED, None),
    (
        "d_dimer_feu",
        "<200 ng/mL FEU",
        State.PRESENT,
        QuantityInterval(interval=Interval(low=0, high=200, high_closed=False), unit="ng/mL"),
    ),
]


@pytest.mark.parametrize(
    ("input_id", "answer", "state", "value"), ANSWERS, ids=[f"{a[0]}-{a[1]}" for a in ANSWERS]
)
def test_an_answer_is_read_by_its_kind(
    input_id: str, answer: Any, state: State, value: Any
) -> None:
    finding = stated_finding(input_id, answer)
    assert finding.state is state
    if isinstance(value, Quantity):
        assert isinstance(finding.value, Quantity)
        assert finding.value.unit == value.unit
        assert finding.value.value == pytest.approx(value.value, rel=1e-3)
    else:
        assert finding.value == value
    assert finding.concept.has(EPICRISIS, input_id)


@pytest.mark.parametrize(
    ("input_id", "answer", "offers"),
    [
        ("diaphoresis", "maybe", "yes or no"),
        ("diaphoresis", 1, "yes or no"),
        ("history_suspicion", "highy", "did you mean highly"),
        ("heart_rate", "fast", "a number with its unit"),
        ("heart_rate", True, "a number with its unit"),
        ("onset", "this morning", "write YYYY-MM-DD"),
        ("onset", 810, "a date and time"),
        ("pain_radiaton_arm", "yes", "did you mean pain_radiation_arm"),
    ],
)
def test_what_is_no_answer_is_refused_with_what_would_be(
    input_id: str, answer: Any, offers: str
) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(offers)):
        stated_finding(input_id, answer)


def test_an_impossible_answer_says_why() -> None:
    finding = stated_finding("age_years", 300)
    assert finding.not_assessed is not None
    assert finding.not_assessed.why is Why.VALUE_IMPOSSIBLE


def test_a_time_takes_the_declared_zone() -> None:
    found, _ = facts("time_zone: Europe/Berlin\nfacts: {onset: 2026-11-20T10:00:00}\n")
    assert found[0].finding.time == parse_fhir(
        "2026-11-20T10:00:00", clock="c", zone="Europe/Berlin"
    )


def test_an_answer_as_a_mapping_keeps_who_and_when() -> None:
    found, problems = facts(
        "facts:\n  systolic_bp: {value: 105, unit: mmHg, time: 2026-11-20T13:25:00Z, by: nurse}\n"
    )
    finding = found[0].finding
    assert problems == []
    assert finding.value == Quantity(value=105, unit="mm[Hg]")
    assert finding.time == parse_fhir("2026-11-20T13:25:00Z", clock="c")
    assert finding.method == "stated by nurse"
    assert finding.evidence == (RecordEvidence(file="case.yaml", record="facts.systolic_bp"),)


def test_facts_and_later_answers_are_both_recorded() -> None:
    found, _ = facts("facts: {known_cad: no}\nanswers: {known_cad: {value: yes, by: Dr. M}}\n")
    assert [(f.finding.state, f.finding.evidence[0].record) for f in found] == [  # type: ignore[union-attr]
        (State.ABSENT, "facts.known_cad"),
        (State.PRESENT, "answers.known_cad"),
    ]


def test_one_wrong_answer_leaves_the_others_and_is_not_assessed() -> None:
    found, problems = facts("facts: {diaphoresis: maybe, chest_pain: yes, typo_here: yes}\n")
    assert [f.finding.state for f in found] == [State.NOT_ASSESSED, State.PRESENT]
    assert len(problems) == 2
    assert "diaphoresis" in problems[0]
    assert "typo_here" in problems[1]


def test_a_typed_in_result_is_a_laboratory_fact() -> None:
    found, problems = facts(
        'results:\n  - {analyte: hs_ctnt, value: "0.012 ug/L", time: 2026-11-20T10:00:00Z}\n'
        "  - {analyte: hs_ctnt, value: 12}\n"
        "  - {analyte: hs_tnt, value: 12 ng/L}\n"
    )
    first, second = found
    assert first.category is Category.LABORATORY
    assert first.finding.value == Quantity(value=12, unit="ng/L")
    assert first.finding.concept.has(ANALYTE, "hs_ctnt")
    assert "hand-entered" in first.finding.flags
    assert second.finding.state is State.NOT_ASSESSED
    assert "hs_ctnt" in problems[0]


STRUCTURE = [
    ("fact: {}\n", "fact: not a key of case.yaml (did you mean facts"),
    ("patient: {familly: X}\n", "did you mean family"),
    ("patient: {identifiers: [{value: 0123}]}\n", "identifiers.0.value"),
    ("attach: [{file: a.dcm}]\n", "attach.0.patient"),
    ("attach: [{file: a.dcm, patient: other}]\n", "attach.0.patient"),
    ("synthetic: maybe\n", "synthetic"),
    ("facts: [a]\n", "facts"),
    ("time_zone: Mars/Olympus\n", "not an IANA time zone"),
    ("at: 2026-11-20T10:00:00\n", "has no time zone"),
    ("at: soon\n", "not a FHIR date"),
    ("patient: {birth_date: never}\n", "not a FHIR date"),
    ("facts: {heart_rate: .inf}\n", "facts.heart_rate"),
]


@pytest.mark.parametrize(("body", "told"), STRUCTURE, ids=[s[0].strip() for s in STRUCTURE])
def test_a_mistake_in_the_structure_names_the_key(body: str, told: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(told)):
        parsed(body)


HOSTILE = [
    (HEAD + "a: &x [1]\nb: *x\n", UnreadableError, "aliases"),
    (HEAD + "a: " + "[" * 5000, UnreadableError, "nested too deep"),
    (HEAD + "a: " + "{a: " * 5000, UnreadableError, "nested too deep"),
    (HEAD + "case: a\ncase: b\n", UnreadableError, "key given twice"),
    (HEAD + "x: !!python/object/apply:os.system [ls]\n", UnreadableError, "not YAML"),
    (HEAD + "x: " + "1" * 9999 + "\n", UnreadableError, "not YAML"),
    (HEAD + "x: \x00\n", UnreadableError, "not YAML"),
    (HEAD + "x: [1\n", UnreadableError, "not YAML"),
    ("schema: epicrisis/case/2\n", InvalidValueError, "schema"),
    ("facts: {}\n", InvalidValueError, "schema"),
    (HEAD + "#" * 1024 * 1024, TooLargeError, "case file"),
    ("- a\n", InvalidValueError, "content"),
    ("", InvalidValueError, "content"),
]


@pytest.mark.parametrize(
    ("text", "error", "told"), HOSTILE, ids=[f"{h[2]}-{i}" for i, h in enumerate(HOSTILE)]
)
def test_hostile_yaml_is_refused(text: str, error: type[InputError], told: str) -> None:
    with pytest.raises(error, match=re.escape(told)):
        read_case_file(text.encode(), "case.yaml")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnreadableError):
        read_case_file(b"schema: \xff\xfe", "case.yaml")


def test_two_case_files_are_both_refused(tmp_path: Path) -> None:
    write(tmp_path, "case.yaml", HEAD + "facts: {diaphoresis: yes}\n")
    write(tmp_path, "more/case.yaml", HEAD + "facts: {diaphoresis: no}\n")
    case = read(tmp_path)
    assert [item.status for item in case.inputs] == ["failed", "failed"]
    assert "more than one case file" in (case.inputs[0].reason or "")
    assert case.timeline.facts == ()


def test_a_case_file_without_its_schema_line_is_failed_and_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "case.yaml", "facts: {diaphoresis: yes}\n")
    item = report(read(tmp_path), "case.yaml")
    assert item.status == "failed"
    assert "schema" in (item.reason or "")
