"""Which tools the language model asks for, by itself and with the floor under it."""

from collections.abc import Mapping
from pathlib import Path

from agent.graph.request import Budget
from evals.case import Case
from evals.patients import prepared
from evals.scoring import Count, Measured, Metric, System
from evals.systems import ask_plan, run_agent, run_asked, run_rules, view_of
from evals.task import Bench, Task
from evals.tasks.tool_routing.systems import opened, plan_by_router

_RAN = ("done", "not assessed")
"""Outcomes of a tool that was run; a stop rule gives ``skipped``, with its reason."""


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    folder = prepared(case.given, bench.folder)
    if system in ("llm-alone", "router"):
        return await _alone(case, system, folder, bench)
    if system == "tools-without-floor":
        _, assessment = await run_asked(folder, bench, case.language)
    elif system == "rules":
        assessment = run_rules([folder], bench)
    else:
        # One call: the plan. Its words are not under test here.
        budget = Budget(llm_calls=1)
        done = await run_agent(folder, bench=bench, language=case.language, budget=budget)
        assessment = done.outcome.assessment
    ran = {
        one.tool: one.outcome
        for one in assessment.provenance.tools
        if "did not ask" not in one.reason
    }
    required = list(case.expected["required"])
    stopped = set(case.expected["stopped_by_ecg"])
    settled = [ran.get(t) in _RAN or (t in stopped and ran.get(t) == "skipped") for t in required]
    notes = tuple(f"{t}: not run" for t, ok in zip(required, settled, strict=True) if not ok)
    return Measured(counts={"ran": Count.of_all(settled)}, notes=notes)


async def _alone(case: Case, system: System, folder: Path, bench: Bench) -> Measured:
    if system == "router":
        view, _ = view_of(folder, bench, case.language)
        made = await plan_by_router(view)
    else:
        made, view, _ = await ask_plan(folder, bench, case.language)
    required = set(case.expected["required"])
    allowed = required | set(case.expected["allowed"])
    asked = set(made.tools)
    calls = [r for r in made.refused if r.tool != "ask_user"]
    invented = [r for r in calls if r.reason.startswith("not in the case")]
    outside = [r for r in calls if r not in invented and r.reason != "already asked for"]
    wrong = sorted(asked - allowed)
    tried = len(made.asked) + len(calls)
    exact = required <= asked and not wrong and not invented and not outside
    offered = {tool.name for tool in view.fitting}
    notes = [f"not asked for: {', '.join(sorted(required - asked))}"] if required - asked else []
    notes += [f"asked for without a use: {', '.join(wrong)}"] if wrong else []
    notes += [f"refused {r.tool}: {r.reason}" for r in calls]
    return Measured(
        counts={
            "asked": Count.of_all(tool in asked for tool in sorted(required)),
            "exact": Count.of_all([exact]),
            "outside": Count(hits=len(outside), of=tried),
            "invented": Count(hits=len(invented), of=tried),
            "needless": Count(hits=len(wrong), of=max(len(asked), 1)),
            "offered": Count.of_all(tool in offered for tool in sorted(required)),
        },
        notes=tuple(notes),
    )


def _owed(case: Case, system: System) -> Mapping[str, float]:
    required = float(len(case.expected["required"]))
    alone = system in ("llm-alone", "router")
    return {"asked": required, "exact": 1.0} if alone else {"ran": required}


TASK = Task(
    name="tool_selection",
    title="Which of the tools that a case needs does the model ask for, and which run?",
    metrics=(
        Metric(id="asked", title="required tools asked for by the model alone"),
        Metric(id="exact", title="plans with every required tool and none without a use"),
        Metric(
            id="ran",
            title="required tools run, or stopped by a stated rule",
            must=1.0,
            must_for=("agent", "rules"),
        ),
        Metric(id="outside", title="calls outside a contract", better="lower"),
        Metric(id="invented", title="calls with an invented id", better="lower"),
        Metric(id="needless", title="tools asked for without a use", better="lower"),
        Metric(id="offered", title="required tools that the model was offered"),
    ),
    systems=("llm-alone", "agent", "tools-without-floor", "rules", "router"),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    around=opened,
)
