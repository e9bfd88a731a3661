"""What the results of one specimen together say of it: by their flags and by results themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.codes import ANALYTE
from knowledge.evidence import Evidence
from knowledge.finding import Finding
from knowledge.interference import interferences
from knowledge.rules import Answer
from tools.labs.interference import answers_from


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """One specimen, as far as the results that were collected together tell.

    Args:
        said: The signals of the interference table they answer.
        evidence: What those answers rest on.
    """

    said: Mapping[str, Answer]
    evidence: tuple[Evidence, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Specimen":
        """Return what findings that were collected together say of their specimen."""
        held = tuple(findings)
        evidence = tuple(e for finding in held if _tells(finding) for e in finding.evidence)
        return cls(said=answers_from(held), evidence=evidence)


def _tells(finding: Finding) -> bool:
    """Return whether a finding says something about its specimen: by a flag or as a signal."""
    signals = interferences().signals.values()
    flagged = any(flag in finding.flags for signal in signals for flag in signal.flags)
    return flagged or any(s.analyte and finding.concept.has(ANALYTE, s.analyte) for s in signals)
