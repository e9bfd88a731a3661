"""The independent checker: alone, sharp, and quiet on what is true."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

import evals.checker
from agent.assess import assess_paths
from evals.checker.check import check_narrative, check_sentence
from evals.checker.citations import check_citations
from evals.checker.truth import Truth, truth_of
from evals.patients import prepared
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from tests.agent.cases import EXAMPLES

FOLDER = Path(evals.checker.__file__).parent
NOW = parse_fhir("2026-11-21T12:00:00Z", clock="test")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda f: f.stem)
def test_the_checker_imports_nothing_of_the_agent(file: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module or "")
    ours = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    allowed = ("evals.checker.", "knowledge.model", "knowledge.cards")
    assert all(name.startswith(allowed) for name in ours), ours


@cache
def truth(name: str) -> Truth:
    found = assess_paths([EXAMPLES / name], at=None, now=NOW, settings=Settings())
    return truth_of(found.assessment.to_json())


WRONG = [
    # example, kind, sentence; each wrong in one way that a reader of the chart can see
    ("nstemi", "value", "A 17-year-old woman has chest pain."),
    ("nstemi", "person", "A man, 71 years."),
    ("nstemi", "time", "Pain since 2026-11-20 11:30."),
    ("nstemi", "time", "The troponin T was 24 ng/L, then 43 ng/L after 92 min."),
    ("nstemi", "time", "Troponin T was 43 ng/L at first and 24 ng/L later."),
    ("nstemi", "unit", "Troponin T was 24 ng/mL."),
    ("nstemi", "analyte", "Troponin I was 24 ng/L."),
    ("nstemi", "value", "Troponin T changed by +29 ng/L: change +29 ng/L."),
    ("nstemi", "lead", "The ECG shows ST depression in V1."),
    ("nstemi", "polarity", "The ECG shows no ST depression."),
    ("nstemi", "polarity", "The ECG shows ST elevation (V3, V4)."),
    ("nstemi", "category", "The GRACE in-hospital score is 157, low."),
    ("nstemi", "value", "The GRACE in-hospital score is 175, high."),
    ("half_missing", "range", "The HEART score is 4, moderate or high possible."),
    ("half_missing", "range", "HEART score between 2 and 8: not determined."),
    ("half_missing", "polarity", "There is no diaphoresis."),
    ("early_presenter", "category", "By ESC 0/1 h infarction is ruled out."),
    ("nstemi", "diagnosis", "The ECG shows ST depression, consistent with infarction."),
    ("nstemi", "diagnosis", "She may have pneumonia."),
    ("nstemi", "diagnosis", "Pulmonary embolism is supported."),
    ("nstemi", "diagnosis", "Low risk, discharge."),
    ("nstemi", "analyte", "高敏肌钙蛋白I:首次24 ng/L。"),
    ("nstemi", "diagnosis", "支持:肺栓塞。"),
    ("half_missing", "range", "HEART评分4:中危。"),
    ("half_missing", "polarity", "心电图示ST段抬高。"),
]


@pytest.mark.parametrize(("name", "kind", "text"), WRONG, ids=[row[2] for row in WRONG])
def test_a_wrong_sentence_is_seen_for_what_is_wrong_in_it(name: str, kind: str, text: str) -> None:
    assert kind in {wrong.kind for wrong in check_sentence(text, truth(name)).wrong}


TRUE = [
    ("nstemi", "A 71-year-old woman has had pain since 2026-11-20 10:30."),
    (
        "nstemi",
        "Troponin T was 24 ng/L at first and 43 ng/L later, after 62 min (change +19 ng/L).",
    ),
    ("nstemi", "The ECG shows ST depression (I, V3, V4, V5, V6) and sinus rhythm, 88/min."),
    ("nstemi", "Acute coronary syndrome is supported, and pulmonary embolism is argued against."),
    ("nstemi", "Creatinine was 97 umol/L and the temperature 36.8 °C."),
    ("half_missing", "HEART score between 4 and 8: not determined (2 inputs missing)."),
    ("half_missing", "Troponin I was <6 ng/L."),
    ("stemi", "符合心肌梗死的ST段抬高标准:下壁,II,III,aVF。"),
]


@pytest.mark.parametrize(("name", "text"), TRUE, ids=[row[1] for row in TRUE])
def test_a_true_sentence_is_left_alone_and_is_not_empty(name: str, text: str) -> None:
    found = check_sentence(text, truth(name))
    assert found.wrong == ()
    assert found.claims


@pytest.mark.parametrize("name", ["stemi", "nstemi", "early_presenter", "half_missing"])
def test_the_templates_narrative_has_nothing_wrong_and_its_citations_resolve(
    name: str, tmp_path: Path
) -> None:
    folder = prepared({"base": name}, tmp_path)
    body = assess_paths([folder], at=None, now=NOW, settings=Settings()).assessment.to_json()
    assert [c.wrong for _, c in check_narrative(body) if c.wrong] == []
    cited = check_citations(body)
    assert cited.cited
    assert not cited.unresolved
    assert not cited.missing_cards


def test_a_citation_that_leads_nowhere_and_a_passage_that_is_no_cards_text_are_seen() -> None:
    body = {
        "citations": [],
        "narrative": {"sentences": [{"text": "x", "citation": "made/up"}]},
        "agent": {"passages": [{"id": "card:x#1.en", "kind": "summary", "text": "made up"}]},
    }
    found = check_citations(body)
    assert found.unresolved == ("made/up",)
    assert found.foreign == ("card:x#1.en",)
