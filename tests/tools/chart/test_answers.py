"""Silence in a chart is never "absent"; disagreement is never settled; stale is never current."""

import pytest

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.codes import ICD10, LOINC, SNOMED, Coding, Concept
from knowledge.evidence import FhirEvidence, RecordEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.patient import Identity, Patient
from knowledge.quantity import Choice, Quantity, Text
from knowledge.timeline import Category, Fact, Timeline
from tools.chart.answers import Answers, resolve


def time(text: str) -> ClinicalTime:
    return parse_fhir(text, clock="test")


AT = time("2026-11-20T10:00:00Z")
CHART = FhirEvidence(file="chart.json", resource="Condition/1", path="Condition.code")


def condition(
    text: str = "",
    *,
    icd10: str | None = None,
    state: State = State.PRESENT,
    flags: tuple[str, ...] = (),
    at: str | None = "2020-01-01",
    ended: str | None = None,
) -> Fact:
    codings = (Coding(system=ICD10, code=icd10),) if icd10 else ()
    return Fact(
        category=Category.CONDITION,
        period_end=time(ended) if ended else None,
        finding=Finding(
            concept=Concept(text=text, codings=codings),
            state=state,
            time=time(at) if at else None,
            flags=flags,
            evidence=(CHART,),
        ),
    )


def vital(code: str, value: float, unit: str, at: str | None) -> Fact:
    return Fact(
        category=Category.VITAL_SIGN,
        finding=Finding(
            concept=Concept(text="vital", codings=(Coding(system=LOINC, code=code),)),
            state=State.PRESENT,
            value=Quantity(value=value, unit=unit),
            time=time(at) if at else None,
            evidence=(FhirEvidence(file="chart.json", resource="Observation/1", path="value"),),
        ),
    )


def stated(input_id: str, state: State, *, key: str = "facts", choice: str | None = None) -> Fact:
    return Fact(
        category=Category.STATED,
        finding=Finding(
            concept=catalogue().concept(input_id),
            state=state,
            value=Choice(choice=choice) if choice else None,
            evidence=(RecordEvidence(file="case.yaml", record=f"{key}.{input_id}"),),
        ),
    )


def answers(*facts: Fact, patient: Patient | None = None) -> Answers:
    return resolve(Timeline.of(patient or Patient(), facts), at=AT)


def test_a_chart_that_does_not_mention_a_condition_has_not_denied_it() -> None:
    findings = answers(condition("Asthma")).findings
    assert set(findings) == set(catalogue().inputs)
    assert {f.state for f in findings.values()} == {State.NOT_ASSESSED}


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        pytest.param(condition(icd10="I10"), State.PRESENT, id="icd-10 code"),
        pytest.param(condition(icd10="I11.9"), State.PRESENT, id="icd-10 below the prefix"),
        pytest.param(condition("Essential hypertension (disorder)"), State.PRESENT, id="name"),
        pytest.param(
            condition("essential  HYPERTENSION"), State.PRESENT, id="case and spacing of a name"
        ),
        pytest.param(
            condition("Family history of hypertension"), State.NOT_ASSESSED, id="part of a name"
        ),
        pytest.param(condition(icd10="I1"), State.NOT_ASSESSED, id="shorter than the prefix"),
        pytest.param(condition(icd10="I10", state=State.ABSENT), State.ABSENT, id="refuted"),
        pytest.param(
            condition(icd10="I10", at="2027-01-01"), State.NOT_ASSESSED, id="after the assessment"
        ),
    ],
)
def test_hypertension_from_a_condition(fact: Fact, expected: State) -> None:
    assert answers(fact).findings["hypertension"].state is expected


def test_a_resolved_infarction_still_counts_and_a_resolved_syncope_does_not() -> None:
    found = answers(
        condition(icd10="I21.4", ended="2021-01-01", flags=("past",)),
        condition(icd10="R55", ended="2021-01-01", flags=("past",)),
    ).findings
    assert found["known_cad"].state is State.PRESENT
    assert found["syncope"].state is State.NOT_ASSESSED
    reason = found["syncope"].not_assessed
    assert reason is not None
    assert "past" in reason.detail


