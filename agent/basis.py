"""What the answers beside inputs and scores rest on, by the keys that conditions read."""

from collections.abc import Iterable, Mapping, Sequence

from agent.ecg_step import EcgRun, ecg_basis
from agent.episode import Episode
from knowledge.conflict import Conflict
from knowledge.evidence import Evidence
from knowledge.finding import Finding
from knowledge.risk import Risk
from tools.labs.troponin_levels import STATEMENT

Basis = dict[str, tuple[Evidence, ...]]

_WAITING = ("troponin.waiting", "troponin.next-due", "troponin.decided")
_SAMPLES = ("troponin.sampled", "troponin.fresh", "troponin.flagged-high")
_UNREAD = ("chart.not-understood", "chart.unread")


def basis(
    ecgs: Sequence[EcgRun],
    seen: Episode,
    *,
    risks: Mapping[str, Risk],
    said: Iterable[Finding],
    conflicts: Iterable[Conflict],
) -> Basis:
    """Return what the answers rest on; one that rests on nothing of the record is left out.

    Args:
        ecgs: The recordings with their reports.
        seen: Samples of this presentation, and what of its chart was not understood.
        risks: The troponin rules.
        said: What the troponin tool states beside them.
        conflicts: Disagreements of every sort.
    """
    found: Basis = ecg_basis(ecgs)
    for conflict in conflicts:
        if conflict.input is not None:
            key = f"conflict.{conflict.input}"
            found[key] = (*found.get(key, ()), *(e for s in conflict.sides for e in s.evidence))
    found.update(dict.fromkeys(_SAMPLES, _of(seen.samples)))
    found.update(dict.fromkeys(_UNREAD, _of(seen.not_understood.critical)))
    found.update(dict.fromkeys(_WAITING, tuple(_of_rules(risks.values()))))
    for finding in said:
        for coding in finding.concept.codings:
            if coding.system == STATEMENT:
                found[f"statement.{coding.code}"] = finding.evidence
    return {key: evidence for key, evidence in found.items() if evidence}


def _of(findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(e for finding in findings for e in finding.evidence))


def _of_rules(risks: Iterable[Risk]) -> Iterable[Evidence]:
    """Return what the rules rest on that still wait for a sample; of all where none does."""
    every = tuple(risks)
    waiting = [risk for risk in every if risk.next_due is not None]
    return dict.fromkeys(e for risk in waiting or every for e in risk.evidence)
