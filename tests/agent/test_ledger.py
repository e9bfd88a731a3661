"""A recorded tool call is as good as a call: same assessment, nothing run twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.assess import assess_case, extra_calls, next_calls
from agent.ledger import Entry, Ledger, Wanted
from agent.triage import triage
from knowledge.clinical_time import parse_fhir
from knowledge.finding import Why
from knowledge.settings import Settings
from tests.agent.cases import EXAMPLES
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles

NOW = parse_fhir("2026-11-20T12:00:00+01:00", clock="test")
SETTINGS = Settings()
NAMES = ["stemi", "nstemi", "early_presenter", "half_missing"]


def read(folder: Path) -> CaseFiles:
    return read_case([folder], at=None, now=NOW, settings=SETTINGS)


def waves(case: CaseFiles, entries: dict[str, Entry]) -> Iterator[tuple[Wanted, ...]]:
    """Yield the calls wanted at each turn, making each after it was yielded."""
    at = case.at or NOW
    while wanted := next_calls(case, at=at, settings=SETTINGS, entries=entries.values()):
        yield wanted
        for call in wanted:
            assert call.key not in entries, "a finished call is never asked for again"
            # As a journal keeps it: through JSON.
            entries[call.key] = Entry.model_validate_json(call.make().model_dump_json())


@pytest.mark.parametrize("name", NAMES)
def test_recorded_calls_give_the_assessment_without_running_a_tool(name: str) -> None:
    case = read(EXAMPLES / name)
    entries: dict[str, Entry] = {}
    for _ in waves(case, entries):
        pass
    ledger = Ledger(entries.values())
    at = case.at or NOW
    replayed = assess_case(case, at=at, settings=SETTINGS, ledger=ledger).assessment
    direct = assess_case(case, at=at, settings=SETTINGS).assessment
    assert set(ledger.entries) == set(entries), "the assessment made no further call"
    assert replayed.provenance.result_sha256 == direct.provenance.result_sha256


def test_scores_that_do_not_depend_on_each_other_are_asked_for_together() -> None:
    turns = [{call.tool.name for call in wave} for wave in waves(read(EXAMPLES / "nstemi"), {})]
    assert {"heart", "add_rs", "wells_pe", "perc", "years"} <= turns[-1]
    assert turns[0] == {"ecg_analysis"}


def test_the_order_of_files_changes_no_call() -> None:
    folder = EXAMPLES / "nstemi"
    files = sorted(folder.iterdir())
    keys = []
    for paths in (files, files[::-1]):
        case = read_case(paths, at=None, now=NOW, settings=SETTINGS)
        entries: dict[str, Entry] = {}
        for _ in waves(case, entries):
            pass
        keys.append(set(entries))
    assert keys[0] == keys[1]


def test_triage_finds_reperfusion_criteria_before_any_score_or_troponin_rule() -> None:
    case = read(EXAMPLES / "stemi")
    ledger = Ledger()
    found = triage(case, at=case.at or NOW, settings=SETTINGS, ledger=ledger)
    assert {entry.tool for entry in ledger.entries.values()} == {"ecg_analysis"}
    assert any("reperfusion" in flag.id for flag in found.red_flags)


def test_triage_without_data_names_what_it_cannot_tell(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("case: empty\nproblem: acute chest pain\n")
    case = read(tmp_path)
    found = triage(case, at=NOW, settings=SETTINGS, ledger=Ledger())
    assert [flag.id for flag in found.red_flags] == ["ecg_now"], "an ECG is due within 10 minutes"
    assert len(found.not_assessed) > 5


def test_a_recorded_failure_stays_a_failure() -> None:
    case = read(EXAMPLES / "nstemi")
    first = next(iter(waves(case, {})))[0]
    broken = first.make().model_copy(
        update={
            "result": None,
            "problem": {"why": "failed", "detail": "the tool did not finish within 1 s"},
        }
    )
    entry = Entry.model_validate_json(broken.model_dump_json(warnings=False))
    entries = {entry.key: entry}
    for _ in waves(case, entries):
        pass
    done = assess_case(
        case, at=case.at or NOW, settings=SETTINGS, ledger=Ledger(entries.values())
    ).assessment
    run = next(run for run in done.provenance.tools if run.tool == "ecg_analysis")
    assert (run.outcome, run.reason) == ("failed", "the tool did not finish within 1 s")
    ecg = [f for f in done.findings if f.not_assessed and f.not_assessed.why is Why.FAILED]
    assert ecg, "what the ECG would have told is not assessed: failed"


def test_a_tool_of_the_pathway_is_never_an_extra_call() -> None:
    case = read(EXAMPLES / "nstemi")
    at = case.at or NOW
    assert (
        extra_calls(case, ["heart", "serial_troponin"], at=at, settings=SETTINGS, entries=()) == ()
    )
    wanted = extra_calls(case, ["wells_pe_three_tier"], at=at, settings=SETTINGS, entries=())
    assert [call.tool.name for call in wanted] == ["wells_pe_three_tier"]
