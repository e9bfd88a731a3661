"""The model card as a page and as JSON."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from serving.access.guard import allowed
from serving.access.principal import Permission
from serving.model_card.card import ModelCard, ToolFacts, model_card, tool_card
from serving.web.pages import render

router = APIRouter(
    prefix="/model-card",
    tags=["model card"],
    dependencies=[Depends(allowed(Permission.READ_KNOWLEDGE))],
)

Name = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,80}$")]


@router.get("", response_model=ModelCard)
def card(request: Request) -> Response | ModelCard:
    """Return the model card: a page for a browser, JSON for everything else."""
    found = model_card()
    if _wants_page(request):
        return render(request, "model_card.html", card=found)
    return found


@router.get("/tools/{name}", response_model=ToolFacts)
def card_of_tool(name: Name, request: Request) -> Response | ToolFacts:
    """Return the card of one tool: a page for a browser, JSON for everything else."""
    found = tool_card(name)
    if _wants_page(request):
        return render(request, "model_card_tool.html", tool=found)
    return found


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
