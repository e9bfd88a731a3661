"""Samples of the serial markers, as intake makes them."""

from typing import Any

from knowledge.analytes import Converted, convert
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import LOINC, Coding, Concept
from knowledge.finding import Finding, MethodKind, NotAssessed, not_assessed
from knowledge.quantity import Interval
from tests.tools.labs.patterns.golden import NOW, result

AT = ClinicalTime(at=NOW)


def sample(
    key: str,
    value: Any,
    hours: float = -1,
    *,
    kind: MethodKind | None = "laboratory",
    specimen: str | None = "plasma",
    method: str | None = None,
    loinc: str | None = None,
    limit: str | None = None,
) -> Finding:
    """Return one sample; `limit` is the interval the laboratory printed."""
    found = result(key, value, hours, method_kind=kind)
    change: dict[str, Any] = {"specimen": specimen, "method": method}
    if loinc is not None:
        codings = (*found.concept.codings, Coding(system=LOINC, code=loinc))
        change["concept"] = Concept(text=found.concept.text, codings=codings)
    if limit is not None:
        change["reported"] = f"{found.value} (laboratory's range: {limit})"
    return found.model_copy(update=change)


def d_dimer(value: float, unit: str, *, loinc: str | None = None, limit: str | None) -> Finding:
    """Return a D-dimer through the unit table; not assessed where the unit is not certain."""
    whole = sample("d_dimer", 1, limit=limit)
    converted = convert("d_dimer", Interval.exact(value), unit, loinc)
    if isinstance(converted, NotAssessed):
        return not_assessed(whole.concept, converted.why, converted.detail, time=whole.time)
    assert isinstance(converted, Converted)
    said = f"{value:g} {unit}"
    return whole.model_copy(
        update={
            "value": converted.value,
            "flags": converted.flags,
            "reported": said if limit is None else f"{said} (laboratory's range: {limit})",
        }
    )
