"""The functions of this product, each asked once by its own code through its own client.

What is looked at is whether a usable reply comes back, not how good it is: a reply that is valid
under the schema of the function. How good a model is, `epicrisis eval` says.
"""

from collections.abc import Awaitable, Callable

from agent.case_summary import CaseSummary, EvidenceItem
from agent.chat.draft import drafted
from agent.facts import Fact, numbered
from agent.fitting import FittingTool
from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMError
from agent.notes import read_notes
from agent.plan import plan
from agent.write import write
from knowledge.clinical_time import parse_fhir
from knowledge.evidence import NoteEvidence
from knowledge.finding import State
from knowledge.timeline import Document
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import Subject

FUNCTIONS = ("plan", "notes", "writing", "chat")
_AT = parse_fhir("2026-01-01T10:00:00Z", clock="check")
_NOTE = "58 year old man. Chest pain since 08:00, into the left arm. No diabetes. 既往高血压。"
_WHERE = NoteEvidence(file="check", document="note-1", start=0, end=len(_NOTE))
_FACTS = (
    Fact(
        key="check.troponin",
        kind="troponin_result",
        text="Troponin T was 52 ng/L at 08:15.",
        sentence=0,
    ),
    Fact(key="check.ecg", kind="ecg", text="The ECG shows sinus rhythm.", sentence=1),
)


async def plan_function(subject: Subject) -> Found:
    """Ask for a plan."""

    async def ask(llm: OpenAIChat) -> str:
        tool = FittingTool(
            name="read_ecg", card="Reads an ECG.", kinds=("ecg",), allowed=("ecg-1",)
        )
        summary = CaseSummary(
            problem="chest pain",
            at=_AT,
            items=(EvidenceItem(id="ecg-1", kind="ecg", label="ECG", state=State.PRESENT),),
            unanswered=(),
            text="Man, 58 years, chest pain for two hours. ecg-1: an ECG of 08:20, not yet read.",
        )
        made = await plan(llm, summary, (tool,), language="en", timeout_s=subject.probe.timeout_s)
        asked = ", ".join(call.tool for call in made.asked) or "no tool"
        return f"a plan in the form asked for: {asked}"

    return await _tried(subject, ask)


async def notes_function(subject: Subject) -> Found:
    """Ask for the facts of a note."""

    async def ask(llm: OpenAIChat) -> str:
        note = Document(id="note-1", title="Note", text=_NOTE, evidence=_WHERE)
        read = await read_notes(
            llm, (note,), at=_AT, language="en", timeout_s=subject.probe.timeout_s
        )
        if read.unread:
            raise LLMError("notes", read.unread[0].reason)
        return f"{len(read.facts) + len(read.dropped)} facts in the form asked for"

    return await _tried(subject, ask)


async def writing_function(subject: Subject) -> Found:
    """Ask for the sentences of a report."""

    async def ask(llm: OpenAIChat) -> str:
        sheet = numbered(_FACTS, "en")
        draft = await write(llm, sheet, language="en", timeout_s=subject.probe.timeout_s)
        return f"{len(draft.sentences)} sentences in the form asked for"

    return await _tried(subject, ask)


async def chat_function(subject: Subject) -> Found:
    """Ask for an answer in a conversation."""

    async def ask(llm: OpenAIChat) -> str:
        sheet = numbered(_FACTS, "en")
        found = await drafted(
            llm,
            "What was the troponin?",
            sheet.facts,
            sheet,
            history=(),
            language="en",
            timeout_s=subject.probe.timeout_s,
        )
        return f"{len(found.shown) + len(found.dropped)} sentences in the form asked for"

    return await _tried(subject, ask)


async def _tried(subject: Subject, ask: Callable[[OpenAIChat], Awaitable[str]]) -> Found:
    if not subject.model:
        return open_("no model was chosen")
    llm = OpenAIChat(subject.probe.where.api, subject.model, subject.api_key)
    try:
        return yes(await ask(llm))
    except LLMError as error:
        return no(error.reason, "this function then works without a model")
    finally:
        await llm.close()