ACUTE = {
    "haemoptysis": "R04.2",
    "syncope": "R55",
    "pregnancy": "Z33",
    "cardiac_arrest": "I46.9",
    "subcutaneous_emphysema": "T79.7",
    "imaging_pneumothorax": "J93.9",
    "imaging_pericardial_effusion": "I31.3",
    "imaging_tamponade_signs": "I31.4",
    "imaging_pneumomediastinum": "J98.2",
    "aortic_syndrome_diagnosed": "I71.00",
    "pulmonary_embolism_diagnosed": "I26.9",
    "myopericarditis_diagnosed": "I30.9",
    "mechanical_complication": "I23.2",
    "high_grade_av_block": "I44.2",
    "bleeding_recent": "K92.2",
}


@pytest.mark.parametrize(("input_id", "code"), ACUTE.items(), ids=list(ACUTE))
def test_an_acute_condition_counts_when_charted_now_and_is_asked_otherwise(
    input_id: str, code: str
) -> None:
    def said(at: str | None) -> Finding:
        return answers(condition(icd10=code, at=at)).findings[input_id]

    assert said("2026-11-20").state is State.PRESENT  # the day of the assessment
    old, undated = said("2012-05-01").not_assessed, said(None).not_assessed
    assert old is not None
    assert (old.why, "is it so now?" in old.detail) == (Why.STALE, True)
    assert undated is not None
    assert (undated.why, "is it so now?" in undated.detail) == (Why.TIME_NOT_GIVEN, True)


def test_a_charted_dissection_is_not_a_result_of_ct_angiography() -> None:
    found = answers(condition("Aortic dissection", at="2026-11-20")).findings
    assert found["cta_aortic_dissection"].state is State.NOT_ASSESSED
    assert found["aortic_syndrome_diagnosed"].state is State.PRESENT


@pytest.mark.parametrize("flags", [(), ("past",)], ids=["active", "resolved"])
def test_an_old_dissection_predisposes_to_another(flags: tuple[str, ...]) -> None:
    found = answers(condition("Aortic dissection", at="2015-01-01", flags=flags)).findings
    assert found["aortic_predisposition"].state is State.PRESENT


def medicine(name: str, *, flags: tuple[str, ...] = (), state: State = State.PRESENT) -> Fact:
    return Fact(
        category=Category.MEDICATION,
        finding=Finding(
            concept=Concept(text=name),
            state=state,
            time=time("2026-11-01"),
            flags=flags,
            evidence=(CHART,),
        ),
    )


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        pytest.param(medicine("Apixaban 5 mg tablet"), State.PRESENT, id="current"),
        pytest.param(medicine("WARFARIN sodium"), State.PRESENT, id="case"),
        pytest.param(medicine("利伐沙班片"), State.PRESENT, id="Chinese"),
        pytest.param(medicine("Apixaban", flags=("past",)), State.NOT_ASSESSED, id="ended"),
        pytest.param(medicine("Apixaban", state=State.ABSENT), State.NOT_ASSESSED, id="not taken"),
        pytest.param(medicine("Aspirin 100 mg"), State.NOT_ASSESSED, id="another medicine"),
    ],
)
def test_an_anticoagulant_is_found_in_the_medication_list(fact: Fact, expected: State) -> None:
    assert answers(fact).findings["anticoagulant_use"].state is expected


def test_a_conflict_between_chart_and_sheet_is_shown_and_not_settled() -> None:
    found = answers(condition(icd10="I10"), stated("hypertension", State.ABSENT))
    reason = found.findings["hypertension"].not_assessed
    assert reason is not None
    assert reason.why is Why.CONFLICTING
    assert [side.says for side in found.conflicts[0].sides] == ["absent", "present"]
    assert "hypertension" in found.claimed


def test_an_explicit_answer_settles_a_conflict() -> None:
    found = answers(
        condition(icd10="I10"),
        stated("hypertension", State.ABSENT),
        stated("hypertension", State.PRESENT, key="answers"),
    )
    assert found.findings["hypertension"].state is State.PRESENT
    assert found.conflicts == ()


def test_refuted_and_active_entries_of_one_chart_prefer_the_active_one() -> None:
    found = answers(condition(icd10="E11.9"), condition(icd10="E11.9", state=State.ABSENT))
    assert found.findings["diabetes"].state is State.PRESENT


