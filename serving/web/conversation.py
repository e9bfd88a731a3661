"""The chat as a page: a form, steps as they happen, answers with links to their evidence."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from agent.chat.answer import MOST_QUESTION
from agent.chat.question import spoken
from serving.access.errors import NotFoundError
from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission, Principal
from serving.cases.model import Case
from serving.chat.model import Step, Turn
from serving.chat.shown import shown
from serving.chat.sse import Item, Steps, event, stream
from serving.chat.store import owner_of
from serving.services import Services, ServicesDep
from serving.web.pages import environment, language_of, render

router = APIRouter(include_in_schema=False)

ChatCase = Annotated[Case, Depends(allowed_case(Permission.CHAT))]
EVENTS = "text/event-stream"


@router.get("/cases/{case_id}/chat")
def chat_page(
    request: Request,
    case: ChatCase,
    principal: PrincipalDep,
    services: ServicesDep,
    hx_request: Annotated[str | None, Header()] = None,
) -> HTMLResponse:
    """Return the conversation as a page, or alone where a script puts it into another page."""
    template = "conversation_chat.html" if hx_request else "conversation_page.html"
    return render(
        request,
        template,
        case=case,
        stored=services.cases.assessment(case.id),
        turns=_turns(services, case, principal),
        polled=True,
        longest=MOST_QUESTION,
    )


@router.get("/cases/{case_id}/chat/turns/{turn_id}")
def chat_turn(
    request: Request, case: ChatCase, turn_id: str, principal: PrincipalDep, services: ServicesDep
) -> HTMLResponse:
    """Return one question with what there is of its answer."""
    chat = services.chat
    turn = chat.store.turn(owner_of(principal), case.id, turn_id)
    if turn is None:
        raise NotFoundError("turn")
    seen = shown(turn, running=chat.is_running(turn))
    return render(request, "conversation_turn.html", case=case, turn=seen, polled=True)


@router.post("/cases/{case_id}/chat")
async def chat_ask(
    request: Request,
    case: ChatCase,
    question: Annotated[str, Form(max_length=4 * MOST_QUESTION)],
    principal: PrincipalDep,
    services: ServicesDep,
    accept: Annotated[str, Header()] = "text/html",
) -> Response:
    """Ask; stream the steps to a script, or answer a plain form with the page.

    A fragment that is streamed is made of verified sentences and of steps, each escaped.
    """
    language = spoken(question, language_of(request))
    steps = Steps()
    turn, future = await asyncio.to_thread(
        services.chat.ask,
        case,
        question,
        principal=principal,
        language=language,
        on_step=steps.tell,
    )
    if EVENTS not in accept:
        await asyncio.shield(asyncio.wrap_future(future))
        return RedirectResponse(f"/cases/{case.id}/chat#turn-{turn.number}", status_code=303)
    steps.ends_with(future)

    def say(item: Item) -> str:
        match item:
            case Step():
                return event(_fragment(request, "conversation_step.html", step=item), name="step")
            case Turn():
                return event(_of_turn(request, case, item, running=False), name="end")

    begun = event(_of_turn(request, case, turn, running=True), name="begin")
    return stream(steps, say, first=begun)


def _turns(services: Services, case: Case, principal: Principal) -> list[Any]:
    chat = services.chat
    turns = chat.store.turns(owner_of(principal), case.id)
    return [shown(one, running=chat.is_running(one)) for one in turns]


def _of_turn(request: Request, case: Case, turn: Turn, *, running: bool) -> str:
    seen = shown(turn, running=running)
    return _fragment(request, "conversation_turn.html", case=case, turn=seen, polled=False)


def _fragment(request: Request, template: str, **context: Any) -> str:
    """Return a piece of a page, with everything in it escaped as in a page."""
    found = environment(language_of(request)).get_template(template)
    return found.render(request=request, language=language_of(request), **context)
