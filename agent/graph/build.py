"""The graph: intake, triage, plan, act, coverage, retrieve, assess, write, verify, sign-off."""

from typing import Any

from langgraph.graph import END, START, StateGraph

from agent.graph.checkpoints import Checkpoints
from agent.graph.conclude import assess, retrieve, sign_off
from agent.graph.gather import act, after_act, find_red_flags, intake, run_tool
from agent.graph.state import Context, RunState
from agent.graph.think import look_back, plan_calls, read_notes
from agent.graph.words import degrade, revise_draft, verify_draft, write_draft


def build(checkpoints: Checkpoints) -> Any:
    """Return the compiled graph over a database of runs."""
    graph = StateGraph(RunState, context_schema=Context)
    graph.add_node("intake", intake)
    graph.add_node("triage", find_red_flags)
    graph.add_node("notes", read_notes)
    graph.add_node("plan", plan_calls)
    graph.add_node("act", act)
    graph.add_node("tool", run_tool)
    graph.add_node("coverage", look_back)
    graph.add_node("retrieve", retrieve)
    graph.add_node("assess", assess)
    graph.add_node("write", write_draft)
    graph.add_node("verify", verify_draft)
    graph.add_node("revise", revise_draft)
    graph.add_node("degrade", degrade)
    graph.add_node("sign_off", sign_off)
    graph.add_edge(START, "intake")
    graph.add_conditional_edges("intake", _refused, {"refused": END, "read": "triage"})
    graph.add_edge("triage", "notes")
    graph.add_edge("notes", "plan")
    graph.add_edge("plan", "act")
    graph.add_conditional_edges("act", after_act, ["tool", "coverage", "retrieve"])
    graph.add_edge("tool", "act")
    graph.add_edge("coverage", "act")
    graph.add_edge("retrieve", "assess")
    graph.add_edge("assess", "write")
    graph.add_conditional_edges("write", _written, {"draft": "verify", "none": "degrade"})
    graph.add_conditional_edges("verify", _verified, {"again": "revise", "done": "sign_off"})
    graph.add_edge("revise", "verify")
    graph.add_edge("degrade", "sign_off")
    graph.add_edge("sign_off", END)
    return graph.compile(checkpointer=checkpoints.saver, store=checkpoints.store)


def _refused(state: RunState) -> str:
    return "refused" if "assessment" in state else "read"


def _written(state: RunState) -> str:
    return "draft" if state.get("draft") else "none"


def _verified(state: RunState) -> str:
    return "again" if state["checked"].get("again") else "done"
