"""Images are measured by the policy floor: with a model, without one, and once for a ledger."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.assess import assess_case, next_calls
from agent.assessment import Assessment
from agent.chat import answer
from agent.chat.answer import ChatAnswer
from agent.fact_sheet import fact_sheet
from agent.graph.checkpoints import open_checkpoints
from agent.graph.run import AgentOutcome, start_run
from agent.ledger import Entry, Ledger
from agent.llm.fake import FakeLLM
from knowledge.passages import Language
from knowledge.settings import Settings
from tests.agent.graph.scripts import fake, session
from tests.tools.imaging.film.phantoms import chest, dicom
from tests.tools.imaging.in_case.made import assessed, case_of, values
from tests.tools.intake.samples import AT, write
from tools.imaging.in_case import once as kept
from tools.imaging.in_case.model import CaseImages

SETTINGS = Settings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "film.dcm", dicom(chest(heart=300).grey))
    case_of(tmp_path, "film.dcm")
    return tmp_path


def _ran(folder: Path, llm: FakeLLM | None) -> AgentOutcome:
    made = session(llm=llm, paths=(str(folder),))
    made = replace(made, request=made.request.model_copy(update={"now": AT}))

    async def work() -> AgentOutcome:
        async with open_checkpoints("memory") as checkpoints:
            return await start_run(made, checkpoints)

    return asyncio.run(work())


def test_with_and_without_a_model_every_study_is_measured_alike(folder: Path) -> None:
    alone = assessed(case_of(folder, "film.dcm"))
    assert values(alone)["cardiothoracic-ratio"].value is not None
    for llm in (None, fake()):
        kept.forget()
        found = _ran(folder, llm).outcome.assessment
        assert found.imaging == alone.imaging
        assert found.provenance.result_sha256 == alone.provenance.result_sha256
        assert [r.tool for r in found.provenance.tools][-1] == "measure_chest_film"


def test_a_recorded_measurement_is_replayed_and_not_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of(folder, "film.dcm")
    entries: dict[str, Entry] = {}
    asked = []
    while wanted := next_calls(case, at=AT, settings=SETTINGS, entries=entries.values()):
        asked.append({call.tool.name for call in wanted})
        for call in wanted:
            assert call.key not in entries
            entries[call.key] = Entry.model_validate_json(call.make().model_dump_json())
    assert "measure_chest_film" in asked[0], "it does not wait for the pathway, nor the reverse"
    direct = assess_case(case, at=AT, settings=SETTINGS).assessment
    kept.forget()
    monkeypatch.setattr(
        "tools.imaging.in_case.film.film_measures", lambda images: pytest.fail("measured again")
    )
    ledger = Ledger(entries.values())
    replayed = assess_case(case, at=AT, settings=SETTINGS, ledger=ledger).assessment
    assert set(ledger.entries) == set(entries)
    assert replayed.imaging == direct.imaging
    assert replayed.provenance.result_sha256 == direct.provenance.result_sha256


def test_a_tool_that_breaks_leaves_the_study_not_assessed_and_the_case_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(images: object) -> None:
        raise RuntimeError("broken")

    kept.forget()
    monkeypatch.setattr("tools.imaging.in_case.film.film_measures", broken)
    found = assessed(case_of(folder, "film.dcm"))
    reason = values(found)["cardiothoracic-ratio"].not_assessed
    assert reason is not None
    assert reason.detail == "the tool broke (RuntimeError)"
    (run,) = [r for r in found.provenance.tools if r.tool == "measure_chest_film"]
    assert run.outcome == "failed"
    assert found.risks


def test_the_contents_of_images_are_let_go_after_the_assessment(folder: Path) -> None:
    case = case_of(folder, "film.dcm")
    assert case.images.contents
    outcome = assess_case(case, at=AT, settings=SETTINGS)
    assert outcome.case is not None
    assert outcome.case.images.contents == CaseImages().contents


def test_a_case_without_images_has_no_run_and_no_field_of_it(tmp_path: Path) -> None:
    found = assessed(case_of(tmp_path))
    assert not [r for r in found.provenance.tools if r.tool.startswith("measure_")]
    assert "imaging" not in found.to_json()


def asked(found: Assessment, question: str, language: Language) -> ChatAnswer:
    sheet = fact_sheet(found, language=language)
    return asyncio.run(answer(None, question, sheet=sheet, searcher=None, language=language))


@pytest.mark.parametrize(
    ("question", "language", "name"),
    [
        ("What is the cardiothoracic ratio?", "en", "Cardiothoracic ratio (approximate)"),
        ("What is the CTR?", "en", "Cardiothoracic ratio (approximate)"),
        ("心胸比是多少？", "zh", "心胸比（近似）"),  # noqa: RUF001
    ],
)
def test_the_chat_tells_the_measured_ratio_or_why_not(
    folder: Path, question: str, language: Language, name: str
) -> None:
    found = assessed(case_of(folder, "film.dcm"))
    value = str(values(found)["cardiothoracic-ratio"].value)
    said = asked(found, question, language)
    assert said.kind == "facts"
    assert name in said.sentences[0].text
    assert value in said.sentences[0].text
    assert said.sentences[0].evidence
    write(folder, "film.dcm", dicom(chest().grey, ViewPosition="LL"))
    refused = asked(assessed(case_of(folder, "film.dcm")), question, language)
    assert refused.kind == "facts"
    assert "LATERAL" in refused.sentences[0].text
    assert value not in refused.sentences[0].text


def test_no_film_no_ratio_in_the_chat(tmp_path: Path) -> None:
    found = assessed(case_of(tmp_path))
    assert asked(found, "What is the cardiothoracic ratio?", "en").kind == "not_in_record"
