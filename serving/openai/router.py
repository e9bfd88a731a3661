"""``/v1/chat/completions`` and ``/v1/models`` as OpenAI's clients call them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.responses import Response

from serving.access.guard import PrincipalDep, allowed, authorize_case
from serving.access.principal import Permission, Principal
from serving.chat.model import Step, Turn, TurnState
from serving.chat.sse import Item, Steps, stream
from serving.openai.errors import OpenAIRoute, shaped
from serving.openai.protocol import MODEL, Completion, CompletionRequest, ModelList, ModelOut
from serving.openai.request import asked_of
from serving.openai.service import DONE, Chunks, base_address, completion
from serving.services import ServicesDep

router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAIRoute)
_EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}


@router.post("/chat/completions", response_model=Completion, responses={200: {"content": _EVENTS}})
async def chat_completions(
    request: CompletionRequest,
    principal: PrincipalDep,
    services: ServicesDep,
    x_epicrisis_case: Annotated[str | None, Header(max_length=200)] = None,
) -> Response | Completion:
    """Ask about one case, in OpenAI's protocol.

    The case is named by the model `epicrisis/<case id>`, by `metadata.case` or by the header
    `X-Epicrisis-Case`. Only verified sentences are sent; their evidence comes as footnotes and in
    the field `epicrisis`. What is not supported is refused by name.
    """
    asked = asked_of(request, header=x_epicrisis_case)
    case = await asyncio.to_thread(authorize_case, services, principal, Permission.CHAT, asked.case)
    steps = Steps()
    turn, future = await asyncio.to_thread(
        services.chat.ask,
        case,
        asked.question,
        principal=principal,
        language=asked.language,
        history=asked.history,
        on_step=steps.tell,
    )
    base = base_address(services.settings)
    if not request.stream:
        ended = await asyncio.shield(asyncio.wrap_future(future))
        if ended.state is not TurnState.ANSWERED:
            return shaped(503, ended.problem)
        return completion(ended, request.model, asked, base=base)
    options = request.stream_options
    with_usage = options is not None and options.include_usage
    chunks = Chunks(turn, request.model, asked, base=base, with_usage=with_usage)
    steps.ends_with(future)

    def say(item: Item) -> str:
        match item:
            case Step():
                return chunks.step(item)
            case Turn():
                return chunks.end(item)

    return stream(steps, say, first=chunks.first(), last=DONE)


@router.get("/models")
def models(
    principal: Annotated[Principal, Depends(allowed(Permission.CHAT))], services: ServicesDep
) -> ModelList:
    """Return the agent once for each case that you may ask about, newest first."""
    cases = [
        case
        for case in services.cases.list(patient=principal.patient)
        if principal.may(Permission.CHAT, patient=case.patient)
    ]
    services.audit.listed(principal, "chat.models", cases=cases)
    return ModelList(
        data=tuple(
            ModelOut(
                id=f"{MODEL}/{case.id}",
                created=int(case.created_at.timestamp()),
                name=f"Epicrisis: {case.label}",
            )
            for case in cases
        )
    )
