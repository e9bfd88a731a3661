"""Scripted models and sessions for tests of the graph."""

import re
from pathlib import Path
from typing import Any

from agent.graph.request import Budget, Observer, RunRequest, Session, no_observer
from agent.llm.fake import FakeLLM
from agent.llm.seam import LLM, ChatRequest
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from tests.agent.cases import EXAMPLES

NOW = parse_fhir("2026-11-20T12:00:00+01:00", clock="test")


ASKED = {"ecg_analysis": ["ecg-1"], "serial_troponin": ["lab-1"]}


def helpful(request: ChatRequest) -> Any:
    """Answer as a model that asks for two tools and copies the facts it is given."""
    match request.purpose:
        case "plan":
            return {"calls": _chosen(request, "calls", ASKED), "ask_user": []}
        case "coverage":
            return {"more": _chosen(request, "more", {}), "unlock": []}
        case "write" | "revise":
            return told(request)
        case _:
            raise AssertionError(request.purpose)


def _chosen(request: ChatRequest, field: str, asked: dict[str, list[str]]) -> Any:
    """Return a set of calls as the schema wants it: every tool, most of them with nothing."""
    assert request.json_schema is not None
    schema = request.json_schema["properties"][field]
    if schema["type"] == "array":
        return []
    return {tool: asked.get(tool, []) for tool in schema["required"]}


def told(request: ChatRequest) -> dict[str, str]:
    """Return the lines of facts of a write request, word for word."""
    assert request.json_schema is not None
    wanted = request.json_schema["required"]
    text = request.messages[-1].content
    found = re.findall(r"^(s\d+)(?: facts)?: (.+)$", text, flags=re.MULTILINE)
    return {key: dict(found)[key] for key in wanted}


def session(
    name: str = "nstemi",
    llm: LLM | None = None,
    *,
    observe: Observer = no_observer,
    paths: tuple[str, ...] = (),
    budget: Budget | None = None,
    sign_off: Any = "later",
) -> Session:
    """Return a session over a bundled example."""
    return Session(
        request=RunRequest(
            paths=paths or (str(EXAMPLES / name),),
            now=NOW,
            budget=budget or Budget(),
            sign_off=sign_off,
        ),
        settings=Settings(data_dir=Path("nowhere")),
        llm=llm,
        observe=observe,
    )


def fake() -> FakeLLM:
    """Return the helpful model."""
    return FakeLLM(helpful)
