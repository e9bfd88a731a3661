"""Which tools fit a case, as far as their contracts can be checked before anything is run.

A tool that cannot say anything about this case is not offered to the language model; it is named
with the reason, so that a look at coverage can say what datum would let it in. A tool that is run
on request alone is neither offered nor named, unless the pathway has it.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.case_summary import CaseSummary, EvidenceItem, Kind
from agent.state import State as Known
from knowledge.clinical_inputs import catalogue
from knowledge.finding import Finding, State
from knowledge.model import Frozen
from knowledge.pathways import Pathway, Step
from knowledge.rules import Answer, holds
from knowledge.scores import score_ids
from knowledge.settings import Settings
from tools.chart.answers import resolve
from tools.intake.result import CaseFiles
from tools.risk.score import with_parts
from tools.toolbox import Tool, discover

_ECG, _TROPONIN = "ecg_analysis", "serial_troponin"
_TROPONIN_INPUT = "troponin_times_limit"
_SWITCHED_OFF = "device functions are switched off"


class FittingTool(Frozen):
    """A tool that may be asked for.

    Args:
        name: As it is called.
        card: What it is for, in one line.
        kinds: Kinds of evidence it takes.
        allowed: Ids of this case it may be pointed at.
        unmet: Clinical inputs it reads that the record does not answer and no tool will.
    """

    name: str
    card: str
    kinds: tuple[Kind, ...]
    allowed: tuple[str, ...]
    unmet: tuple[str, ...] = ()


class UnfitTool(Frozen):
    """A tool that is not offered, and why.

    Args:
        name: As it is called.
        card: What it is for, in one line.
        reason: Why it cannot be used on this case.
        unlock: Clinical inputs that would let it in; empty where no answer would.
    """

    name: str
    card: str
    reason: str
    unlock: tuple[str, ...] = ()


def fitting(
    case: CaseFiles,
    summary: CaseSummary,
    pathway: Pathway,
    settings: Settings,
    *,
    findings: Mapping[str, Finding] | None = None,
) -> tuple[FittingTool, ...]:
    """Return the tools that fit, those of the pathway first and in its order.

    Args:
        case: What was read.
        summary: Its summary; the ids a call may use.
        pathway: The steps, with their conditions.
        settings: Whether device functions are on.
        findings: What is known of each clinical input by now; else what the record alone answers.
    """
    judged = _judged(case, summary, pathway, settings, findings)
    return tuple(tool for tool in judged if isinstance(tool, FittingTool))


def unfit(
    case: CaseFiles,
    summary: CaseSummary,
    pathway: Pathway,
    settings: Settings,
    *,
    findings: Mapping[str, Finding] | None = None,
) -> tuple[UnfitTool, ...]:
    """Return the tools that do not fit, each with the reason; arguments as for `fitting`."""
    judged = _judged(case, summary, pathway, settings, findings)
    return tuple(tool for tool in judged if isinstance(tool, UnfitTool))


def _judged(
    case: CaseFiles,
    summary: CaseSummary,
    pathway: Pathway,
    settings: Settings,
    findings: Mapping[str, Finding] | None,
) -> Iterator[FittingTool | UnfitTool]:
    known = resolve(case.timeline, at=summary.at).findings if findings is None else findings
    answers = Known(findings=known, named=pathway.conditions).answers()
    steps = {step.tool: step for step in pathway.steps}
    tools = discover()
    offered = {name for name, tool in tools.items() if not tool.card.on_request}
    for name in [*steps, *sorted(offered - set(steps))]:
        step, tool = steps.get(name), tools[name]
        card = _card(tool, step)
        refusal = _by_pathway(step, answers) or _by_contract(tool, summary, settings, answers)
        if refusal is not None:
            reason, unlock = refusal
            yield UnfitTool(name=name, card=card, reason=reason, unlock=unlock)
            continue
        items = _readable(tool, summary)
        unmet = [
            i for i in _inputs(tool) if not catalogue().get(i).tool and _unanswered(known.get(i))
        ]
        yield FittingTool(
            name=name,
            card=card,
            kinds=tuple(dict.fromkeys(item.kind for item in items)),
            allowed=tuple(item.id for item in items),
            unmet=tuple(unmet),
        )


def _card(tool: Tool[..., Any], step: Step | None) -> str:
    return step.why if step is not None else tool.summary


_Refusal = tuple[str, tuple[str, ...]]
"""Why a tool does not fit, and the inputs that would let it in."""


def _by_pathway(step: Step | None, answers: Mapping[str, Answer]) -> _Refusal | None:
    if step is None:
        return None
    if step.skip_when is not None and holds(step.skip_when, answers) is True:
        return step.skip_reason, ()
    if step.when is not None and holds(step.when, answers) is False:
        return "does not apply", ()
    return None


def _by_contract(
    tool: Tool[..., Any],
    summary: CaseSummary,
    settings: Settings,
    answers: Mapping[str, Answer],
) -> _Refusal | None:
    if tool.card.regulatory == "device-function" and not settings.device_functions:
        return _SWITCHED_OFF, ()
    if tool.name == _ECG:
        return None if summary.of("ecg") else ("no ECG recording in the case", ())
    if tool.name == _TROPONIN:
        return None if _readable(tool, summary) else ("no troponin result in the case", ())
    if tool.name in score_ids():
        return _by_population(tool.name, answers)
    foreign = [name for name in _parameters(tool) if name not in catalogue().inputs]
    return (f"takes {', '.join(foreign)}, which a plan cannot name", ()) if foreign else None


def _by_population(score_id: str, answers: Mapping[str, Answer]) -> _Refusal | None:
    """Return why a score is not for this patient, where that is already certain.

    A condition it requires and that nobody has answered keeps it out too: it would refuse.
    """
    for part in with_parts(score_id):
        for clause in part.population.outside_if:
            if holds(clause.when, answers) is True:
                return clause.reason, ()
        for clause in part.population.requires:
            holding = holds(clause.when, answers)
            if holding is False:
                return clause.reason, ()
            if holding is None:
                return clause.reason, tuple(dict.fromkeys(clause.when.inputs()))
    return None


def _readable(tool: Tool[..., Any], summary: CaseSummary) -> Sequence[EvidenceItem]:
    """Return the items a tool reads: recordings, samples, or answers to its inputs."""
    if tool.name == _ECG:
        return summary.of("ecg")
    if tool.name == _TROPONIN:
        return [i for i in summary.of("lab") if _TROPONIN_INPUT in i.inputs]
    wanted = set(_inputs(tool))
    usable = (item for item in summary.items if item.state is not State.NOT_ASSESSED)
    return [item for item in usable if wanted & set(item.inputs)]


def _inputs(tool: Tool[..., Any]) -> tuple[str, ...]:
    """Return the clinical inputs a tool reads, in its own order."""
    renamed = {"assay": "troponin_assay"} if tool.name == _TROPONIN else {}
    named = (renamed.get(name, name) for name in _parameters(tool))
    return tuple(name for name in named if name in catalogue().inputs)


def _parameters(tool: Tool[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(tool.function).parameters)


def _unanswered(finding: Finding | None) -> bool:
    return finding is None or finding.state is State.NOT_ASSESSED
