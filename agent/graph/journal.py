"""What a run has paid for, kept the moment it is there: tool results and the model's replies.

A checkpoint is written after a step; the journal is written after every call. So a process that is
killed between the two loses nothing, runs no finished tool again and asks the model nothing twice.
"""

from collections.abc import AsyncIterator

from langgraph.store.base import BaseStore

from agent.ledger import Entry
from agent.llm.errors import LLMError
from agent.llm.seam import LLM, ChatReply, ChatRequest, Exchange, ModelIdentity

_PAGE = 200


class Journal:
    """The journal of one run, in a LangGraph store.

    Args:
        store: In memory, SQLite or PostgreSQL.
        run: Id of the run.
    """

    def __init__(self, store: BaseStore, run: str) -> None:
        self._store = store
        self._tools = ("epicrisis", run, "tools")
        self._llm = ("epicrisis", run, "llm")

    async def tool_calls(self) -> tuple[Entry, ...]:
        """Return every tool call made so far, by key."""
        found = [Entry.model_validate(value) async for value in self._all(self._tools)]
        return tuple(sorted(found, key=lambda entry: entry.key))

    async def add_tool_call(self, entry: Entry) -> None:
        """Keep one tool call."""
        await self._store.aput(self._tools, entry.key, entry.model_dump(mode="json"))

    async def exchanges(self) -> tuple[Exchange, ...]:
        """Return every call to the model made so far, by key."""
        found = [Exchange.model_validate(value) async for value in self._all(self._llm)]
        return tuple(sorted(found, key=lambda exchange: exchange.key))

    async def pinned_model(self) -> str:
        """Return the model that answered last, where replies name theirs; else an empty text.

        After a change every reply carries a notice, and one after a second change a longer one.
        """
        named = [e for e in await self.exchanges() if e.reply is not None and e.model is not None]
        last = max(named, key=lambda e: len(e.reply.notice) if e.reply else 0, default=None)
        return last.model.name if last is not None and last.model is not None else ""

    async def exchange(self, key: str) -> Exchange | None:
        """Return the recorded call of a request; None where it was not made."""
        item = await self._store.aget(self._llm, key)
        return None if item is None else Exchange.model_validate(item.value)

    async def add_exchange(self, exchange: Exchange) -> None:
        """Keep one call to the model."""
        await self._store.aput(self._llm, exchange.key, exchange.model_dump(mode="json"))

    async def forget(self) -> None:
        """Delete everything kept of this run."""
        for namespace in (self._tools, self._llm):
            while page := await self._store.asearch(namespace, limit=_PAGE):
                for item in page:
                    await self._store.adelete(namespace, item.key)

    async def _all(self, namespace: tuple[str, ...]) -> AsyncIterator[dict[str, object]]:
        offset = 0
        while page := await self._store.asearch(namespace, limit=_PAGE, offset=offset):
            for item in page:
                yield item.value
            offset += len(page)


class JournaledLLM:
    """A model whose replies and failures are kept, and looked up before it is asked again."""

    def __init__(self, inner: LLM, journal: Journal) -> None:
        self._inner = inner
        self._journal = journal

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._inner.identity

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the recorded reply of an equal request, else ask and record.

        Raises:
            LLMError: The model failed now; a recorded failure is not repeated but asked again.
        """
        known = await self._journal.exchange(request.key)
        if known is not None and known.reply is not None:
            return known.reply
        asked = Exchange(
            key=request.key,
            purpose=request.purpose,
            prompt=request.prompt,
            model=self._inner.identity,
        )
        try:
            reply = await self._inner.chat(request)
        except LLMError as error:
            text = f"{type(error).__name__}: {error}"
            await self._journal.add_exchange(asked.model_copy(update={"error": text}))
            raise
        # Where several models could have answered, the one that really did is recorded.
        update = {"reply": reply, "model": reply.model or asked.model}
        await self._journal.add_exchange(asked.model_copy(update=update))
        return reply

    def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the text as it comes; streamed text is not recorded."""
        return self._inner.stream(request)

    async def count_tokens(self, text: str) -> int:
        """Return the tokens of a text."""
        return await self._inner.count_tokens(text)

    async def close(self) -> None:
        """Release the connections."""
        await self._inner.close()
