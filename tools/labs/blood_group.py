"""ABO and RhD over time: one person has one group; two are a mix-up until shown otherwise.

For checking records only: never for choosing blood, which needs its own samples and crossmatch.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import LOINC
from knowledge.conflict import Conflict, Side
from knowledge.evidence import Evidence
from knowledge.finding import Finding, Why
from knowledge.laboratory_report import BloodGroupWords, report_table
from knowledge.model import Frozen

Part = Literal["ABO", "RhD"]
Consistency = Literal["consistent", "conflicting", "one result", "not assessed"]


class GroupResult(Frozen):
    """One blood group as it was reported.

    Args:
        part: ABO or RhD.
        group: The group; None where the answer was not understood.
        printed: The answer as the source gave it.
        time: When the specimen was collected.
        evidence: Where it comes from.
    """

    part: Part
    group: str | None = None
    printed: str
    time: ClinicalTime | None = None
    evidence: tuple[Evidence, ...] = ()


class BloodGroup(Frozen):
    """The blood group of a patient over time.

    Args:
        abo, rh: The one group that every understood result gives; None where they differ, none
            was understood, or the other part differs: the samples may be of two people.
        abo_consistency, rh_consistency: Whether the results agree.
        results: Every result, oldest first.
        conflicts: Results that differ.
        notice: How it may be used.
    """

    abo: str | None = None
    rh: str | None = None
    abo_consistency: Consistency
    rh_consistency: Consistency
    results: tuple[GroupResult, ...]
    conflicts: tuple[Conflict, ...] = ()
    notice: str = "A check of the record only; blood is chosen by current samples and crossmatch."


def blood_group(findings: Sequence[Finding], *, time_zone: str | None = None) -> BloodGroup | None:
    """Return the blood group over time; None where no finding is one.

    Args:
        findings: Laboratory findings, oldest first.
        time_zone: IANA zone that times are told in.
    """
    results = tuple(part for finding in findings for part in _parts(finding))
    if not results:
        return None
    abo, abo_consistency, abo_conflict = _agreed(results, "ABO", time_zone)
    rh, rh_consistency, rh_conflict = _agreed(results, "RhD", time_zone)
    conflicts = (*abo_conflict, *rh_conflict)
    return BloodGroup(
        abo=None if conflicts else abo,
        rh=None if conflicts else rh,
        abo_consistency=abo_consistency,
        rh_consistency=rh_consistency,
        results=results,
        conflicts=conflicts,
    )


def _agreed(
    results: Sequence[GroupResult], part: Part, time_zone: str | None
) -> tuple[str | None, Consistency, tuple[Conflict, ...]]:
    held = [result for result in results if result.part == part]
    groups = dict.fromkeys(result.group for result in held if result.group is not None)
    if not groups:
        return None, "not assessed", ()
    if len(groups) > 1:
        return None, "conflicting", (_conflict(held, part, time_zone),)
    unread = any(result.group is None for result in held)
    known: Consistency = "one result" if len(held) == 1 else "consistent"
    return next(iter(groups)), "not assessed" if unread else known, ()


def _conflict(held: Sequence[GroupResult], part: Part, time_zone: str | None) -> Conflict:
    return Conflict(
        what=f"Blood group {part}",
        sides=tuple(
            Side(
                who="undated result"
                if result.time is None
                else f"result of {result.time.show(time_zone)}",
                says=result.printed,
                evidence=result.evidence,
            )
            for result in held
        ),
        consequence="The samples or the records may be of two people: no group is stated. "
        "Identify the patient and repeat the group from a new sample.",
    )


def _parts(finding: Finding) -> Iterator[GroupResult]:
    words = report_table().blood_group
    states = {
        words.loinc[coding.code]
        for coding in finding.concept.codings
        if coding.system == LOINC and coding.code in words.loinc
    }
    reason = finding.not_assessed
    if not states or (reason is not None and reason.why is Why.RETRACTED):
        return
    printed = str(finding.value or finding.reported or finding.state.value)
    wanted: tuple[Part, ...] = ("ABO", "RhD") if "abo_rh" in states or len(states) > 1 else ()
    parts = wanted or (("ABO",) if "abo" in states else ("RhD",))
    for part in parts:
        yield GroupResult(
            part=part,
            group=_read(printed, part, words),
            printed=printed,
            time=finding.time,
            evidence=finding.evidence,
        )


def _read(printed: str, part: Part, words: BloodGroupWords) -> str | None:
    """Return the group that a printed answer names; only whole answers count."""
    answer = " ".join(printed.lower().replace(",", " ").split())
    for abo, abo_words in words.abo.items():
        if part == "ABO" and answer in abo_words:
            return abo
        for rh, rh_words in words.rh.items():
            if part == "RhD" and answer in rh_words:
                return rh
            if answer in _both(abo_words, rh_words):
                return abo if part == "ABO" else rh
    return None


def _both(abo: Sequence[str], rh: Sequence[str]) -> frozenset[str]:
    """Return the answers that name both, as ``A positive`` or ``o-``."""
    return frozenset(f"{first}{gap}{second}" for first in abo for second in rh for gap in ("", " "))
