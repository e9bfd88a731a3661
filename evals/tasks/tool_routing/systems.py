"""Who is asked for the tools of a request: router, retrieval, words alone, a larger model.

All of them pass the same guards (`agent.router_planner.settle`); the answer before the guards is
kept beside it, so that what code repaired is not taken for the model's merit.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agent.graph.view import View
from agent.llm.errors import LLMDownError
from agent.llm.seam import LLM, ChatRequest, Message
from agent.plan import Plan
from agent.router_planner.compact import (
    ASK,
    NONE,
    Reply,
    prompt_text,
    read_reply,
    reply_schema,
    route_request,
)
from agent.router_planner.evidence import RouterItem, readable
from agent.router_planner.planner import Router, router_plan
from agent.router_planner.shortlist import ToolIndex
from agent.router_planner.weights import router_llm
from evals.scoring import System
from evals.tasks.tool_routing.phrases import PhraseIndex
from knowledge.errors import UnavailableError
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.minilm import MiniLm
from knowledge.retrieval.opening import encoder
from knowledge.settings import Settings
from tools.toolbox import discover

_LARGE_TOKENS = 160
_PROMPT = Path(__file__).parent / "prompt.md"


@dataclass
class Opened:
    """What the trials of one run share.

    Args:
        index: Over the cards of all tools and what they are asked for, as the router has it.
        cards: Over the cards alone.
        encoder: MiniLM; None where it is not here.
        router: The router's model; None where it cannot be had.
        no_router: Why.
    """

    index: ToolIndex
    cards: ToolIndex
    encoder: MiniLm | None = None
    router: LLM | None = None
    no_router: str = ""

    @cached_property
    def phrases(self) -> PhraseIndex:
        """The index of phrases."""
        return PhraseIndex(self.encoder)


_OPENED: list[Opened] = []


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[None]:
    """Hold index and router while the trials of a run last."""
    found = _encoder(settings)
    held = Opened(index=ToolIndex(found), cards=ToolIndex(found, requests=False), encoder=found)
    try:
        async with router_llm(settings) as llm:
            held.router = llm
            _OPENED.append(held)
            yield
    except UnavailableError as error:
        if held.router is not None:
            raise
        held.no_router = str(error)
        _OPENED.append(held)
        yield
    finally:
        _OPENED.clear()


def here() -> Opened:
    """Return what the run holds."""
    return _OPENED[-1]


def _encoder(settings: Settings) -> MiniLm | None:
    try:
        found = encoder(settings)
    except EncoderUnavailableError:
        return None
    return found if isinstance(found, MiniLm) else None


async def by_router(request: str, items: Sequence[RouterItem], names: Sequence[str]) -> Reply:
    """Return the router's reply.

    Raises:
        LLMError: There is no router, or its reply cannot be used.
    """
    held = here()
    if held.router is None:
        raise LLMDownError("router", held.no_router, "")
    reply = await held.router.chat(route_request(request, items, names))
    return read_reply(reply.data)


async def plan_by_router(view: View) -> Plan:
    """Return the router's plan of a whole case.

    Raises:
        LLMError: There is no router, or its reply cannot be used.
    """
    held = here()
    if held.router is None:
        raise LLMDownError("router", held.no_router, "")
    return await router_plan(
        Router(llm=held.router, index=held.index),
        held.router,
        view.summary,
        view.fitting,
        language=view.language,
        unfit=view.unfit,
    )


def by_nearest(
    request: str, items: Sequence[RouterItem], names: Sequence[str], system: System
) -> tuple[Reply, tuple[str, ...]]:
    """Return the nearest tool as a reply, and the first three.

    A request that is near to nothing is one for no tool: below MiniLM's stated limit, without a
    word in common, or both for both rankings together.

    Args:
        request: As typed.
        items: The case.
        names: Both rankings fused, as the router is offered them.
        system: Whose ranking.
    """
    index = here().cards if system in ("nearest-card", "nearest-words") else here().index
    meaning = [n.tool for n in index.by_meaning(request) if (n.cosine or 0) >= MiniLm.min_cosine]
    words = [n.tool for n in index.by_words(request)]
    both = list(names) if meaning or words else []
    near = {"nearest-card": meaning, "nearest-words": words}.get(system, both)[:3]
    if not near:
        return Reply(none=True), ()
    ids = tuple(item.id for item in readable(near[0], items))
    return Reply(calls={near[0]: ids}), tuple(near)


async def by_large(
    llm: LLM, request: str, items: Sequence[RouterItem], names: Sequence[str], timeout_s: float
) -> Reply:
    """Return the reply of the configured model, which is shown the same tools with their titles.

    Raises:
        LLMError: It gave nothing that can be used.
    """
    lines = "\n".join(f"- {name}: {discover()[name].card.title}" for name in names)
    rules = _PROMPT.read_text("utf-8").format(tools=lines, ask=ASK, none=NONE)
    asked = ChatRequest(
        purpose="route",
        prompt="tool_routing",
        messages=(
            Message(role="system", content=rules),
            Message(role="user", content=prompt_text(request, items)),
        ),
        json_schema=reply_schema(names, [item.id for item in items]),
        max_tokens=_LARGE_TOKENS,
        timeout_s=timeout_s,
    )
    return read_reply((await llm.chat(asked)).data)
