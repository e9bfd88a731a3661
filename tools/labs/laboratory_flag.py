"""The flag that the laboratory gave a result, beside ours: a difference is a named conflict."""

from knowledge.conflict import Conflict, Side
from knowledge.evidence import Evidence
from tools.labs.interval_model import Flag

_SAID = {
    "lab-low": "low",
    "lab-critical-low": "critically low",
    "lab-normal": "normal",
    "lab-high": "high",
    "lab-critical-high": "critically high",
    "lab-abnormal": "abnormal",
    "lab-critical-abnormal": "critically abnormal",
}
"""Flags that intake leaves (`tools.intake.fhir.coded`), in words."""

_DIRECTION = {
    "lab-low": "low",
    "lab-critical-low": "low",
    "lab-normal": "normal",
    "lab-high": "high",
    "lab-critical-high": "high",
    "lab-abnormal": "abnormal",
    "lab-critical-abnormal": "abnormal",
}
_OURS = {
    Flag.CRITICAL_LOW: "low",
    Flag.LOW: "low",
    Flag.NORMAL: "normal",
    Flag.HIGH: "high",
    Flag.CRITICAL_HIGH: "high",
    Flag.ABNORMAL: "abnormal",
    Flag.CRITICAL_ABNORMAL: "abnormal",
}
_CRITICAL = frozenset({Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH, Flag.CRITICAL_ABNORMAL})


def laboratory_flags(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of a finding's quality flags that are the laboratory's own interpretation."""
    return tuple(flag for flag in flags if flag in _SAID)


def flag_conflict(
    name: str,
    said: tuple[str, ...],
    possible: tuple[Flag, ...],
    *,
    by: str,
    evidence: tuple[Evidence, ...],
    limits: frozenset[str] | None = None,
) -> Conflict | None:
    """Return the conflict between the laboratory's flags and ours, or None where there is none.

    Where several flags of ours remain possible, the laboratory's is in conflict only if it agrees
    with none of them; where it gave none, there is nothing to compare. That it marks a result as
    critical is no conflict with ours where no critical limit is held that could say so.

    Args:
        name: What was measured.
        said: The laboratory's own flags.
        possible: Every flag of ours that remains possible; empty where we have none.
        by: What ours was judged by, in words.
        evidence: The result.
        limits: Sides on which a critical limit is held for the test; None for a test in words.
    """
    directions = {_DIRECTION[flag] for flag in said} - {"abnormal"}
    theirs = ", ".join(_SAID[flag] for flag in said)
    if len(directions) > 1 or ("normal" in directions and _any_abnormal(said)):
        return Conflict(
            what=f"{name}: the laboratory's own flags",
            sides=(Side(who="laboratory", says=theirs, evidence=evidence),),
            consequence="The laboratory's flags contradict one another; none of them is used.",
        )
    if not said or not possible or any(_agrees(said, flag, limits) for flag in possible):
        return None
    ours = " or ".join(flag.value for flag in possible)
    return Conflict(
        what=f"{name}: the laboratory's flag and the flag by the interval",
        sides=(
            Side(who="laboratory", says=theirs, evidence=evidence),
            Side(who=by, says=ours, evidence=evidence),
        ),
        consequence="Both are shown; neither takes the place of the other.",
    )


def _agrees(said: tuple[str, ...], ours: Flag, limits: frozenset[str] | None) -> bool:
    critical = [_DIRECTION[flag] for flag in said if flag.startswith("lab-critical")]
    if ours in _CRITICAL and not critical:
        return False
    if critical and ours not in _CRITICAL and _held(critical, limits):
        return False
    return all(_same(_DIRECTION[flag], _OURS[ours]) for flag in said)


def _held(directions: list[str], limits: frozenset[str] | None) -> bool:
    """Return whether a critical limit of ours could say what the laboratory marks."""
    if limits is None:
        return True
    return any(one in limits or (one == "abnormal" and limits) for one in directions)


def _same(theirs: str, ours: str) -> bool:
    if "abnormal" in (theirs, ours):
        return "normal" not in (theirs, ours)
    return theirs == ours


def _any_abnormal(said: tuple[str, ...]) -> bool:
    return any(_DIRECTION[flag] == "abnormal" for flag in said)