@pytest.mark.parametrize(
    ("at", "why"),
    [
        pytest.param("2026-11-20T09:50:00Z", None, id="ten minutes old"),
        pytest.param("2026-11-19T10:00:00Z", None, id="exactly 24 hours old"),
        pytest.param("2026-11-19T09:59:00Z", Why.STALE, id="older than 24 hours"),
        pytest.param("2026-11-20T10:01:00Z", Why.CONFLICTING, id="after the assessment"),
        pytest.param(None, Why.TIME_NOT_GIVEN, id="no time"),
        pytest.param("2026-11-20T09:50:00", Why.TIME_ZONE_UNKNOWN, id="no zone"),
    ],
)
def test_a_heart_rate_answers_only_within_its_time(at: str | None, why: Why | None) -> None:
    finding = answers(vital("8867-4", 88, "/min", at)).findings["heart_rate"]
    if why is None:
        assert str(finding.value) == "88 /min"
    else:
        assert finding.not_assessed is not None
        assert finding.not_assessed.why is why


def test_the_latest_of_several_values_is_used_whatever_their_order() -> None:
    facts = (
        vital("8480-6", 90, "mm[Hg]", "2026-11-20T09:55:00Z"),
        vital("8480-6", 120, "mm[Hg]", "2026-11-20T08:00:00Z"),
    )
    assert str(answers(*facts).findings["systolic_bp"].value) == "90 mm[Hg]"


def test_a_value_in_another_unit_than_the_input_is_not_taken() -> None:
    finding = answers(vital("8310-5", 98.6, "[degF]", "2026-11-20T09:55:00Z")).findings
    reason = finding["body_temperature"].not_assessed
    assert reason is not None
    assert reason.why is Why.UNIT_NOT_RECOGNISED


@pytest.mark.parametrize(
    ("bmi", "expected"), [(30.0, State.ABSENT), (30.1, State.PRESENT), (None, State.NOT_ASSESSED)]
)
def test_obesity_follows_from_a_body_mass_index_above_30(
    bmi: float | None, expected: State
) -> None:
    facts = () if bmi is None else (vital("39156-5", bmi, "kg/m2", "2026-10-01"),)
    assert answers(*facts).findings["obesity"].state is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Current every day smoker", State.PRESENT),
        ("Never smoker", State.ABSENT),
        ("Former smoker", State.NOT_ASSESSED),
        ("Never smoker?", State.NOT_ASSESSED),
    ],
)
def test_smoking_status_counts_only_answers_that_settle_it(answer: str, expected: State) -> None:
    fact = Fact(
        category=Category.OBSERVATION,
        finding=Finding(
            concept=Concept(text="Tobacco", codings=(Coding(system=LOINC, code="72166-2"),)),
            state=State.PRESENT,
            value=Text(text=answer),
            time=time("2024-01-01"),
            evidence=(CHART,),
        ),
    )
    assert answers(fact).findings["smoking_current"].state is expected


def test_age_comes_from_the_date_of_birth_and_a_birthday_makes_it_an_interval() -> None:
    def age(born: str) -> str:
        patient = Patient(
            identities=(Identity(source="chart.json"),),
            birth_date=time(born),
            evidence=(CHART,),
        )
        return str(answers(patient=patient).findings["age_years"].interval)

    assert age("1960-05-01") == "66"
    assert age("1960-11-20") == "[65, 66]"
    assert age("1960") == "[65, 66]"


def test_a_stated_age_that_contradicts_the_date_of_birth_is_a_conflict() -> None:
    patient = Patient(birth_date=time("1960-05-01"), evidence=(CHART,))
    fact = Fact(
        category=Category.STATED,
        finding=Finding(
            concept=catalogue().concept("age_years"),
            state=State.PRESENT,
            value=Quantity(value=45, unit="a"),
            evidence=(RecordEvidence(file="case.yaml", record="facts.age_years"),),
        ),
    )
    found = answers(fact, patient=patient)
    assert found.findings["age_years"].state is State.NOT_ASSESSED
    assert found.conflicts[0].input == "age_years"


