"""Answer a question about a case: steps told as they happen, the answer kept before it is shown."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from threading import Lock

from agent.assessment import Assessment, Status
from agent.chat.answer import MOST_QUESTION, ChatAnswer, answer
from agent.chat.asked import Asked, asked_of
from agent.facts import FactSheet
from agent.llm.errors import LLMDownError
from agent.llm.pool.caller import Caller, asked_by
from agent.llm.seam import Usage
from knowledge.cards import card_passages
from knowledge.errors import EpicrisisError, InvalidValueError, UnavailableError
from knowledge.passages import Language, Searcher
from knowledge.reference import Citation
from serving.access.errors import TooManyError
from serving.access.principal import Principal
from serving.cases.model import Case
from serving.chat.model import Said, Step, StepKind, Turn, TurnState
from serving.chat.observed import ObservedLLM, ObservedSearcher
from serving.chat.store import ConversationStore, owner_of
from serving.chat.worker import OpenLLM, Worker
from serving.llm.gateway.callers import caller_for, urgency_of
from serving.services import Services

logger = logging.getLogger(__name__)

OnStep = Callable[[Step], None]
MOST_AT_ONCE = 8
"""Answers made at the same time in one process: a small model serves them one after the other."""
_RETRY_S = 5
_NO_MODEL = "no language model is configured"


def no_steps(step: Step) -> None:
    """Tell nobody."""


class ChatService:
    """Questions and answers of every user.

    Args:
        services: Of the application.
        open_llm: Opens the language model; the configured one where None.
    """

    def __init__(self, services: Services, *, open_llm: OpenLLM | None = None) -> None:
        from agent.llm.choice import llm_from

        self._services = services
        self.store = ConversationStore(services.database, clock=services.clock)
        self._worker = Worker(services.settings, open_llm or llm_from)
        self._running: set[tuple[str, str]] = set()
        self._guard = Lock()

    def ask(
        self,
        case: Case,
        question: str,
        *,
        principal: Principal,
        language: Language,
        history: Sequence[str] | None = None,
        on_step: OnStep = no_steps,
    ) -> "tuple[Turn, Future[Turn]]":
        """Keep a question and begin its answer; return the question and what will be its end.

        The answer goes on and is kept where nobody waits for it any more.

        Args:
            case: The case; whoever asks was let through to it.
            question: As typed: data, never an instruction.
            principal: Who asks.
            language: Of the answer.
            history: Earlier questions, oldest first; those of the kept conversation where None.
            on_step: Told every step, in another thread.

        Raises:
            InvalidValueError: There is no question, or it is too long.
            TooManyError: This user has an answer running on this case, or there are too many.
            UnavailableError: It cannot be kept.
        """
        asked = question.strip()
        if not asked or len(asked) > MOST_QUESTION:
            raise InvalidValueError(
                "question",
                "is empty" if not asked else f"is over {MOST_QUESTION} characters",
                "ask one thing in a sentence",
            )
        owner = owner_of(principal)
        self._enter(owner, case.id)
        try:
            turn = self.store.begin(owner, case.id, asked, language)
            work = self._answer(case, turn, principal, history, on_step)
            future = self._worker.submit(work)
        except BaseException:
            self._leave(owner, case.id)
            raise
        return turn, future

    def is_running(self, turn: Turn) -> bool:
        """Return whether this process is making the answer of a question that has none yet."""
        with self._guard:
            return turn.state is TurnState.ASKED and (turn.owner, turn.case) in self._running

    def close(self) -> None:
        """Stop; questions that are being answered stay `asked`, and can be asked again."""
        self._worker.close()

    def _enter(self, owner: str, case: str) -> None:
        with self._guard:
            if (owner, case) in self._running:
                raise TooManyError(
                    "question",
                    "an answer of yours on this case is being made",
                    retry_after_s=_RETRY_S,
                )
            if len(self._running) >= MOST_AT_ONCE:
                raise TooManyError(
                    "questions", f"{MOST_AT_ONCE} answers are being made", retry_after_s=_RETRY_S
                )
            self._running.add((owner, case))

    def _leave(self, owner: str, case: str) -> None:
        with self._guard:
            self._running.discard((owner, case))

    async def _answer(
        self,
        case: Case,
        turn: Turn,
        principal: Principal,
        history: Sequence[str] | None,
        on_step: OnStep,
    ) -> Turn:
        """Make and keep the answer; whatever goes wrong ends as a kept reason, never as silence."""
        steps: list[Step] = []

        def tell(step: Step) -> None:
            steps.append(step)
            on_step(step)

        try:
            try:
                said = await self._said(case, turn, history, tell)
                said = said.model_copy(update={"steps": tuple(steps)})
                return await asyncio.to_thread(self._keep, case, turn, principal, said)
            except EpicrisisError as error:
                logger.warning("chat: no answer (%s)", type(error).__name__)
                return await asyncio.to_thread(self.store.failed, turn.id, str(error))
            except Exception as error:
                # The outermost handler of an answer: logged, and kept as the reason.
                logger.exception("chat: an answer broke")
                reason = f"a mistake of ours ({type(error).__name__}); nothing is shown"
                return await asyncio.to_thread(self.store.failed, turn.id, reason)
        finally:
            self._leave(turn.owner, turn.case)

    def _keep(self, case: Case, turn: Turn, principal: Principal, said: Said) -> Turn:
        kept = self.store.answered(turn.id, said)
        detail = {
            "turn": turn.id,
            "kind": said.answer.kind,
            "author": said.answer.author,
            "result_sha256": said.result_sha256,
        }
        self._services.audit.used(principal, "chat.answered", case=case, detail=detail)
        return kept

    async def _said(
        self, case: Case, turn: Turn, history: Sequence[str] | None, tell: OnStep
    ) -> Said:
        tell(Step(kind=StepKind.READING))
        assessment, sheet, scores = await asyncio.to_thread(self._read, case, turn)
        tell(Step(kind=StepKind.FACTS, data={"facts": len(sheet.facts)}))
        if assessment.status is Status.REFUSED:
            refused = ChatAnswer(kind="refused", refused=assessment.reason)
            return _with_sources(refused, assessment, None, Usage())
        said, llm = await self._from_facts(case, turn, sheet, history, tell)
        said = said.model_copy(update={"scores": scores})
        _tell_end(said, tell)
        index, _ = await asyncio.to_thread(lambda: self._services.index)
        kept = _with_sources(said, assessment, index, Usage() if llm is None else llm.usage)
        return kept if llm is None else kept.model_copy(update={"model": llm.model})

    def _caller(self, case: Case, turn: Turn) -> Caller:
        """Return who asks the model: a user's talk about a case keeps the model it began with."""
        earlier = self.store.turns(turn.owner, turn.case, last=4)
        models = [said.model.name for one in earlier if (said := one.said) and said.model]
        return caller_for(
            case,
            conversation=f"chat {turn.owner} {turn.case}",
            urgency=urgency_of(self._services, case),
            pinned=models[-1] if models else "",
        )

    def _read(self, case: Case, turn: Turn) -> Asked:
        """Return the assessment with the scores that the question names, and its facts."""
        from serving.cases.service import CaseService

        outcome = CaseService(self._services).outcome(case)
        return asked_of(outcome, turn.question, language=turn.language)

    async def _from_facts(
        self,
        case: Case,
        turn: Turn,
        sheet: FactSheet,
        history: Sequence[str] | None,
        tell: OnStep,
    ) -> tuple[ChatAnswer, ObservedLLM | None]:
        choice = await self._worker.model()
        index, no_index = await asyncio.to_thread(lambda: self._services.index)
        if history is None:
            kept = await asyncio.to_thread(self.store.turns, turn.owner, turn.case, last=4)
            history = [one.question for one in kept if one.number < turn.number]
        llm = None
        if choice.llm is not None:
            caller = await asyncio.to_thread(self._caller, case, turn)
            llm = ObservedLLM(asked_by(choice.llm, caller), tell)
        said = await answer(
            llm,
            turn.question,
            sheet=sheet,
            searcher=None if index is None else ObservedSearcher(index, tell),
            history=history,
            language=turn.language,
            timeout_s=self._services.settings.llm_timeout_s,
        )
        if llm is not None and isinstance(llm.failed, LLMDownError):
            await self._worker.forget_model()
        if said.kind == "facts" and llm is None and choice.reason:
            said = said.model_copy(update={"without_llm": f"{_NO_MODEL}: {choice.reason}"})
        if said.kind == "guideline" and index is None and no_index:
            said = said.model_copy(update={"notes": (*said.notes, no_index)})
        if llm is not None and llm.notice:
            said = said.model_copy(update={"notes": (*said.notes, llm.notice)})
        return said, llm


