"""The conversation of a user about a case, as JSON and as a stream of steps."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.responses import Response

from serving.access.errors import NotFoundError
from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission
from serving.cases.model import Case
from serving.chat.model import Step, Turn
from serving.chat.protocol import AskRequest, Conversation, TurnOut
from serving.chat.shown import shown
from serving.chat.sse import Item, Steps, event, stream
from serving.chat.store import owner_of
from serving.services import ServicesDep

router = APIRouter(prefix="/v1/cases/{case_id}/conversation", tags=["chat"])

ChatCase = Annotated[Case, Depends(allowed_case(Permission.CHAT))]
EVENTS = "text/event-stream"


@router.get("")
def conversation(case: ChatCase, principal: PrincipalDep, services: ServicesDep) -> Conversation:
    """Return what you asked about this case, oldest first; nobody else's questions."""
    chat = services.chat
    turns = chat.store.turns(owner_of(principal), case.id)
    return Conversation(
        case=case.id, turns=tuple(shown(one, running=chat.is_running(one)) for one in turns)
    )


@router.get("/{turn_id}")
def one_turn(
    case: ChatCase, turn_id: str, principal: PrincipalDep, services: ServicesDep
) -> TurnOut:
    """Return one of your questions with its answer."""
    turn = services.chat.store.turn(owner_of(principal), case.id, turn_id)
    if turn is None:
        raise NotFoundError("turn")
    return shown(turn, running=services.chat.is_running(turn))


@router.post(
    "",
    response_model=TurnOut,
    responses={200: {"content": {EVENTS: {"schema": {"type": "string"}}}}},
)
async def ask(
    case: ChatCase,
    asked: AskRequest,
    principal: PrincipalDep,
    services: ServicesDep,
    accept: Annotated[str, Header()] = "application/json",
) -> Response | TurnOut:
    """Ask about this case.

    With `Accept: text/event-stream` the steps come as `event: step` while they happen and the turn
    as `event: turn`; only verified sentences are in it. Else the turn is returned when it is there.
    An order or a treatment is answered with guideline statements and never carried out.
    """
    steps = Steps()
    turn, future = await asyncio.to_thread(
        services.chat.ask,
        case,
        asked.question,
        principal=principal,
        language=asked.language,
        on_step=steps.tell,
    )
    if EVENTS not in accept:
        return shown(await asyncio.shield(asyncio.wrap_future(future)))
    steps.ends_with(future)
    begun = event(shown(turn, running=True).model_dump_json(), name="turn")
    return stream(steps, _as_event, first=begun)


def _as_event(item: Item) -> str:
    match item:
        case Step():
            return event(item.model_dump_json(), name="step")
        case Turn():
            return event(shown(item).model_dump_json(), name="turn")
