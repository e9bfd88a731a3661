"""The language model and the index as they are used, each use told as a step."""

from collections.abc import AsyncIterator, Callable

from agent.llm.errors import LLMError
from agent.llm.seam import LLM, ChatReply, ChatRequest, ModelIdentity, Usage
from knowledge.errors import UnavailableError
from knowledge.passages import Filter, Hit, Passage, Searcher
from knowledge.plain_text import visible
from serving.chat.model import Step, StepKind

Tell = Callable[[Step], None]
_REASON = 300


class ObservedLLM:
    """A model whose calls are told; what it writes is not.

    Args:
        llm: The model.
        tell: Told that it writes, and that it failed.

    Attributes:
        failed: How it failed, where it did.
        usage: Tokens of its reply.
        model: Which model really answered; None before it did.
        notice: What must be said of that.
    """

    def __init__(self, llm: LLM, tell: Tell) -> None:
        self._llm = llm
        self._tell = tell
        self.failed: LLMError | None = None
        self.usage = Usage()
        self.model: ModelIdentity | None = None
        self.notice = ""

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._llm.identity

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply.

        Raises:
            LLMError: As the model raises it.
        """
        name = visible(self.identity.name)
        self._tell(Step(kind=StepKind.WRITING, data={"model": name}))
        try:
            reply = await self._llm.chat(request)
        except LLMError as error:
            self.failed = error
            reason = visible(str(error))[:_REASON]
            self._tell(Step(kind=StepKind.MODEL_FAILED, data={"model": name, "reason": reason}))
            raise
        self.usage = reply.usage
        self.model = reply.model or self.identity
        self.notice = visible(reply.notice)
        return reply

    def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the text of the reply; an answer of the chat never uses it."""
        return self._llm.stream(request)

    async def count_tokens(self, text: str) -> int:
        """Return the tokens of a text."""
        return await self._llm.count_tokens(text)

    async def close(self) -> None:
        """Leave the model open: it belongs to who opened it."""


class ObservedSearcher:
    """An index whose searches are told.

    Args:
        searcher: The index.
        tell: Told what was found, or why nothing could be.
    """

    def __init__(self, searcher: Searcher, tell: Tell) -> None:
        self._searcher = searcher
        self._tell = tell

    @property
    def sha256(self) -> str:
        """Hash of the build."""
        return self._searcher.sha256

    def search(self, query: str, *, k: int = 5, only: Filter | None = None) -> tuple[Hit, ...]:
        """Return the best passages, best first.

        Raises:
            UnavailableError: The index cannot be used.
        """
        self._tell(Step(kind=StepKind.SEARCHING))
        try:
            hits = self._searcher.search(query, k=k, only=only)
        except UnavailableError as error:
            reason = visible(str(error))[:_REASON]
            self._tell(Step(kind=StepKind.SEARCHED, data={"reason": reason}))
            raise
        self._tell(Step(kind=StepKind.SEARCHED, data={"found": len(hits)}))
        return hits

    def passage(self, passage_id: str) -> Passage:
        """Return one passage by its id."""
        return self._searcher.passage(passage_id)
