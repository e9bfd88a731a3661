"""Run the tools of a pathway in order: the policy floor.

What the pathway requires runs whether or not anybody asks for it. A tool that refuses, is switched
off or breaks leaves an explicit "not assessed" with the reason, and the next tool runs.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.assessment import ToolRun
from agent.called import Called, guarded
from agent.complaint import is_started
from agent.ledger import Ledger
from agent.outputs import named
from agent.state import NOT_ASSESSED, State
from knowledge.finding import NotAssessed, Why
from knowledge.pathways import Pathway, Step
from knowledge.risk import Risk
from knowledge.rules import holds
from tools.toolbox import Tool, discover


@dataclass(kw_only=True)
class Log:
    """The runs so far, in order.

    Args:
        runs: One for each tool of the pathway.
        ledger: Where calls are looked up or collected; None makes each call at once.
    """

    runs: list[ToolRun] = field(default_factory=list)
    ledger: Ledger | None = None

    def call(self, tool: Tool[..., Any], arguments: Mapping[str, Any]) -> Called:
        """Call a tool with the arguments its signature asks for, by way of the ledger.

        Args:
            tool: The tool.
            arguments: Everything at hand, by parameter name; what the signature does not name is
                not passed.
        """
        parameters = inspect.signature(tool.function).parameters
        wanted = {name: arguments[name] for name in parameters if name in arguments}
        if self.ledger is not None:
            return self.ledger.call(tool, wanted)
        return guarded(tool.name, lambda: tool(**wanted))

    def settle(self) -> None:
        """Go on only where no call is waited for.

        Raises:
            Waiting: Calls are to be made first.
        """
        if self.ledger is not None:
            self.ledger.settle()

    def add(self, tool: Tool[..., Any], step: Step, called: Called, *, reason: str = "") -> None:
        """Record one call of a step of the pathway."""
        self.note(tool, called, required=step.required, reason=reason)

    def note(
        self, tool: Tool[..., Any], called: Called, *, required: bool = False, reason: str = ""
    ) -> None:
        """Record one call.

        Args:
            tool: Which was called.
            called: What came of it.
            required: Whether the pathway requires it.
            reason: Why it says nothing, where it does not.
        """
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
                required=required,
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


def run_scores(pathway: Pathway, state: State, log: Log, *, exclude: frozenset[str]) -> State:
    """Return the state after every score of the pathway, in order.

    Without a stated complaint none is run; each can be asked for by name.

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
        if not is_started(state):
            log.skip(tool, step, pathway.not_started.reason)
            continue
        if _reads_risks(step, tool, pathway):
            log.settle()
        answers = state.answers()
        if step.skip_when is not None and holds(step.skip_when, answers) is True:
            log.skip(tool, step, step.skip_reason)
            risk = refused(tool, NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=step.skip_reason))
        elif step.when is not None and holds(step.when, answers) is False:
            log.skip(tool, step, "does not apply")
            continue
        else:
            called = log.call(tool, {**state.inputs_for(step), "risks": state.risks})
            risk = called.result if called.problem is None else refused(tool, called.problem)
            log.add(tool, step, called, reason=_why_not(risk))
        state = state.with_risks([(step.tool, named(tool, risk))])
    log.settle()
    return state


def _reads_risks(step: Step, tool: Tool[..., Any], pathway: Pathway) -> bool:
    """Return whether a step depends on what earlier scores gave."""
    if "risks" in inspect.signature(tool.function).parameters:
        return True
    names = [c.inputs() for c in (step.skip_when, step.when) if c is not None]
    return any(_is_a_score(name, pathway) for group in names for name in group)


def _is_a_score(name: str, pathway: Pathway) -> bool:
    """Return whether an answer's name is of a score, or of a condition that reads one."""
    kind, _, key = name.partition(".")
    if kind == "condition":
        return any(_is_a_score(read, pathway) for read in pathway.conditions[key].when.inputs())
    return kind in ("risk", "points") and key not in pathway.troponin_order


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
