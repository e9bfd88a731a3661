"""What is known at one point of a pathway, as answers that its conditions can read.

Keys: clinical inputs by id; ``risk.<key>`` the category of a risk (a set of categories while it is
not determined); ``points.<key>`` its points; ``verdict.<id>`` of a diagnosis;
``conflict.<input>`` where sources disagree and one claims it; ``condition.<key>`` the pathway's
named conditions; ``discharge.<key>`` what discharge rests on, and ``discharge.ready`` all of it;
``first.<input>``, ``lowest.<input>`` and ``highest.<input>`` of a number of this presentation;
``ecg.<code>`` and ``statement.<code>`` what tools state beside the inputs; and
statements about the data themselves (``ecg.recorded``, ``troponin.sampled``, ``files.failed``).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from knowledge.conflict import Conflict
from knowledge.evidence import Evidence
from knowledge.finding import Finding
from knowledge.pathways import NamedCondition, Requirement, Step
from knowledge.quantity import Interval
from knowledge.risk import NOT_DETERMINED, Risk
from knowledge.rules import Answer, Condition, answer_of, holds, points_of

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
        basis: What the answers of `extra` rest on, by their keys.
    """

    findings: Mapping[str, Finding]
    risks: Mapping[str, Risk] = field(default_factory=dict)
    extra: Mapping[str, Answer] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    named: Mapping[str, NamedCondition] = field(default_factory=dict)
    discharge: Mapping[str, Requirement] = field(default_factory=dict)
    series: Mapping[str, Finding] = field(default_factory=dict)
    basis: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)

    def with_risks(self, risks: Iterable[tuple[str, Risk]]) -> "State":
        """Return a state that knows these risks too."""
        return replace(self, risks={**self.risks, **dict(risks)})

    def with_extra(
        self,
        extra: Mapping[str, Answer],
        basis: Mapping[str, tuple[Evidence, ...]] = MappingProxyType({}),
    ) -> "State":
        """Return a state that knows these answers too, with what they rest on."""
        known = {**self.extra, **extra}
        return replace(self, extra=known, basis={**self.basis, **basis})

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

    def evidence_for(
        self, condition: Condition | None, answers: Mapping[str, Answer]
    ) -> tuple[Evidence, ...]:
        """Return the evidence behind what a condition reads.

        Args:
            condition: Of the pathway; None rests on nothing.
            answers: What is known: of alternatives that hold, only those that do are followed.
        """
        if condition is None:
            return ()
        found: dict[str, Evidence] = {}
        for name in _read(condition, answers):
            found.update({e.model_dump_json(): e for e in self._behind(name, answers)})
        return tuple(found.values())

    def _behind(self, name: str, answers: Mapping[str, Answer]) -> tuple[Evidence, ...]:
        """Return the evidence behind one name that a condition reads."""
        kind, _, key = name.partition(".")
        if kind == "condition" and key in self.named:
            return self.evidence_for(self.named[key].when, answers)
        if name == "discharge.ready":
            rows = [k for k in self.discharge if answers.get(f"discharge.{k}") is not True]
            wanted = rows if answers.get(name) is not True else list(self.discharge)
            return tuple(e for k in wanted for e in self._behind(f"discharge.{k}", answers))
        if kind == "discharge" and key in self.discharge:
            return self.evidence_for(self.discharge[key].when, answers)
        if kind in ("risk", "points") and key in self.risks:
            return self.risks[key].evidence
        finding = self.findings.get(name) or self.series.get(name)
        return finding.evidence if finding is not None else self.basis.get(name, ())


def _read(condition: Condition, answers: Mapping[str, Answer]) -> Iterator[str]:
    """Yield the names a condition reads, without the alternatives that did not decide it."""
    if condition.score is not None:
        yield points_of(condition.score)
    elif condition.input is not None:
        yield condition.input
        if condition.below is not None:
            yield condition.below.input
    elif condition.not_ is not None or condition.sure is not None:
        for part in (condition.not_, condition.sure):
            if part is not None:
                yield from _read(part, answers)
    else:
        parts = condition.all or condition.any or condition.count or ()
        met = [part for part in parts if holds(part, answers) is True]
        for part in parts if condition.all is not None or not met else met:
            yield from _read(part, answers)


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
