"""What the agent did around the pathway: asked, ran, looked up, wrote, dropped.

It stands beside the assessment and changes none of its numbers: the risks, the verdicts and the
recommendations are the pathway's, with or without a language model.
"""

from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from knowledge.finding import Finding
from knowledge.model import Frozen
from knowledge.passages import Passage
from knowledge.risk import Risk

Mode = Literal["with language model", "degraded", "without language model"]


class AskedCall(Frozen):
    """A tool the model asked for, with the evidence it named."""

    tool: str
    evidence: tuple[str, ...] = ()


class RefusedAsk(Frozen):
    """A call of the model that was not made, with the reason."""

    tool: str
    reason: str


class PlanRecord(Frozen):
    """What the model asked for, and what the pathway required anyway.

    Args:
        asked: Calls that passed the guards.
        refused: Calls that did not.
        required: What the pathway requires for this case.
        added_by_floor: Required and not asked for: it ran all the same.
        beyond: Asked for and not part of the pathway.
    """

    asked: tuple[AskedCall, ...] = ()
    refused: tuple[RefusedAsk, ...] = ()
    required: tuple[str, ...] = ()
    added_by_floor: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()


class Unlock(Frozen):
    """A tool that fits and was not run, or ran without a result, and what would unlock it."""

    tool: str
    datum: str
    label: str = ""
    by: Literal["pathway", "language model"] = "pathway"


class CoverageRecord(Frozen):
    """The look back: which fitting tool is unused, and what datum would unlock it."""

    unused: tuple[str, ...] = ()
    more: tuple[AskedCall, ...] = ()
    unlock: tuple[Unlock, ...] = ()


class NoteFactRecord(Frozen):
    """A fact read from free text by the model; unconfirmed, and never in a score by itself.

    Args:
        input: Clinical input it would answer.
        finding: With the span of the note.
        standing: How it stands to the record.
        quote: The words of the note, as far as they are shown.
    """

    input: str
    finding: Finding
    standing: Literal["agrees", "conflicts", "would fill"]
    quote: str = ""


class NoteRecord(Frozen):
    """What was read from notes.

    Args:
        facts: Kept, each with its span.
        dropped: Why others were dropped, each once.
        changes: Risks as they would be with the facts that would fill an input; the assessment's
            own risks do not use them.
    """

    facts: tuple[NoteFactRecord, ...] = ()
    dropped: tuple[str, ...] = ()
    changes: tuple[Risk, ...] = ()


class WritingRecord(Frozen):
    """How the model's sentences fared.

    Args:
        written: Sentences of the first draft.
        survived_first: Of these, verified as written.
        revised: Rewritten after a failure.
        survived: Shown in the end.
        dropped: Not shown, one reason for each; their text is only in the journal.
    """

    written: NonNegativeInt = 0
    survived_first: NonNegativeInt = 0
    revised: NonNegativeInt = 0
    survived: NonNegativeInt = 0
    dropped: tuple[str, ...] = ()


class ModelUse(Frozen):
    """What the model cost.

    Args:
        calls: To the model, answered or not.
        prompt_tokens, completion_tokens: As the server counts.
        seconds: Wall time of the calls.
    """

    calls: NonNegativeInt = 0
    prompt_tokens: NonNegativeInt = 0
    completion_tokens: NonNegativeInt = 0
    seconds: NonNegativeFloat = 0.0


class AgentRecord(Frozen):
    """What the agent did in one run.

    Args:
        run: Id of the run: resumes it.
        mode: Whether the model was used to the end.
        reason: Why it was not.
        language: Of the words.
        model: Name of the model, and the server's kind.
        model_sha256: Of the weights, where we started the server.
        model_notices: What must be known of the models that answered: that another one went on,
            and why.
        prompts: Ids of the prompts used, with their hashes.
        index_sha256: Of the guideline index; empty where there was none.
        search: How the search worked, or why there was none.
        red_flags: Texts of what triage found, before any call to the model.
        plan, coverage, notes, writing: The steps.
        extra: Results of tools beyond the pathway.
        passages: Guideline passages found for this case.
        use: What the model cost.
        exchanges_sha256: Hash of all recorded calls to the model: with them the run replays.
        answers: What was entered to questions of this case and used, and what was not used.
        shown_sha256: Hash of the narrative together with the deterministic result: what a signature
            is about. `Provenance.result_sha256` is of the deterministic result alone, the same with
            and without a model.
        signed: Who signed what and when; empty while nobody has.
    """

    run: str
    mode: Mode
    reason: str = ""
    language: str
    model: str = ""
    model_sha256: str | None = None
    model_notices: tuple[str, ...] = Field(default=(), exclude_if=lambda found: not found)
    prompts: tuple[str, ...] = ()
    index_sha256: str = ""
    search: str = ""
    red_flags: tuple[str, ...] = ()
    plan: PlanRecord = PlanRecord()
    coverage: CoverageRecord = CoverageRecord()
    notes: NoteRecord = NoteRecord()
    extra: tuple[Risk, ...] = ()
    passages: tuple[Passage, ...] = ()
    writing: WritingRecord = WritingRecord()
    use: ModelUse = ModelUse()
    exchanges_sha256: str = ""
    answers: tuple[str, ...] = ()
    shown_sha256: str = ""
    signed: str = ""
