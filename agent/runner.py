"""Run the tools of a pathway in order: the policy floor.

What the pathway requires runs whether or not anybody asks for it. A tool that refuses, is switched
off or breaks leaves an explicit "not assessed" with the reason, and the next tool runs.
"""

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.assessment import ToolRun
from agent.state import NOT_ASSESSED, State
from knowledge.errors import EpicrisisError, UnavailableError
from knowledge.finding import NotAssessed, Why
from knowledge.pathways import Pathway, Step
from knowledge.risk import Risk
from knowledge.rules import holds
from tools.toolbox import Tool, discover

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Called:
    """What came of one tool call: a result, or the reason there is none."""

    result: Any = None
    problem: NotAssessed | None = None
    seconds: float = 0.0


@dataclass(kw_only=True)
class Log:
    """The runs so far, in order."""

    runs: list[ToolRun] = field(default_factory=list)

    def add(self, tool: Tool[..., Any], step: Step, called: Called, *, reason: str = "") -> None:
        """Record one call."""
        problem = called.problem
        outcome: Any = "done"
        if problem is not None:
            outcome = {
                Why.SWITCHED_OFF: "switched off",
                Why.FAILED: "failed",
            }.get(problem.why, "not assessed")
            reason = problem.detail
        elif reason:
            outcome = "not assessed"
        self.runs.append(
            ToolRun(
                tool=tool.name,
                version=tool.version,
                required=step.required,
                outcome=outcome,
                reason=reason,
                seconds=round(called.seconds, 6),
            )
        )

    def skip(self, tool: Tool[..., Any], step: Step, reason: str) -> None:
        """Record a tool that a stop rule left out."""
        self.runs.append(
            ToolRun(
                tool=tool.name,
                version=tool.version,
                required=step.required,
                outcome="skipped",
                reason=reason,
            )
        )


def call(tool: Tool[..., Any], arguments: Mapping[str, Any]) -> Called:
    """Call a tool with the arguments its signature asks for.

    Args:
        tool: The tool.
        arguments: Everything at hand, by parameter name; what the signature does not name is not
            passed.
    """
    parameters = inspect.signature(tool.function).parameters
    wanted = {name: arguments[name] for name in parameters if name in arguments}
    return guarded(tool.name, lambda: tool(**wanted))


def guarded(name: str, make: Callable[[], Any]) -> Called:
    """Return what `make` returns, or the reason it could not: the outermost handler of a call."""
    start = time.perf_counter()
    try:
        result = make()
        return Called(result=result, seconds=time.perf_counter() - start)
    except UnavailableError as error:
        problem = NotAssessed(why=Why.FAILED, detail=str(error))
    except EpicrisisError as error:
        problem = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=str(error))
    except Exception as error:
        # The outermost handler of a tool call: logged, and shown as a failure, never as a result.
        logger.exception("tool %s failed", name)
        problem = NotAssessed(why=Why.FAILED, detail=f"the tool broke ({type(error).__name__})")
    return Called(problem=problem, seconds=time.perf_counter() - start)


def run_scores(pathway: Pathway, state: State, log: Log, *, exclude: frozenset[str]) -> State:
    """Return the state after every score of the pathway, in order.

    Args:
        pathway: The steps.
        state: What the ECG, the troponin and the chart have given.
        log: Where runs are recorded.
        exclude: Steps that were run before.
    """
    tools = discover()
    for step in pathway.steps:
        if step.tool in exclude:
            continue
        tool = tools[step.tool]
        answers = state.answers()
        if step.skip_when is not None and holds(step.skip_when, answers) is True:
            log.skip(tool, step, step.skip_reason)
            risk = refused(tool, NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=step.skip_reason))
        elif step.when is not None and holds(step.when, answers) is False:
            log.skip(tool, step, "does not apply")
            continue
        else:
            called = call(tool, {**state.findings, "risks": state.risks})
            risk = called.result if called.problem is None else refused(tool, called.problem)
            log.add(tool, step, called, reason=_why_not(risk))
        state = state.with_risks([(step.tool, risk)])
    return state


def refused(tool: Tool[..., Any], problem: NotAssessed) -> Risk:
    """Return the risk of a tool that made no statement."""
    return Risk(
        name=tool.card.title,
        tool=tool.name,
        category=NOT_ASSESSED,
        not_assessed=problem,
        statement=f"{tool.card.title}: not assessed ({problem.detail}).",
    )


def _why_not(risk: Risk) -> str:
    return risk.not_assessed.detail if risk.not_assessed is not None else ""