def age_answer(years: float) -> Fact:
    return Fact(
        category=Category.STATED,
        finding=Finding(
            concept=catalogue().concept("age_years"),
            state=State.PRESENT,
            value=Quantity(value=years, unit="a"),
            evidence=(RecordEvidence(file="entered answers", record="answers.age_years"),),
        ),
    )


# born 1960-05-01: 66 completed years on 2026-11-20; born 2008: 17 or 18
@pytest.mark.parametrize(("born", "years"), [("1960-05-01", 80), ("1960-05-01", 12), ("2008", 80)])
def test_an_answer_does_not_overrule_the_date_of_birth(born: str, years: float) -> None:
    patient = Patient(birth_date=time(born), evidence=(CHART,))
    found = answers(age_answer(years), patient=patient)
    finding = found.findings["age_years"]
    assert finding.not_assessed is not None
    assert finding.not_assessed.why is Why.CONFLICTING
    assert [c.input for c in found.conflicts] == ["age_years"]
    assert "correct the record" in found.conflicts[0].consequence
    assert len(found.conflicts[0].sides) == 2


def test_an_answer_does_not_overrule_the_recorded_sex() -> None:
    patient = Patient(sex="male", evidence=(CHART,))
    found = answers(stated("sex", State.PRESENT, key="answers", choice="female"), patient=patient)
    assert found.findings["sex"].state is State.NOT_ASSESSED
    assert [c.input for c in found.conflicts] == ["sex"]


def test_an_answer_that_agrees_with_the_record_or_fills_it_is_used() -> None:
    same = answers(
        stated("sex", State.PRESENT, key="answers", choice="male"),
        age_answer(66),
        patient=Patient(sex="male", birth_date=time("1960-05-01"), evidence=(CHART,)),
    )
    assert same.findings["sex"].choice == "male"
    assert str(same.findings["age_years"].interval) == "66"
    assert same.conflicts == ()
    alone = answers(age_answer(66), patient=Patient(evidence=(CHART,)))
    assert str(alone.findings["age_years"].interval) == "66"


def test_an_answer_of_unknown_leaves_even_the_recorded_sex_open() -> None:
    unknown = stated("sex", State.PRESENT, key="answers", choice="female")
    reason = NotAssessed(why=Why.MISSING, detail="stated as unknown")
    changed = {"state": State.NOT_ASSESSED, "value": None, "not_assessed": reason}
    taken_back = unknown.model_copy(update={"finding": unknown.finding.model_copy(update=changed)})
    found = answers(taken_back, patient=Patient(sex="male", evidence=(CHART,)))
    assert found.findings["sex"].state is State.NOT_ASSESSED
    assert found.conflicts == ()


def test_no_snomed_code_is_shipped_in_the_catalogue() -> None:
    fact = condition("something")
    coded = fact.model_copy(
        update={
            "finding": fact.finding.model_copy(
                update={
                    "concept": Concept(
                        text="something", codings=(Coding(system=SNOMED, code="38341003"),)
                    )
                }
            )
        }
    )
    assert answers(coded).findings["hypertension"].state is State.NOT_ASSESSED


@pytest.mark.parametrize("born", ["2008", "2008-11-21", "2008-11-20"])
def test_seventeen_or_eighteen_is_no_age_but_a_question(born: str) -> None:
    patient = Patient(birth_date=time(born), evidence=(CHART,))
    finding = answers(patient=patient).findings["age_years"]
    assert finding.not_assessed is not None
    assert "18" in finding.not_assessed.detail


@pytest.mark.parametrize(("born", "age"), [("2008-11-22", "17"), ("2008-11-18", "18")])
def test_an_age_that_is_surely_on_one_side_of_18_is_an_age(born: str, age: str) -> None:
    patient = Patient(birth_date=time(born), evidence=(CHART,))
    finding = answers(patient=patient).findings["age_years"]
    assert str(finding.interval) == age


@pytest.mark.parametrize(
    ("recorded", "state"),
    [("2026-11-19", State.PRESENT), ("2026-11-10", State.NOT_ASSESSED)],
)
def test_an_embolism_counts_as_of_this_episode_only_for_some_days(
    recorded: str, state: State
) -> None:
    found = answers(condition(icd10="I26.9", at=recorded)).findings
    assert found["pulmonary_embolism_diagnosed"].state is state
    assert found["prior_vte"].state is State.PRESENT
