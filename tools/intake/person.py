"""The one patient of a case, put together from the sources whose identity is proven."""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, Precision, age_years
from knowledge.evidence import Evidence
from knowledge.patient import Identity, Patient

_FINENESS = {Precision.YEAR: 0, Precision.MONTH: 1}


@dataclass(frozen=True, kw_only=True)
class Witness:
    """One source that says who the patient is.

    Args:
        identity: What it says.
        evidence: Where.
        deceased: Whether and when the patient died, where it says so.
    """

    identity: Identity
    evidence: Evidence
    deceased: ClinicalTime | bool | None = None


def person(
    witnesses: Sequence[Witness], *, at: ClinicalTime | None, problems: list[tuple[str, str]]
) -> Patient:
    """Return the patient; an impossible date of birth is told in `problems` and not used.

    Args:
        witnesses: Sources that agree, the most trusted first.
        at: Moment of assessment, for the age.
        problems: Collects the file and what of it could not be used.
    """
    births = [
        (w, w.identity.birth_date)
        for w in witnesses
        if w.identity.birth_date is not None and _possible(w, at, problems)
    ]
    births.sort(key=lambda b: -_FINENESS.get(b[1].precision, 2))
    sexes = [w for w in witnesses if w.identity.sex is not None]
    deaths = [w.deceased for w in witnesses if w.deceased]
    used = [w for w, _ in births[:1]] + sexes[:1]
    return Patient(
        identities=tuple(w.identity for w in witnesses),
        birth_date=births[0][1] if births else None,
        sex=sexes[0].identity.sex if sexes else None,
        deceased=deaths[0] if deaths else None,
        evidence=tuple(dict.fromkeys(w.evidence for w in used)),
    )


def _possible(witness: Witness, at: ClinicalTime | None, problems: list[tuple[str, str]]) -> bool:
    """Return whether the age by a date of birth is possible (limits of the input catalogue)."""
    born = witness.identity.birth_date
    if born is None or at is None:
        return born is not None
    limit = catalogue().get("age_years").high
    future = born.at.date() > at.end.date()
    age = age_years(born, at)
    if not future and (limit is None or age.low is None or age.low <= limit):
        return True
    problems.append((witness.identity.source, "the date of birth is impossible and is not used"))
    return False
