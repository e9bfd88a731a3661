# ruff: noqa: RUF001
"""The facts that decide a question stand in its answer, whatever the words and the language."""

import asyncio

import pytest

from agent.assessment import Assessment
from agent.chat import ChatAnswer, answer
from agent.facts import Fact
from agent.narrative import score_sentence
from knowledge.codes import EPICRISIS
from knowledge.finding import State
from knowledge.passages import Language
from tests.agent.verify.sheets import assessed, sheet

# Case, question, and what must be in its answer: ``headline``, a verdict (``acs``), a
# recommendation (``advice:``), a score by its name (``score:``), a clinical input (``input:``),
# a sentence of the narrative by its beginning (``told:``), or the state of discharge.
STEMI_ECG = ("headline", "acs", "told:ECG: ST-elevation criteria of infarction are met")
OPEN_ACS = ("headline", "acs", "told:ECG", "advice:not_excluded")
QUESTIONS: list[tuple[str, str, tuple[str, ...]]] = [
    ("stemi", "What does the ECG show?", STEMI_ECG),
    ("stemi", "ECG?", STEMI_ECG),
    ("stemi", "Is the ECG normal?", STEMI_ECG),
    ("stemi", "What does the ECG reveal?", STEMI_ECG),
    ("stemi", "Describe the tracing", STEMI_ECG),
    ("stemi", "ST elevation?", (*STEMI_ECG, "input:stemi_criteria", "advice:stemi_reperfusion")),
    ("stemi", "Is there a STEMI?", (*STEMI_ECG, "input:stemi_criteria")),
    ("stemi", "Where is the ST elevation?", (*STEMI_ECG, "input:stemi_criteria")),
    ("stemi", "any ST changes?", (*STEMI_ECG, "input:stemi_criteria")),
    ("stemi", "Does he have an MI?", (*STEMI_ECG, "input:stemi_criteria")),
    ("stemi", "Heart attack?", STEMI_ECG),
    ("stemi", "What is the diagnosis?", (*STEMI_ECG, "aortic_dissection")),
    ("stemi", "Any red flags?", STEMI_ECG),
    (
        "stemi",
        "What is the troponin?",
        ("headline", "input:stemi_criteria", "input:troponin_assay"),
    ),
    ("stemi", "What should we do?", ("headline", "acs", "advice:stemi_reperfusion")),
    ("stemi", "What to do", ("headline", "acs", "advice:stemi_reperfusion")),
    ("stemi", "Does he need PCI?", ("headline", "acs", "advice:stemi_reperfusion")),
    ("stemi", "Can we give thrombolysis?", ("headline", "advice:stemi_no_lysis_yet")),
    ("stemi", "Can he go home?", ("headline", "acs", "discharge", "advice:stemi_reperfusion")),
    ("stemi", "HEART score?", ("score:HEART score",)),
    ("stemi", "Mortality?", ("score:GRACE in-hospital score",)),
    ("stemi", "Is a dissection ruled out?", ("aortic_dissection", "score:ADD-RS")),
    ("stemi", "心电图怎么样？", STEMI_ECG),
    ("stemi", "心电图正常吗？", STEMI_ECG),
    ("stemi", "有ST段抬高吗？", (*STEMI_ECG, "input:stemi_criteria")),
    ("stemi", "是不是心梗？", STEMI_ECG),
    ("stemi", "怎么办？", ("headline", "acs", "advice:stemi_reperfusion")),
    ("stemi", "能回家吗？", ("headline", "acs", "discharge")),
    ("stemi", "诊断是什么？", STEMI_ECG),
    ("early_presenter", "Is MI excluded?", OPEN_ACS),
    ("early_presenter", "Does he have an infarction?", OPEN_ACS),
    ("early_presenter", "Is it a heart attack?", OPEN_ACS),
    ("early_presenter", "Is ACS ruled out?", OPEN_ACS),
    ("early_presenter", "Is he low risk?", ("headline", "acs", "discharge", "score:HEART score")),
    ("early_presenter", "Does he smoke?", ("input:smoking_current",)),
    ("early_presenter", "Is he a smoker?", ("input:smoking_current",)),
    ("early_presenter", "vital signs", ("input:heart_rate", "input:systolic_bp", "input:spo2")),
    ("early_presenter", "Is the pain pleuritic?", ("input:pain_pleuritic",)),
    ("early_presenter", "Left leg swelling?", ("input:unilateral_leg_swelling",)),
    ("early_presenter", "Any recent surgery?", ("input:surgery_trauma_admission",)),
    ("early_presenter", "Does he have kidney disease?", ("input:creatinine",)),
    ("early_presenter", "What is the risk of death?", ("score:GRACE in-hospital score",)),
    ("early_presenter", "When is the next troponin due?", ("advice:next_sample",)),
    ("early_presenter", "When should I repeat the troponin?", ("advice:next_sample",)),
    ("early_presenter", "Is the troponin normal?", ("told:ESC 0/1 h", "advice:next_sample")),
    ("early_presenter", "Is there a pneumothorax?", ("tension_pneumothorax",)),
    ("early_presenter", "PE?", ("pulmonary_embolism", "score:PERC")),
    ("early_presenter", "Blood pressure?", ("input:systolic_bp", "input:diastolic_bp")),
    ("early_presenter", "Can he go home?", ("headline", "acs", "discharge", "advice:not_excluded")),
    ("early_presenter", "Give her heparin?", ("acs", "advice:not_excluded")),
    ("early_presenter", "排除心梗了吗？", OPEN_ACS),
    ("early_presenter", "他吸烟吗？", ("input:smoking_current",)),
    ("early_presenter", "血钾？", ("result:potassium",)),
    ("early_presenter", "肌钙蛋白正常吗？", ("told:ESC 0/1 h", "advice:next_sample")),
    ("early_presenter", "下次什么时候查肌钙蛋白？", ("advice:next_sample",)),
    ("early_presenter", "生命体征？", ("input:heart_rate", "input:systolic_bp")),
    ("early_presenter", "是低危吗？", ("headline", "acs", "discharge")),
    ("early_presenter", "可以出院吗？", ("headline", "acs", "discharge", "advice:not_excluded")),
    ("nstemi", "troponin trend", ("headline", "told:ESC 0/1 h")),
    ("nstemi", "Delta troponin?", ("headline", "told:ESC 0/1 h")),
    ("nstemi", "Is the troponin falling?", ("headline", "told:ESC 0/1 h")),
    ("nstemi", "Is this an NSTEMI?", ("headline", "acs", "told:ECG: ST depression")),
    ("nstemi", "Is there ischaemia?", ("headline", "acs", "input:ecg_new_ischaemia")),
    ("nstemi", "GRACE?", ("score:GRACE in-hospital score",)),
    ("nstemi", "Should we admit her?", ("headline", "acs", "advice:nstemi_early_invasive")),
    ("nstemi", "May she be discharged?", ("headline", "acs", "discharge")),
    ("nstemi", "Diabetic?", ("input:diabetes",)),
    ("nstemi", "肌钙蛋白趋势", ("headline", "told:ESC 0/1 h")),
    ("nstemi", "急性冠脉综合征？", ("headline", "acs", "told:ECG")),
    ("nstemi", "死亡风险？", ("score:GRACE in-hospital score",)),
    ("half_missing", "Is MI excluded?", (*OPEN_ACS, "told:The time of the ECG")),
    ("half_missing", "Is the troponin negative?", ("headline", "advice:name_the_assay")),
    ("half_missing", "Is she low risk?", ("headline", "acs", "discharge")),
    ("half_missing", "Is she a candidate for early discharge?", ("headline", "acs", "discharge")),
    ("half_missing", "What does the ECG show?", ("headline", "acs", "told:The time of the ECG")),
    ("half_missing", "有没有主动脉夹层？", ("aortic_dissection",)),
    ("half_missing", "心肌梗死排除了吗？", OPEN_ACS),
]