def _tell_end(said: ChatAnswer, tell: OnStep) -> None:
    if said.author != "facts" or said.dropped:
        shown = len(said.sentences) if said.author != "facts" else 0
        written = shown + len(said.dropped)
        tell(Step(kind=StepKind.VERIFIED, data={"shown": shown, "written": written}))
    if said.author == "facts" and said.sentences:
        tell(Step(kind=StepKind.FROM_FACTS, data={"sentences": len(said.sentences)}))


def _with_sources(
    said: ChatAnswer, assessment: Assessment, index: Searcher | None, usage: Usage
) -> Said:
    """Return an answer with the citations its sentences name, and the files it rests on."""
    wanted = {key for sentence in said.sentences for key in sentence.citations}
    known = {c.id: c for c in _cited(said, index)} | {c.id: c for c in assessment.citations}
    made_by = assessment.provenance
    return Said(
        answer=said,
        citations=tuple(known[key] for key in sorted(wanted) if key in known),
        files={one.file: one.sha256 for one in assessment.inputs if one.sha256},
        at=made_by.at.at,
        inputs_sha256=made_by.inputs_sha256,
        result_sha256=made_by.result_sha256,
        time_zone=assessment.time_zone,
        usage=usage,
    )


def _cited(said: ChatAnswer, index: Searcher | None) -> Iterator[Citation]:
    """Yield the sources of the guideline passages that an answer shows."""
    cards = {p.id: p.citation for p in card_passages()}
    for key in said.labels:
        if key in cards:
            yield cards[key]
        elif index is not None:
            try:
                yield index.passage(key).citation
            except (InvalidValueError, UnavailableError):
                logger.warning("chat: a passage has no source in the index any more")
