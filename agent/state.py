"""What is known at one point of a pathway, as answers that its conditions can read.

Keys: clinical inputs by id; ``risk.<key>`` the category of a risk (a set of categories while it is
not determined); ``points.<key>`` its points; ``verdict.<id>`` of a diagnosis;
``conflict.<input>`` where sources disagree and one claims it; ``condition.<key>`` the pathway's
named conditions; ``discharge.<key>`` what discharge rests on, and ``discharge.ready`` all of it;
``first.<input>``, ``lowest.<input>`` and ``highest.<input>`` of a number of this presentation;
``ecg.<code>`` and ``statement.<code>`` what tools state beside the inputs; and
statements about the data themselves (``ecg.recorded``, ``troponin.sampled``, ``files.failed``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from knowledge.conflict import Conflict
from knowledge.evidence import Evidence
from knowledge.finding import Finding
from knowledge.pathways import NamedCondition, Requirement, Step
from knowledge.quantity import Interval
from knowledge.risk import NOT_DETERMINED, Risk
from knowledge.rules import Answer, Condition, answer_of, holds

NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, kw_only=True)
class State:
    """The knowledge of one assessment so far.

    Args:
        findings: Clinical-input id to its finding.
        risks: Risks by key, in the order they were computed.
        extra: Answers that are neither inputs nor risks.
        conflicts: Disagreements between sources.
        named: The pathway's named conditions, in order.
        discharge: What must be known to hold before discharge can be considered.
        series: First, lowest and highest values of this presentation.
    """

    findings: Mapping[str, Finding]
    risks: Mapping[str, Risk] = field(default_factory=dict)
    extra: Mapping[str, Answer] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    named: Mapping[str, NamedCondition] = field(default_factory=dict)
    discharge: Mapping[str, Requirement] = field(default_factory=dict)
    series: Mapping[str, Finding] = field(default_factory=dict)

    def with_risks(self, risks: Iterable[tuple[str, Risk]]) -> "State":
        """Return a state that knows these risks too."""
        return replace(self, risks={**self.risks, **dict(risks)})

    def with_extra(self, extra: Mapping[str, Answer]) -> "State":
        """Return a state that knows these answers too."""
        return replace(self, extra={**self.extra, **extra})

    def answers(self) -> dict[str, Answer]:
        """Return everything that a condition of the pathway can read."""
        sources = {**self.findings, **self.series}
        known: dict[str, Answer] = {k: answer_of(f) for k, f in sources.items()}
        for key, risk in self.risks.items():
            known[f"risk.{key}"] = _category(risk)
            known[f"points.{key}"] = _points(risk)
        known.update(self.extra)
        for key, row in self.named.items():
            known[f"condition.{key}"] = holds(row.when, known)
        met = {key: holds(row.when, known) for key, row in self.discharge.items()}
        known.update({f"discharge.{key}": truth for key, truth in met.items()})
        known["discharge.ready"] = _together(met.values())
        return known

    def inputs_for(self, step: Step) -> dict[str, Finding]:
        """Return the clinical inputs for one tool, some of them from the whole presentation."""
        read = {to: self.series[key] for to, key in step.reads.items() if key in self.series}
        return {**self.findings, **read}

    def evidence_for(self, condition: Condition | None) -> tuple[Evidence, ...]:
        """Return the evidence behind every input and risk a condition reads."""
        if condition is None:
            return ()
        found: dict[str, Evidence] = {}
        for name in condition.inputs():
            kind, _, key = name.partition(".")
            if kind == "condition" and key in self.named:
                sources = self.evidence_for(self.named[key].when)
            elif name in self.findings:
                sources = self.findings[name].evidence
            elif name in self.series:
                sources = self.series[name].evidence
            elif kind in ("risk", "points") and key in self.risks:
                sources = self.risks[key].evidence
            else:
                continue
            found.update({e.model_dump_json(): e for e in sources})
        return tuple(found.values())


def _together(truths: Iterable[bool | None]) -> bool | None:
    """Return whether all hold; False where one does not, None where one is not known."""
    found = set(truths)
    return False if False in found or not found else None if None in found else True


def _category(risk: Risk) -> Answer:
    if risk.category == NOT_ASSESSED:
        return None
    if risk.category == NOT_DETERMINED:
        return frozenset(band.name for band in risk.bands)
    return risk.category


def _points(risk: Risk) -> Answer:
    if risk.value is not None:
        return Interval.exact(risk.value)
    if risk.range is not None:
        return Interval(low=risk.range[0], high=risk.range[1])
    return None
