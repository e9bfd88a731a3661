"""The statements that chest-pain rules ask for, put together from the criteria and named patterns.

A named pattern that is present never leaves them absent: it makes them present where its source
calls it equivalent or ischaemia, and not assessed where it does not settle the question.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from knowledge.finding import NotAssessed, Why
from tools.ecg.ischaemia import Change
from tools.ecg.verdict import BORDERLINE, Verdict, first_reason, some, unknown

NOT_KNOWN_TO_BE_NEW = "not-known-to-be-new"
_NORMAL = ("heart_normal",)
_NONSPECIFIC = (
    "lbbb",
    "paced_rhythm",
    "rbbb",
    "conduction-delay",
    "lvh",
    "pathological-q",
    "atrial-fibrillation",
    "t-inversion",
    "j-depression",
    "irregular-unclassified",
)


@dataclass(frozen=True, kw_only=True)
class Category:
    """The answer to the ECG item of the HEART score."""

    verdict: Verdict
    choice: str | None


def omi_equivalent(
    gate: Verdict,
    posterior: Verdict,
    sgarbossa: Verdict,
    barcelona: Verdict,
    equivalent: tuple[Verdict, ...] = (),
) -> Verdict:
    """Return whether a pattern equivalent to ST-elevation infarction is there.

    Behind left bundle branch block or pacing either rule decides; else the posterior pattern or a
    named pattern that equals it (`equivalent`, those present).
    """
    if gate.holds is None:
        return replace(gate, basis="")
    parts = (sgarbossa, barcelona) if gate.holds else (posterior, *equivalent)
    return either(parts)


def not_against(verdict: Verdict, named: Mapping[str, Verdict]) -> Verdict:
    """Return the verdict, or that it is not known where it denies a named pattern that is present.

    Args:
        verdict: The answer by the criteria.
        named: The patterns that are present, by code.
    """
    if verdict.holds is not False or not named:
        return verdict
    names = "; ".join(f"{code} ({v.basis})" for code, v in named.items())
    leads = tuple(dict.fromkeys(lead for v in named.values() for lead in v.leads))
    rows = tuple(dict.fromkeys((*verdict.rows, *(row for v in named.values() for row in v.rows))))
    detail = f"a named pattern is present, which neither shows nor excludes it: {names}"
    return unknown(Why.CONFLICTING, detail, leads=leads, rows=rows)


def st_deviation(regions: tuple[Verdict, ...], stemi: Verdict, depression: Change) -> Verdict:
    """Return whether there is ST elevation of the limits, or ST depression, whatever the cause."""
    verdict = either((*regions, stemi, depression.seen))
    if verdict.holds is False:
        return replace(verdict, basis=f"{stemi.basis}; {depression.seen.basis}")
    return verdict


def new_ischaemia(parts: tuple[Verdict, ...]) -> Verdict:
    """Return whether the ECG shows ischaemia, by any criterion.

    One ECG cannot show that a change is new: what is present carries ``not-known-to-be-new``. A
    change that hypertrophy or right bundle branch block may cause counts as not known.
    """
    verdict = either(parts)
    return verdict.flagged(NOT_KNOWN_TO_BE_NEW) if verdict.holds else verdict


def heart_category(
    acute: Mapping[str, Verdict],
    verdicts: Mapping[str, Verdict],
    abnormal: Mapping[str, Verdict],
    not_normal: NotAssessed | None = None,
) -> Category:
    """Return the ECG category of the HEART score: normal, nonspecific or st_deviation.

    ST deviation that hypertrophy or right bundle branch block may explain leaves two categories
    open: not assessed, for a clinician to settle. Atrial fibrillation, a wide QRS, pathological Q
    waves, T inversion and upsloping depression at the J point are not a normal ECG and count as
    nonspecific, and so does anything else abnormal that is present.

    Args:
        acute: The unexplained criteria that make it `st_deviation`.
        verdicts: Every other statement by code.
        abnormal: What else is present and no part of a normal ECG, by code.
        not_normal: Why an ECG that shows nothing abnormal is still not called normal.
    """
    deviation = either(tuple(acute.values()))
    if deviation.holds is True:
        return Category(verdict=deviation, choice="st_deviation")
    secondary = either((verdicts["lbbb"], verdicts["paced_rhythm"]))
    if deviation.holds is None and secondary.holds is not True:
        return Category(verdict=deviation, choice=None)
    if secondary.holds is True and verdicts["omi_equivalent"].holds is None:
        return Category(verdict=verdicts["omi_equivalent"], choice=None)
    other = [verdicts[code] for code in _NONSPECIFIC]
    found = either((*other, *abnormal.values()))
    if found.holds is None:
        return Category(verdict=found, choice=None)
    if found.holds is True:
        return Category(verdict=found, choice="nonspecific")
    if not_normal is not None:
        return Category(verdict=Verdict(holds=None, why=not_normal, rows=_NORMAL), choice=None)
    basis = (
        "no ST deviation, depression at J, T inversion, Q wave, wide QRS, hypertrophy or "
        "fibrillation"
    )
    verdict = Verdict(holds=True, basis=basis, flags=deviation.flags)
    return Category(verdict=verdict, choice="normal")


def either(parts: tuple[Verdict, ...]) -> Verdict:
    """Return whether any part holds, with the numbers of those that decide."""
    holds = some(part.holds for part in parts)
    shown = [part for part in parts if part.holds is holds]
    basis = "; ".join(dict.fromkeys(p.basis for p in shown if p.basis))
    rows = tuple(dict.fromkeys(row for p in shown for row in p.rows))
    if holds is None:
        return Verdict(holds=None, why=first_reason(parts), basis=basis, rows=rows)
    leads = tuple(dict.fromkeys(lead for p in shown for lead in p.leads)) if holds else ()
    sure = holds and any(BORDERLINE not in p.flags for p in shown)
    flags = dict.fromkeys(f for p in shown for f in p.flags if not (sure and f == BORDERLINE))
    return Verdict(holds=holds, basis=basis, leads=leads, flags=tuple(flags), rows=rows)
