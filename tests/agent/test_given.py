"""Answers are checked, kept with author and time, never overwritten, and used at once."""

import sqlite3
from pathlib import Path

import pytest

from agent.assess import assess_case
from agent.assessment import Assessment
from agent.given import NAME, AnswerStore, questions
from knowledge.clinical_time import parse_fhir
from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State
from knowledge.settings import Settings
from tests.agent.cases import EXAMPLES, NOW, answered, example
from tools.chart.answers import resolve
from tools.intake.answer import Answer
from tools.intake.folder import read_case
from tools.intake.given import GivenAnswer
from tools.intake.result import CaseFiles

CASE = "example-half-missing"
ENTERED = parse_fhir("2026-11-20T22:00:00Z", clock="test")


def case(folder: Path, *given: GivenAnswer) -> CaseFiles:
    return read_case([folder], at=None, now=NOW, settings=Settings(), given=given)


def finding(files: CaseFiles, key: str) -> Finding:
    assert files.at is not None
    return resolve(files.timeline, at=files.at).findings[key]


def assessment(files: CaseFiles) -> Assessment:
    assert files.at is not None
    return assess_case(files, at=files.at, settings=Settings()).assessment


@pytest.fixture
def store(tmp_path: Path) -> AnswerStore:
    return AnswerStore(tmp_path / "data")


def test_every_question_is_answerable_with_its_choices() -> None:
    asked = questions(assessment(case(EXAMPLES / "half_missing")))
    by_key = {question.input: question for question in asked}
    assert by_key["diaphoresis"].choices == {"yes": "yes", "no": "no"}
    assert list(by_key["killip_class"].choices) == ["I", "II", "III", "IV"]
    assert by_key["heart_rate"].unit == "/min"
    assert by_key["onset"].kind == "time"
    assert "HEART score" in by_key["history_suspicion"].unlocks


def test_an_answer_is_used_by_the_next_assessment_at_once(store: AnswerStore) -> None:
    folder = EXAMPLES / "half_missing"
    before = assessment(case(folder))
    store.give(CASE, "heart_rate", "110 /min", author="Dr M", at=ENTERED)
    after = assessment(case(folder, *store.as_facts(CASE)))
    assert "heart_rate" in {item.input for item in before.missing}
    assert "heart_rate" not in {item.input for item in after.missing}
    assert before.provenance.inputs_sha256 != after.provenance.inputs_sha256
    assert "entered answers" in {item.file for item in after.inputs}


def test_an_answer_says_who_entered_it_and_when(store: AnswerStore) -> None:
    store.give(CASE, "diaphoresis", "yes", author="Nurse A", at=ENTERED)
    found = finding(case(EXAMPLES / "half_missing", *store.as_facts(CASE)), "diaphoresis")
    assert found.state is State.PRESENT
    place = found.evidence[0]
    assert isinstance(place, RecordEvidence)
    assert "entered by Nurse A at 2026-11-20T22:00:00+00:00" in place.record


def test_a_correction_is_a_later_answer_and_the_first_stays(store: AnswerStore) -> None:
    first = store.give(CASE, "syncope", True, author="Nurse A", at=ENTERED)
    second = store.give(CASE, "syncope", False, author="Dr M", at=ENTERED)
    assert second.corrects == first.number
    assert [g.answer.answer.value for g in store.history(CASE)] == [True, False]
    files = case(EXAMPLES / "half_missing", *store.as_facts(CASE))
    assert finding(files, "syncope").state is State.ABSENT


def test_an_answer_taken_back_is_open_again(store: AnswerStore) -> None:
    store.give(CASE, "syncope", True, author="Nurse A", at=ENTERED)
    store.give(CASE, "syncope", "unknown", author="Nurse A", at=ENTERED)
    files = case(EXAMPLES / "half_missing", *store.as_facts(CASE))
    assert finding(files, "syncope").state is State.NOT_ASSESSED


def test_a_given_answer_wins_over_the_case_file_and_settles_a_conflict(
    store: AnswerStore, tmp_path: Path
) -> None:
    folder = answered(
        example("nstemi", tmp_path), "diabetes: {value: no, time: 2026-11-20T14:00:00+01:00}"
    )
    assert finding(case(folder), "diabetes").state is State.ABSENT
    store.give("c", "diabetes", True, author="Dr M", at=ENTERED)
    assert finding(case(folder, *store.as_facts("c")), "diabetes").state is State.PRESENT