def ask(case: str, question: str) -> ChatAnswer:
    language: Language = "en" if question.isascii() else "zh"
    told = sheet(case, language)
    return asyncio.run(answer(None, question, sheet=told, searcher=None, language=language))


def in_words(result: Assessment, wanted: str) -> str:
    """Return what the assessment itself says of something, in its words."""
    how, mark, what = wanted.partition(":")
    if wanted == "headline":
        return result.narrative.headline
    if wanted == "discharge":
        return "not established as low risk"
    if not mark:
        entry = next(e for e in result.differential if e.id == wanted)
        return f"{entry.diagnosis}: {entry.verdict.value}"
    if how == "advice":
        return next(r.text for r in result.recommendations if r.id == what)
    if how == "score":
        return score_sentence(next(r for r in result.risks if r.name == what))
    if how == "told":
        return what
    finding = next(f for f in result.findings if f.concept.has(EPICRISIS, what))
    if finding.quantity is not None or finding.choice is not None:
        return ""
    return {State.PRESENT: ": present", State.ABSENT: ": absent"}[finding.state]


def speaks_of(fact: Fact, wanted: str) -> bool:
    """Return whether a fact is the one that is wanted."""
    how, mark, what = wanted.partition(":")
    keys = {"advice": f"recommendation.{what}", "score": f"score.{what}"}
    if not mark:
        return fact.key in (wanted, f"diagnosis.{wanted}")
    if how == "input":
        return what in fact.inputs and fact.kind == "finding"
    if how == "result":
        return fact.key.startswith(f"laboratory.result.{what}.")
    if how == "told":
        return fact.sentence is not None
    return fact.key == keys[how]


