"""The policy floor: what the pathway requires runs, and what breaks is shown as broken."""

import logging
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import agent.runner
from agent.called import guarded
from knowledge.errors import ContractError, UnavailableError
from knowledge.finding import Finding, Why
from knowledge.pathways import pathway
from knowledge.risk import Risk
from tests.agent.cases import EXAMPLES, assessed, change_case, example, low_risk_case, risk
from tools.toolbox import Card, Tool, discover

PATH = pathway("chest_pain")
STATEMENTS = (
    "acute_myocardial_injury",
    "chronic_myocardial_injury",
    "myocardial_injury",
    "above_99th",
    "above_every_rule_in_limit",
)


def test_every_tool_of_the_pathway_exists() -> None:
    assert {step.tool for step in PATH.steps} <= set(discover())


@pytest.mark.parametrize("name", ["stemi", "nstemi", "early_presenter", "half_missing"])
def test_every_step_ends_as_done_or_with_a_reason(name: str) -> None:
    runs = assessed(EXAMPLES / name).provenance.tools
    assert {run.tool for run in runs} == {step.tool for step in PATH.steps}
    for run in runs:
        assert run.outcome == "done" or run.reason


def test_every_condition_reads_an_input_a_risk_or_a_statement_that_exists() -> None:
    from knowledge.clinical_inputs import catalogue
    from knowledge.ecg_criteria import ecg_criteria
    from knowledge.reading_inputs import reading_inputs

    known = set(catalogue().inputs)
    tools = {step.tool for step in PATH.steps} | set(PATH.troponin_order)
    known |= {f"{kind}.{tool}" for tool in tools for kind in ("risk", "points")}
    known |= {f"ecg.{code}" for code in ecg_criteria().statements}
    known |= {f"verdict.{key}" for key in PATH.diagnoses}
    known |= {f"conflict.{key}" for key in catalogue().inputs}
    known |= {f"untimed.{row.input}" for row in reading_inputs().rows}
    known |= {f"condition.{key}" for key in PATH.conditions}
    known |= {f"statement.{code}" for code in STATEMENTS}
    known |= {
        "ecg.recorded",
        "ecg.assessed",
        "ecg.dated",
        "ecg.repeat-due",
        "laboratory.critical",
        "ecg.no-qrs",
        "blocks_low",
        "files.failed",
        "age.may-be-minor",
    }
    known |= {"troponin.sampled", "troponin.waiting", "troponin.decided", "troponin.fresh"}
    known |= {"troponin.flagged-high", "ecg.posterior-leads-due", "discharge.ready"}
    known |= {"conflicts.open", "chart.not-understood", "chart.left-out", "patient.deceased"}
    known |= {"chart.undated-acute", "troponin.next-due", "complaint.not-stated", "reading.urgent"}
    charted = [key for key, entry in catalogue().inputs.items() if entry.observation is not None]
    series = {f"{pick}.{key}" for key in charted for pick in ("first", "lowest", "highest")}
    known |= series
    assert {key for step in PATH.steps for key in step.reads.values()} <= series
    rows: list[Any] = [*PATH.recommendations.values(), *PATH.headlines, *PATH.conditions.values()]
    rows += PATH.discharge.values()
    rows += [a for d in PATH.diagnoses.values() for a in d.supported + d.against]
    conditions = [row.when for row in rows if row.when is not None]
    conditions += [c for s in PATH.steps for c in (s.when, s.skip_when, s.settled_when) if c]
    assert {i for c in conditions for i in c.inputs()} - known == set()


def test_every_category_a_condition_asks_for_can_be_given() -> None:
    from knowledge.scores import score, score_ids

    bands = {f"risk.{key}": {band.name for band in score(key).bands} for key in score_ids()}
    rows: list[Any] = [*PATH.recommendations.values(), *PATH.headlines]
    rows += [a for d in PATH.diagnoses.values() for a in d.supported + d.against]
    for row in rows:
        for leaf in () if row.when is None else row.when.leaves():
            if leaf.input in bands and leaf.is_ is not None:
                wanted = {leaf.is_} if isinstance(leaf.is_, str) else set(leaf.is_)
                assert wanted <= bands[leaf.input], (leaf.input, wanted)