@pytest.mark.parametrize(
    ("key", "value", "way_out"),
    [
        ("heart_rate", "900 /min", "a number with its unit"),
        ("heart_rate", "fast", "a number with its unit"),
        ("systolic_bp", "120 furlongs", "a number with its unit"),
        ("diaphoresis", "maybe", "yes or no"),
        ("killip_class", "V", "one of"),
        ("onset", "this morning", "YYYY-MM-DD"),
        ("hart_rate", "80 /min", "heart_rate"),
    ],
)
def test_what_the_catalogue_refuses_is_refused_with_a_way_out(
    store: AnswerStore, key: str, value: str, way_out: str
) -> None:
    with pytest.raises(InvalidValueError) as refused:
        store.give(CASE, key, value, author="Dr M", at=ENTERED)
    assert way_out in str(refused.value)
    assert store.history(CASE) == ()


def test_an_answer_needs_an_author_and_a_zoned_time(store: AnswerStore) -> None:
    with pytest.raises(InvalidValueError):
        store.give(CASE, "syncope", True, author=" \u200b", at=ENTERED)
    naive = parse_fhir("2026-11-20T22:00:00", clock="test")
    with pytest.raises(InvalidValueError):
        store.give(CASE, "syncope", True, author="Dr M", at=naive)


def test_cases_do_not_see_each_other(store: AnswerStore) -> None:
    store.give("a", "syncope", True, author="Dr M", at=ENTERED)
    assert store.as_facts("b") == ()


def test_kept_answers_cannot_be_changed_or_deleted(store: AnswerStore, tmp_path: Path) -> None:
    store.give(CASE, "syncope", True, author="Dr M", at=ENTERED)
    database = sqlite3.connect(tmp_path / "data" / NAME)
    for statement in ("DELETE FROM given", "UPDATE given SET author = 'x'"):
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(statement)
    database.close()


def test_a_store_that_is_no_database_is_not_an_empty_one(
    store: AnswerStore, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / NAME).write_bytes(b"not a database at all" * 100)
    with pytest.raises(UnavailableError):
        store.as_facts(CASE)


def test_an_observation_time_stays_with_its_answer(store: AnswerStore) -> None:
    at = "2026-11-20T21:00:00+01:00"
    store.give(CASE, "heart_rate", Answer(value=80, unit="/min", time=at), author="A", at=ENTERED)
    found = finding(case(EXAMPLES / "half_missing", *store.as_facts(CASE)), "heart_rate")
    assert found.time == parse_fhir(at, clock="test")


def test_several_answers_are_kept_together_or_not_at_all(store: AnswerStore) -> None:
    answers: list[tuple[str, bool | str]] = [("syncope", True), ("diabetes", "perhaps")]
    with pytest.raises(InvalidValueError, match="diabetes"):
        store.give_all(CASE, answers, author="Dr M", at=ENTERED)
    assert store.history(CASE) == ()
    given = store.give_all(CASE, [("syncope", True), ("syncope", False)], author="A", at=ENTERED)
    assert [(one.number, one.corrects) for one in given] == [(1, None), (2, 1)]


def test_the_way_out_of_a_refused_unit_is_not_the_unit_that_was_refused(store: AnswerStore) -> None:
    with pytest.raises(InvalidValueError, match="FEU or DDU not stated") as refused:
        store.give(CASE, "d_dimer_feu", "410 ng/mL", author="Dr M", at=ENTERED)
    assert "(ng/mL)" not in refused.value.way_out
    assert "ng/mL{FEU}" in refused.value.way_out
    store.give(CASE, "d_dimer_feu", "410 ng/mL{FEU}", author="Dr M", at=ENTERED)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("onset", "2099-01-01T00:00:00Z"),
        ("onset", "2026-11-21T13:00:00"),  # later than 22:00Z in every zone, UTC+14 as well
        ("onset", "2099-01-01"),
        ("syncope", Answer(value="yes", time="2099-01-01T00:00:00Z")),
        ("syncope", Answer(value="yes", time="2099-01-01T00:00:00")),
    ],
)
def test_what_has_not_happened_yet_is_no_answer(
    store: AnswerStore, key: str, value: str | Answer
) -> None:
    with pytest.raises(InvalidValueError, match="lies in the future"):
        store.give(CASE, key, value, author="Dr M", at=ENTERED)
