"""Tools run on request: found by name, never offered for chest pain, and heard nowhere else."""

from pathlib import Path

from agent.case_summary import summarise
from agent.episode import episode
from agent.fitting import fitting, unfit
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import parse_fhir
from knowledge.pathways import pathway
from knowledge.scores import score, score_ids
from knowledge.settings import Settings
from tools.chart.answers import resolve
from tools.intake.folder import read_case
from tools.risk.score import inputs_of
from tools.toolbox import discover

PATH = pathway("chest_pain")
NOW = parse_fhir("2026-11-20T13:40:00Z", clock="test")
ON_REQUEST = {s for s in score_ids() if score(s).on_request}
CASE = Path(__file__).parents[2] / "serving" / "examples" / "nstemi"


def test_no_score_on_request_is_a_step_of_the_pathway() -> None:
    assert not ON_REQUEST & {step.tool for step in PATH.steps}


def test_the_pathway_is_answered_every_question_of_its_scores() -> None:
    asked = set(catalogue().inputs)
    for step in PATH.steps:
        if step.tool in score_ids():
            assert set(inputs_of(step.tool)) <= asked


def test_scores_on_request_are_neither_offered_nor_named_as_unfit() -> None:
    settings = Settings()
    case = read_case([CASE], at=NOW, now=NOW, settings=settings)
    known = resolve(case.timeline, at=NOW)
    seen = episode(case.timeline, case.recordings.values(), at=NOW, pathway=PATH)
    summary = summarise(case, known.findings, seen, at=NOW, language="en")
    offered = {t.name for t in fitting(case, summary, PATH, settings)}
    others = {t.name for t in unfit(case, summary, PATH, settings)}
    assert "grace_in_hospital" in offered
    assert not ON_REQUEST & (offered | others)
    assert not set(catalogue().on_request) & {i for item in summary.items for i in item.inputs}
    assert not set(catalogue().on_request) & set(summary.unanswered)


def test_scores_on_request_are_tools_with_a_topic() -> None:
    for name in ON_REQUEST:
        card = discover()[name].card
        assert (card.group, card.topic, card.on_request) == ("risk", score(name).topic, True)


def test_questions_on_request_are_answered_where_they_are_asked_for() -> None:
    case = read_case([CASE], at=NOW, now=NOW, settings=Settings())
    usual = resolve(case.timeline, at=NOW).findings
    every = resolve(case.timeline, at=NOW, entries=catalogue().every).findings
    assert set(usual) == set(catalogue().inputs)
    assert set(every) == {*catalogue().inputs, *catalogue().on_request}
    assert {key: every[key] for key in usual} == dict(usual)