def broken(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    """Replace one tool by one that breaks."""
    real = discover()[name]

    def function(**findings: Finding | None) -> Risk:
        raise error

    tools = {**discover(), name: Tool(function, card=real.card, version="broken", name=name)}
    monkeypatch.setattr(agent.runner, "discover", lambda: MappingProxyType(tools))


def test_a_tool_that_breaks_is_shown_as_failed_and_the_rest_works(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken(monkeypatch, "heart", ZeroDivisionError("of Muster, Clara"))
    with caplog.at_level(logging.ERROR):
        found = assessed(EXAMPLES / "nstemi")
    heart = risk(found, "heart")
    assert heart.category == "not assessed"
    assert heart.value is None
    assert heart.not_assessed is not None
    assert heart.not_assessed.why is Why.FAILED
    assert "Muster" not in heart.not_assessed.detail
    assert caplog.records
    assert found.status == "partial"
    assert risk(found, "ESC 0/1 h").category == "rule-in"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ContractError("x", "age 12 is outside"), Why.OUTSIDE_CONTRACT),
        (UnavailableError("x", "is down"), Why.FAILED),
        (KeyError("x"), Why.FAILED),
    ],
)
def test_no_error_becomes_a_result(error: Exception, why: Why) -> None:
    def fails() -> None:
        raise error

    called = guarded("x", fails)
    assert called.result is None
    assert called.problem is not None
    assert called.problem.why is why


def test_a_broken_ecg_tool_never_reads_as_a_normal_ecg(monkeypatch: pytest.MonkeyPatch) -> None:
    import agent.ecg_step

    def function(**arguments: object) -> Risk:
        raise RuntimeError("broken")

    card = Card(title="12-lead ECG analysis", group="ecg", needs=())
    tools = {
        **discover(),
        "ecg_analysis": Tool(function, card=card, version="0", name="ecg_analysis"),
    }
    monkeypatch.setattr(agent.ecg_step, "discover", lambda: MappingProxyType(tools))
    found = assessed(EXAMPLES / "stemi")
    assert "not assessed" in next(s.text for s in found.narrative.sentences if "ECG" in s.text)
    inputs = {f.concept.text: f for f in found.findings}
    stemi = inputs["ST-elevation criteria of myocardial infarction"]
    assert stemi.not_assessed is not None
    assert risk(found, "ESC 0/1 h").category not in ("rule-out", "rule-in")


def test_a_reader_who_disagrees_with_the_tool_about_st_elevation_gets_a_cardiologist(
    tmp_path: Path,
) -> None:
    case = example("stemi", tmp_path)
    change_case(case, "facts:\n", "facts:\n  stemi_criteria: no\n")
    found = assessed(case)
    assert "stemi_claimed" in [r.id for r in found.recommendations]
    assert "disagree" in found.narrative.headline
    assert any(c.input == "stemi_criteria" for c in found.conflicts)


LOW = """\
  esrd_dialysis: no
  paced_rhythm: no
"""


@pytest.mark.parametrize(
    "block",
    ["known_cad: yes", "esrd_dialysis: yes", "paced_rhythm: yes", "lbbb: yes", "st_deviation: yes"],
)
def test_what_forbids_low_never_ends_low(tmp_path: Path, block: str) -> None:
    case = low_risk_case(tmp_path)
    assert any(r.id == "rule_out_low" for r in assessed(case).recommendations)
    key = block.partition(":")[0]
    text = (case / "case.yaml").read_text("utf-8")
    kept = [line for line in text.splitlines() if not line.startswith(f"  {key}:")]
    (case / "case.yaml").write_text("\n".join(kept) + f"\nanswers:\n  {block}\n", "utf-8")
    found = assessed(case)
    assert not any(r.id == "rule_out_low" for r in found.recommendations)
    assert "low" not in found.narrative.headline.split()
    acs = next(e for e in found.differential if e.id == "acs")
    assert acs.verdict != "argued against"


def test_a_late_presenter_with_two_low_samples_can_end_low(tmp_path: Path) -> None:
    found = assessed(low_risk_case(tmp_path))
    assert risk(found, "ESC 0/1 h").category == "rule-out"
    assert risk(found, "heart").value == 1
    assert next(e for e in found.differential if e.id == "acs").verdict == "argued against"
    assert "ruled out by troponin" in found.narrative.headline
