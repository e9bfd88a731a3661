"""The plan by the router: retrieval narrows the tools, the model names them, code guards the rest.

It takes the place of the large model in the node `plan` alone. What the pathway requires runs
whatever it says, and every call passes the same guards as any model's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.calls import guard_calls
from agent.case_summary import CaseSummary
from agent.fitting import FittingTool, UnfitTool
from agent.llm.seam import LLM
from agent.plan import Plan, guard_questions
from agent.router_planner.compact import MAX_ITEMS, read_reply, route_request
from agent.router_planner.evidence import RouterItem
from agent.router_planner.settle import Routed, settle
from agent.router_planner.shortlist import TAKEN_OF_A_CASE, ToolIndex
from knowledge.finding import State
from knowledge.passages import Language

_WORK_UP = {"en": "Work-up: {}", "zh": "检查评估: {}"}
"""What is asked of the router for a whole case; it was trained on this wording too."""

_TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Router:
    """The small model and the index of tools around it.

    Args:
        llm: The model.
        index: Finds the tools that a request may be about.
    """

    llm: LLM
    index: ToolIndex

    async def route(
        self,
        request: str,
        items: Sequence[RouterItem],
        *,
        among: Sequence[str] | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Routed:
        """Return what a request about a case comes to.

        Args:
            request: As typed.
            items: The case.
            among: Tools that may be called; None for all.
            timeout_s: Most seconds.

        Raises:
            LLMError: The model gave nothing that can be used.
        """
        offered = self.index.shortlist(request, among=among)
        asked = route_request(request, items, offered, timeout_s=timeout_s)
        reply = await self.llm.chat(asked)
        return settle(read_reply(reply.data), request, items, offered)


async def router_plan(
    router: Router,
    llm: LLM,
    summary: CaseSummary,
    tools: Sequence[FittingTool],
    *,
    language: Language,
    unfit: Sequence[UnfitTool] = (),
    timeout_s: float = _TIMEOUT_S,
) -> Plan:
    """Return what the router asks for, in one call.

    Args:
        router: Its index narrows the tools.
        llm: Its model, as this run keeps the replies of models.
        summary: The case.
        tools: What may be asked for.
        language: Of the request.
        unfit: Tools that do not fit, so that a call of one is refused with the reason.
        timeout_s: Most seconds.

    Raises:
        LLMError: The model gave nothing that can be used.
    """
    if not tools:
        return Plan()
    text = _WORK_UP[language].format(summary.problem)
    offered = router.index.shortlist(
        text, among=[tool.name for tool in tools], count=TAKEN_OF_A_CASE
    )
    request = route_request(text, plan_items(summary, tools), offered, timeout_s=timeout_s)
    reply = read_reply((await llm.chat(request)).data)
    allowed = {tool.name: tool.allowed for tool in tools}
    guarded = guard_calls(
        {tool: _pointed(ids, allowed.get(tool, ()), summary) for tool, ids in reply.calls.items()},
        summary,
        tools,
        unfit=unfit,
    )
    unmet = {tool.name: tool.unmet for tool in tools}
    unlock = {tool.name: tool.unlock for tool in unfit}
    wanted = [key for tool in reply.ask for key in unmet.get(tool, unlock.get(tool, ()))]
    asked, refused = guard_questions(list(dict.fromkeys(wanted)), summary)
    return Plan(
        asked=guarded.asked,
        refused=guarded.refused + refused,
        ask_user=asked,
        exchange_key=request.key,
    )


def _pointed(ids: Sequence[str], allowed: Sequence[str], summary: CaseSummary) -> list[str]:
    """Return the ids of a call without items of the case that its tool does not read.

    The model is small and names items beside those; the card knows better. An id that is not in the
    case stays, so that the call is refused, and so does a call of which nothing would be left.
    """
    kept = [one for one in ids if one in allowed or one not in summary.ids]
    return kept or list(ids)


def plan_items(summary: CaseSummary, tools: Sequence[FittingTool]) -> tuple[RouterItem, ...]:
    """Return the items that the tools may be pointed at, those that more tools read first.

    Recordings and results come before everything else: without them no tool of theirs can run.
    """
    readers = {
        item.id: sum(item.id in tool.allowed for tool in tools)
        for item in summary.items
        if item.state is not State.NOT_ASSESSED
    }
    kept = [item for item in summary.items if readers.get(item.id)]
    kept.sort(key=lambda item: (item.kind not in ("ecg", "lab"), -readers[item.id]))
    return tuple(RouterItem(id=item.id, label=item.label) for item in kept[:MAX_ITEMS])
