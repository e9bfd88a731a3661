"""The agent never ends with less than the pathway, whatever the model does."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.assess import assess_case
from agent.assessment import Assessment
from agent.graph.checkpoints import open_checkpoints
from agent.graph.events import Event, EventType
from agent.graph.request import Budget, Session
from agent.graph.run import AgentOutcome, events_of, resume_run, start_run
from agent.llm.errors import LLMDownError, LLMTimeoutError
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatRequest
from knowledge.errors import InvalidValueError
from knowledge.settings import Settings
from tests.agent.cases import EXAMPLES
from tests.agent.graph.scripts import NOW, fake, helpful, session
from tests.agent.graph.scripts import told as told_lines
from tools.intake.folder import read_case


def run(made: Session, told: list[Event] | None = None) -> AgentOutcome:
    async def work() -> AgentOutcome:
        async with open_checkpoints("memory") as checkpoints:
            return await start_run(
                made, checkpoints, on_event=None if told is None else told.append
            )

    return asyncio.run(work())


def pathway_alone(name: str) -> Assessment:
    made = session(name)
    case = read_case([EXAMPLES / name], at=None, now=NOW, settings=made.settings)
    return assess_case(case, at=case.at or NOW, settings=made.settings).assessment


def same_result(one: Assessment, other: Assessment) -> None:
    assert one.provenance.result_sha256 == other.provenance.result_sha256
    assert one.risks == other.risks
    assert one.recommendations == other.recommendations
    assert one.narrative.headline == other.narrative.headline


def down(request: ChatRequest) -> Any:
    return LLMDownError("model", "refused the connection")


def fails_at(purpose: str) -> Callable[[ChatRequest], Any]:
    def answer(request: ChatRequest) -> Any:
        return LLMTimeoutError("model", "slow") if request.purpose == purpose else helpful(request)

    return answer


@pytest.mark.parametrize("name", ["stemi", "nstemi", "early_presenter", "half_missing"])
def test_without_a_model_the_result_is_the_pathways(name: str) -> None:
    done = run(session(name)).outcome.assessment
    same_result(done, pathway_alone(name))
    assert done.agent is not None
    assert done.agent.mode == "without language model"
    assert done.agent.reason
    assert done.narrative.author == "templates"


def test_with_a_model_the_words_change_and_no_number_does() -> None:
    done = run(session(llm=fake())).outcome.assessment
    same_result(done, pathway_alone("nstemi"))
    assert done.agent is not None
    assert done.agent.mode == "with language model"
    assert done.agent.writing.survived == done.agent.writing.written > 0
    assert "fake" in done.narrative.author


def test_what_the_model_did_not_ask_for_ran_and_is_named() -> None:
    agent = run(session(llm=fake())).outcome.assessment.agent
    assert agent is not None
    assert {call.tool for call in agent.plan.asked} == {"ecg_analysis", "serial_troponin"}
    assert set(agent.plan.added_by_floor) == {"heart", "grace_in_hospital", "add_rs", "wells_pe"}


@pytest.mark.parametrize("purpose", ["plan", "write"])
def test_a_model_that_fails_leaves_the_pathways_answer_with_the_reason(purpose: str) -> None:
    told: list[Event] = []
    done = run(session(llm=FakeLLM(fails_at(purpose))), told).outcome.assessment
    same_result(done, pathway_alone("nstemi"))
    assert done.agent is not None
    assert (done.agent.mode, purpose in done.agent.reason) == ("degraded", True)
    assert done.narrative == pathway_alone("nstemi").narrative
    assert EventType.DEGRADED in {event.type for event in told}


def test_a_model_that_is_gone_before_it_can_revise_leaves_the_templates_with_the_reason() -> None:
    def answer(request: ChatRequest) -> Any:
        if request.purpose == "revise":
            return LLMDownError("model", "refused the connection")
        if request.purpose == "write":
            return {**told_lines(request), "s1": "Low risk, discharge."}
        return helpful(request)

    done = run(session(llm=FakeLLM(answer))).outcome.assessment
    assert done.agent is not None
    assert done.agent.mode == "degraded"
    assert "revise: model: refused the connection" in done.agent.reason
    assert done.narrative == pathway_alone("nstemi").narrative


def test_a_model_that_is_down_is_asked_once() -> None:
    model = FakeLLM(down)
    run(session(llm=model))
    assert len(model.requests) == 1


def test_every_call_has_the_time_of_the_settings(tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLES / "nstemi", tmp_path / "case")
    (folder / "note.txt").write_text("Chest pain for two hours.", "utf-8")
    with (folder / "case.yaml").open("a", encoding="utf-8") as file:
        file.write("attach:\n  - {file: note.txt, patient: same}\n")
    llm = FakeLLM(lambda asked: {"facts": []} if asked.purpose == "notes" else helpful(asked))
    made = session(llm=llm, paths=(str(folder),))
    run(replace(made, settings=Settings(llm_timeout_s=77)))
    times = {request.purpose: request.timeout_s for request in llm.requests}
    assert set(times) >= {"notes", "plan", "coverage", "write"}
    assert set(times.values()) == {77}


def test_a_model_over_its_budget_is_not_asked_again() -> None:
    model = fake()
    done = run(session(llm=model, budget=Budget(llm_calls=1))).outcome.assessment
    assert len(model.requests) == 1
    assert done.agent is not None
    assert "spent" in done.agent.reason
    same_result(done, pathway_alone("nstemi"))


def test_a_lie_is_not_shown() -> None:
    def liar(request: ChatRequest) -> Any:
        if request.purpose in ("write", "revise"):
            return dict.fromkeys(told_lines(request), "Low risk, discharge: hs-cTnT 3 ng/L.")
        return helpful(request)

    done = run(session(llm=FakeLLM(liar))).outcome.assessment
    shown = " ".join(sentence.text for sentence in done.narrative.sentences)
    assert "discharge" not in shown.lower()
    assert done.agent is not None
    assert done.agent.writing.survived == 0
    assert len(done.agent.writing.dropped) == done.agent.writing.written > 0
    assert done.narrative.sentences == pathway_alone("nstemi").narrative.sentences


def test_red_flags_come_before_the_first_call_to_the_model() -> None:
    told: list[Event] = []

    def answer(request: ChatRequest) -> Any:
        assert EventType.TRIAGE in [event.type for event in told]
        return helpful(request)

    done = run(session("stemi", FakeLLM(answer)), told).outcome.assessment
    assert done.agent is not None
    assert any("Primary PCI" in flag for flag in done.agent.red_flags)
    assert done.agent.mode == "with language model"


def test_every_tool_call_is_made_once() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    run(session(llm=fake(), observe=lambda what, name: seen.update([(what, name)])))
    tools = {name: n for (what, name), n in seen.items() if what == "tool"}
    # The troponin rules are read once for the marker GRACE needs, and once with GRACE's points.
    assert tools.pop("serial_troponin") == 2
    assert set(tools.values()) == {1}


def test_two_patients_are_refused_before_anything_runs(tmp_path: Any) -> None:
    for name in ("stemi", "nstemi"):
        (tmp_path / f"{name}.json").write_bytes((EXAMPLES / name / "chart.json").read_bytes())
    model = fake()
    done = run(session(llm=model, paths=(str(tmp_path),))).outcome
    assert done.assessment.status.value == "refused"
    assert model.requests == []


def test_a_run_waits_for_the_clinician_and_goes_on_when_signed() -> None:
    async def work() -> tuple[AgentOutcome, AgentOutcome]:
        async with open_checkpoints("memory") as checkpoints:
            made = session(llm=fake(), sign_off="wait")
            waiting = await start_run(made, checkpoints, run="r")
            assert waiting.waiting is not None
            answer = {
                "signed_by": "Dr A",
                "decision": "sign",
                "time": "2026-11-20T12:05+01:00",
                "shown_sha256": waiting.waiting["shown_sha256"],
            }
            # The clinician signs on a machine that has no model: the words stay.
            return waiting, await resume_run(session(), checkpoints, run="r", answer=answer)

    waiting, signed = asyncio.run(work())
    assert waiting.waiting is not None
    assert waiting.outcome.assessment.agent is not None
    assert waiting.outcome.assessment.agent.signed == ""
    assert signed.waiting is None
    assert signed.outcome.assessment.narrative == waiting.outcome.assessment.narrative
    record = signed.outcome.assessment.agent
    assert record is not None
    assert record.signed.startswith("signed by Dr A at 2026-11-20T12:05+01:00")
    assert record.shown_sha256 == waiting.waiting["shown_sha256"]
    assert (record.mode, record.model) == ("with language model", "fake (fake)")


def test_a_signature_under_other_words_is_refused() -> None:
    async def work() -> None:
        async with open_checkpoints("memory") as checkpoints:
            made = session(sign_off="wait")
            await start_run(made, checkpoints, run="r")
            answer = {"signed_by": "Dr A", "decision": "sign", "shown_sha256": "0" * 64}
            await resume_run(made, checkpoints, run="r", answer=answer)

    with pytest.raises(InvalidValueError, match="other words"):
        asyncio.run(work())


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("chart.json", b"43", b"13", id="another troponin"),
        pytest.param("case.yaml", b"case:", b"# more\ncase:", id="one more line"),
    ],
)
def test_a_run_is_not_resumed_over_other_files(
    tmp_path: Path, file: str, old: bytes, new: bytes
) -> None:
    folder = tmp_path / "case"
    shutil.copytree(EXAMPLES / "nstemi", folder)

    async def work() -> None:
        async with open_checkpoints("memory") as checkpoints:
            made = session(llm=fake(), sign_off="wait", paths=(str(folder),))
            await start_run(made, checkpoints, run="r")
            before = (folder / file).read_bytes()
            assert old in before
            (folder / file).write_bytes(before.replace(old, new))
            answer = {"signed_by": "Dr A", "decision": "sign"}
            await resume_run(session(llm=fake()), checkpoints, run="r", answer=answer)

    with pytest.raises(InvalidValueError, match="not those of the run"):
        asyncio.run(work())


def test_a_signature_without_a_person_is_refused() -> None:
    async def work() -> None:
        async with open_checkpoints("memory") as checkpoints:
            made = session(sign_off="wait")
            await start_run(made, checkpoints, run="r")
            await resume_run(made, checkpoints, run="r", answer={"decision": "sign"})

    with pytest.raises(InvalidValueError, match="names no person"):
        asyncio.run(work())


def test_an_id_is_used_once_and_an_unknown_run_is_not_resumed() -> None:
    async def twice() -> None:
        async with open_checkpoints("memory") as checkpoints:
            await start_run(session(), checkpoints, run="r")
            await start_run(session(), checkpoints, run="r")

    async def unknown() -> None:
        async with open_checkpoints("memory") as checkpoints:
            await resume_run(session(), checkpoints, run="other")

    with pytest.raises(InvalidValueError, match="exists already"):
        asyncio.run(twice())
    with pytest.raises(InvalidValueError, match="not known here"):
        asyncio.run(unknown())


def test_events_come_in_order_and_the_outcome_last() -> None:
    async def work() -> list[Event | AgentOutcome]:
        async with open_checkpoints("memory") as checkpoints:
            return [item async for item in events_of(session(llm=fake()), checkpoints)]

    items = asyncio.run(work())
    events = [item for item in items if isinstance(item, Event)]
    assert [event.sequence for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[0] is EventType.RUN_STARTED
    assert kinds[-1] is EventType.FINISHED
    assert isinstance(items[-1], AgentOutcome)


def test_a_cancelled_run_says_so_and_stops() -> None:
    told: list[Event] = []

    async def work() -> None:
        class Hanging(FakeLLM):
            async def chat(self, request: ChatRequest) -> Any:
                await asyncio.sleep(60)

        async with open_checkpoints("memory") as checkpoints:
            made = session(llm=Hanging(helpful))
            task = asyncio.create_task(start_run(made, checkpoints, on_event=told.append))
            while EventType.TRIAGE not in [event.type for event in told]:
                await asyncio.sleep(0.01)
            task.cancel()
            await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())
    assert told[-1].type is EventType.CANCELLED


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"signed_by": "   ", "decision": "sign"}, id="blank name"),
        pytest.param({"signed_by": "\u200b", "decision": "sign"}, id="invisible name"),
        pytest.param({"signed_by": "Dr A", "decision": "maybe"}, id="no decision"),
        pytest.param({"signed_by": "Dr A", "decision": "sign", "time": "noon"}, id="no time"),
        pytest.param(
            {"signed_by": "Dr A", "decision": "sign", "time": "2026-11-20T12:05"}, id="no zone"
        ),
    ],
)
def test_a_signature_needs_a_person_a_decision_and_a_real_time(answer: dict[str, str]) -> None:
    async def work() -> None:
        async with open_checkpoints("memory") as checkpoints:
            made = session(sign_off="wait")
            await start_run(made, checkpoints, run="r")
            await resume_run(made, checkpoints, run="r", answer=answer)

    with pytest.raises(InvalidValueError):
        asyncio.run(work())


def test_a_second_decision_is_refused_and_not_dropped_without_a_word() -> None:
    async def work() -> None:
        async with open_checkpoints("memory") as checkpoints:
            made = session(sign_off="wait")
            await start_run(made, checkpoints, run="r")
            answer = {"signed_by": "Dr A", "decision": "reject"}
            await resume_run(made, checkpoints, run="r", answer=answer)
            answer = {"signed_by": "Dr B", "decision": "sign"}
            await resume_run(made, checkpoints, run="r", answer=answer)

    with pytest.raises(InvalidValueError, match="waits for no decision"):
        asyncio.run(work())


def test_two_patients_never_share_a_run(tmp_path: Any) -> None:
    async def work() -> tuple[AgentOutcome | BaseException, AgentOutcome | BaseException]:
        async with open_checkpoints(str(tmp_path / "runs.sqlite")) as checkpoints:
            return await asyncio.gather(
                start_run(session("nstemi", fake()), checkpoints, run="same"),
                start_run(session("stemi", fake()), checkpoints, run="same"),
                return_exceptions=True,
            )

    first, second = asyncio.run(work())
    assert isinstance(first, AgentOutcome)
    assert first.outcome.assessment.case == "example-nstemi"
    assert "ST-elevation myocardial" not in first.outcome.assessment.narrative.headline
    assert isinstance(second, InvalidValueError)