@pytest.mark.parametrize(("case", "question", "wanted"), QUESTIONS)
def test_what_decides_a_question_is_in_its_answer(
    case: str, question: str, wanted: tuple[str, ...]
) -> None:
    found = ask(case, question)
    assert not found.outside_record
    assert found.kind in ("facts", "guideline")
    assert not any("not recognised" in note or "未能识别" in note for note in found.notes)
    facts = sheet(case, "en" if question.isascii() else "zh").by_id
    shown = [(s.text, facts[s.refs[0]]) for s in found.sentences if s.covered]
    for one in wanted:
        said = in_words(assessed(case), one) if question.isascii() else ""
        assert any(speaks_of(fact, one) and said in text for text, fact in shown), one


@pytest.mark.parametrize("question", ["ECG?", "ST elevation?", "Any ST changes?", "心电图？"])
def test_what_is_present_comes_before_what_is_absent(question: str) -> None:
    facts = sheet("stemi", "en" if question.isascii() else "zh").by_id
    states = [
        facts[s.refs[0]].state
        for s in ask("stemi", question).sentences
        if s.covered and facts[s.refs[0]].kind == "finding"
    ]
    assert "present" in states
    assert "absent" not in states[: states.index("present")]


def test_what_is_not_shown_in_full_is_named_with_its_state_and_number() -> None:
    last = ask("stemi", "What does the ECG show?").sentences[-1]
    assert last.text.startswith(f"And {len(last.refs)} more facts.")
    assert "Absent: " in last.text
    assert "Atrial fibrillation" in last.text.split("Absent: ")[1]
    assert last.covered == ()


@pytest.mark.parametrize(
    "question", ["Is MI excluded?", "排除心梗了吗？", "Can he go home?", "Is he low risk?"]
)
def test_an_open_question_names_what_would_settle_it(question: str) -> None:
    asked = {item.input for item in ask("early_presenter", question).would_answer}
    assert "pain_ongoing" in asked


def test_what_was_never_looked_for_is_said_beside_a_near_diagnosis() -> None:
    notes = ask("early_presenter", "Is there a pneumothorax?").notes
    assert any("of a simple pneumothorax only what was stated" in note for note in notes)
    notes = ask("early_presenter", "Tension pneumothorax?").notes
    assert not any("simple pneumothorax" in note for note in notes)


@pytest.mark.parametrize("question", ["Temperature?", "vital signs", "生命体征"])
def test_an_input_without_a_fact_is_said_to_be_nowhere(question: str) -> None:
    found = ask("early_presenter", question)
    words = "".join(found.notes)
    assert found.outside_record or "Body temperature" in words or "体温" in words


@pytest.mark.parametrize(
    "question",
    ["Is there a drug allergy?", "Is she on any medication?", "Did he take aspirin at home?"],
)
def test_what_this_assessment_does_not_read_is_not_denied(question: str) -> None:
    found = ask("early_presenter", question)
    assert not found.outside_record
    assert any("look in the chart" in note for note in found.notes)
    assert found.sentences == ()


@pytest.mark.parametrize("question", ["Any PCI before?", "Any prior stent?", "支架史？"])
def test_an_earlier_intervention_is_a_question_of_known_coronary_disease(question: str) -> None:
    found = ask("early_presenter", question)
    facts = sheet("early_presenter").by_id
    assert [facts[s.refs[0]].inputs for s in found.sentences] == [("known_cad",)]


def test_what_would_be_is_not_computed() -> None:
    found = ask("early_presenter", "What would the HEART score be if troponin were 100?")
    assert any("not computed" in note for note in found.notes)


@pytest.mark.parametrize("question", ["Should we", "", "???", "的", "\ud800", "Order", "a" * 900])
def test_no_question_is_without_an_answer(question: str) -> None:
    for case in ("stemi", "half_missing"):
        found = ask(case, question)
        assert found.sentences or found.notes
