"""Growth of a nodule between two CTs: a change within the error of measurement is never growth."""

import math
from typing import Literal

from pydantic import Field

from knowledge.clinical_time import ClinicalTime, Precision, elapsed
from knowledge.ct_measurements import ct_measurements, errors_of, limit
from knowledge.errors import IdentityConflictError, InvalidValueError
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from knowledge.patient import Identity
from knowledge.reference import Citation
from tools.imaging.ct.nodule import NoduleMeasure
from tools.intake.identity import compare as compare_identities
from tools.intake.identity import numbers_differ
from tools.toolbox import Card, tool

Verdict = Literal["growth", "shrinkage", "within error", "not assessed"]
_DAY = 24 * 60.0
_UNDATED = "one of the CTs has no date, so the days between them are not known"
_SOURCES = ("bts-nodules-2015", "lung-rads-2022")


class Growth(Frozen):
    """What changed between two measurements of one nodule.

    Args:
        verdict: Growth or shrinkage only beyond the error; within it ``within error``.
        because: The comparison in words, with numbers and error.
        days: Between the two series.
        diameter_change_mm: Later minus earlier mean diameter.
        diameter_error_mm: A change up to this is within the error.
        volume_change_percent: None where volumes may not be compared.
        volume_error_percent: A change up to this is within the error.
        doubling_days: Doubling time of the volume (halving for shrinkage); only beyond the error.
        doubling_range: Doubling times that the error of the two volumes leaves possible; the upper
            end is None where no growth is possible too.
        not_assessed: What was not compared, and why, by name: ``volume``, ``interval`` (then
            there is no verdict).
        cautions: What must be read with it.
        lung_rads_status: ``growing`` or ``stable`` as the input `nodule_status` asks; None where it
            cannot be told.
        source: The publications.
    """

    verdict: Verdict
    because: str
    days: float | None
    diameter_change_mm: float
    diameter_error_mm: float
    volume_change_percent: float | None = None
    volume_error_percent: float
    doubling_days: float | None = None
    doubling_range: tuple[float, float | None] | None = None
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    lung_rads_status: Literal["growing", "stable"] | None = None
    source: tuple[Citation, ...] = ()


CARD = Card(
    title="Growth of a pulmonary nodule between two CTs",
    group="imaging",
    topic="pulmonary nodule",
    needs=("two measurements of one nodule by the seeded measurement, of one patient",),
    refuses=(
        "two patients, or the later measurement first",
        f"a verdict on two CTs less than {limit('growth_days_min'):g} days apart, or without dates",
        "volumes of series with other slice thickness or other kind of kernel, or of another type",
    ),
    limits=(
        f"A change of volume up to {limit('growth_volume_error'):g} % or of the mean diameter up "
        f"to {limit('growth_diameter_error'):g} mm is within the error and never growth.",
        "Whether both seeds lie in one and the same nodule is the reader's statement.",
    ),
    sources=("10.1136/thoraxjnl-2015-207168", "10.1016/j.jacr.2023.09.009"),
    accuracy=errors_of("nodule-repeat"),
    on_request=True,
    regulatory="device-function",
)


@tool(card=CARD, version="1")
def ct_nodule_growth(
    earlier: NoduleMeasure, later: NoduleMeasure, *, same_patient: bool = False
) -> Growth:
    """Return whether a nodule grew, shrank or stayed within the error of measurement.

    Args:
        earlier: As measured on the earlier series.
        later: As measured on the later series.
        same_patient: Somebody who knows says that both are of one patient: used only where the
            files cannot tell.

    Raises:
        IdentityConflictError: The series are not of one patient, or do not tell.
        InvalidValueError: One series twice, or the later one first.

    Examples:
        >>> from knowledge.patient import Identity
        >>> def seen(mm, volume, day):
        ...     return NoduleMeasure(seed_lps=(0, 0, 0), centre_lps=(0, 0, 0), long_mm=mm,
        ...         short_mm=mm, mean_mm=mm, volume_mm3=volume, kind="solid", mean_hu=30,
        ...         identity=Identity(source=day), slice_mm=1, thickness_mm=1, kernel_kind="smooth",
        ...         time=ClinicalTime(at=day, precision="day", zone="unknown", clock="x"))
        >>> a, b = seen(8.0, 268, "2026-01-01T00:00:00"), seen(8.5, 322, "2026-07-01T00:00:00")
        >>> ct_nodule_growth(a, b, same_patient=True).verdict
        'within error'
    """
    _check_patient(earlier, later, same_patient=same_patient)
    days = _days(earlier, later)
    missing = _not_compared(earlier, later)
    volume = _volume_change(earlier, later) if "volume" not in missing else None
    change = round(later.mean_mm - earlier.mean_mm, 1)
    if days is None:
        missing["interval"] = NotAssessed(why=Why.TIME_NOT_GIVEN, detail=_UNDATED)
    elif days < limit("growth_days_min"):
        missing["interval"] = NotAssessed(why=Why.OUTSIDE_WINDOW, detail=_too_short(days))
    verdict = _verdict(change, volume, missing)
    doubling, possible = None, None
    if verdict in ("growth", "shrinkage") and volume is not None and days is not None:
        doubling, possible = _doubling(volume, days), _possible(volume, days)
    return Growth(
        verdict=verdict,
        because=_words(verdict, change, volume, missing),
        days=None if days is None else round(days),
        diameter_change_mm=change,
        diameter_error_mm=limit("growth_diameter_error"),
        volume_change_percent=None if volume is None else round(volume, 1),
        volume_error_percent=limit("growth_volume_error"),
        doubling_days=doubling,
        doubling_range=possible,
        not_assessed=missing,
        cautions=_cautions(earlier.identity, later.identity),
        lung_rads_status=None if verdict == "not assessed" else _status(change, days),
        source=_cited(),
    )


def doubling_time(before: float, after: float, days: float) -> float:
    """Return the doubling time of a volume in days; negative for a halving time.

    Raises:
        ValueError: A volume is not positive, or both are equal.

    Examples:
        >>> round(doubling_time(100, 200, 90))
        90
    """
    if before <= 0 or after <= 0 or before == after:
        raise ValueError("two different positive volumes are needed")
    return days * math.log(2) / math.log(after / before)


def _check_patient(a: NoduleMeasure, b: NoduleMeasure, *, same_patient: bool) -> None:
    found = compare_identities(a.identity, b.identity)
    files = (a.identity.source, b.identity.source)
    if found.result == "mismatch":
        raise IdentityConflictError(
            "the two CTs",
            f"they are of different patients: {', '.join(found.differ)} differ",
            "compare CTs of one patient",
            files=files,
        )
    if found.result != "match" and not same_patient:
        raise IdentityConflictError(
            "the two CTs",
            "they do not tell whether they are of one patient",
            "state that they are, where you know it",
            files=files,
        )


def _cautions(a: Identity, b: Identity) -> tuple[str, ...]:
    """Return that the patient's numbers differ, where nothing says that one issuer gave both."""
    if not numbers_differ(a, b):
        return ()
    return (
        "the patient numbers of the two CTs differ and name no common issuer: they were taken as "
        "one patient by what else agrees, or as stated",
    )


def _too_short(days: float) -> str:
    least = limit("growth_days_min")
    return f"{days:.0f} days between the two CTs; at least {least:g} are needed"


def _days(a: NoduleMeasure, b: NoduleMeasure) -> float | None:
    """Return the days between two series by their dates; None where one is not dated."""
    if a.series and a.series == b.series:
        raise InvalidValueError("the two CTs", "are one series", "give an earlier and a later one")
    if a.time is None or b.time is None:
        return None
    found = elapsed(_date(a.time), _date(b.time)).minutes
    if found is None or found.low is None or found.high is None:
        return None
    if found.high < 0:
        raise InvalidValueError("the two CTs", "the later one is given first", "give them in order")
    return max(0.0, (found.low + found.high) / 2 / _DAY)


def _date(time: ClinicalTime) -> ClinicalTime:
    """Return the date of a time on one common clock: days decide here, not zones."""
    at = time.at.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return ClinicalTime(at=at, precision=Precision.DAY, zone="unknown", clock="date of the CT")


def _not_compared(a: NoduleMeasure, b: NoduleMeasure) -> dict[str, NotAssessed]:
    """Return why volumes may not be compared; nothing where they may."""
    for name, one in (("earlier", a), ("later", b)):
        if one.volume_mm3 is None:
            reason = one.not_assessed.get("volume")
            detail = f"the {name} volume is not assessed"
            return _one(Why.DEPENDS, f"{detail}: {reason.detail}" if reason else detail)
    if a.kernel_kind != b.kernel_kind or a.kernel_kind == "unknown":
        return _one(Why.QUALITY, "the kernels differ in kind or are not known")
    if a.thickness_mm is None or b.thickness_mm is None:
        return _one(Why.QUALITY, "the slice thickness is not known")
    thickness = abs(a.thickness_mm - b.thickness_mm)
    if thickness > limit("growth_slice_difference"):
        return _one(Why.QUALITY, f"the slice thickness differs by {thickness:.2g} mm")
    if a.kind != b.kind and a.kind is not None and b.kind is not None:
        return _one(Why.CONFLICTING, f"the type differs: {a.kind}, then {b.kind}")
    return {}


def _one(why: Why, detail: str) -> dict[str, NotAssessed]:
    return {"volume": NotAssessed(why=why, detail=detail)}


def _volume_change(a: NoduleMeasure, b: NoduleMeasure) -> float:
    """Return the change of volume, %."""
    if a.volume_mm3 is None or b.volume_mm3 is None:
        raise ValueError("both volumes are needed")
    return 100 * (b.volume_mm3 / a.volume_mm3 - 1)


def _verdict(change: float, volume: float | None, missing: dict[str, NotAssessed]) -> Verdict:
    """Return the verdict: by volume where it may be compared, else by the diameter.

    A difference of type says that the nodule itself changed or that one outline is wrong: neither
    is growth that can be stated.
    """
    if "interval" in missing:
        return "not assessed"
    reason = missing.get("volume")
    if reason is not None and reason.why is Why.CONFLICTING:
        return "not assessed"
    if volume is not None:
        # the fall that undoes a rise of 25 % is one of 20 %: the error is one of the ratio
        ratio, error = 1 + volume / 100, 1 + limit("growth_volume_error") / 100
        if ratio > error:
            return "growth"
        if ratio < 1 / error:
            return "shrinkage"
        return "within error"
    if change > limit("growth_diameter_error"):
        return "growth"
    if change < -limit("growth_diameter_error"):
        return "shrinkage"
    return "within error"


def _doubling(volume: float, days: float) -> float | None:
    if abs(volume) <= limit("growth_volume_error"):
        return None
    return round(abs(doubling_time(1.0, 1 + volume / 100, days)))


def _possible(volume: float, days: float) -> tuple[float, float | None] | None:
    """Return the doubling times that the error leaves possible, as (shortest, longest)."""
    if abs(volume) <= limit("growth_volume_error"):
        return None
    size = abs(math.log(1 + volume / 100))
    error = math.log(1 + limit("growth_volume_error") / 100)
    longest = days * math.log(2) / (size - error) if size > error else None
    return round(days * math.log(2) / (size + error)), None if longest is None else round(longest)


def _status(change: float, days: float | None) -> Literal["growing", "stable"] | None:
    """Return the change as Lung-RADS v2022 asks for it."""
    if change <= limit("growth_diameter_error"):
        return "stable"
    if days is None:
        return None
    return "growing" if days <= limit("growth_lung_rads_days") else "stable"


def _words(
    verdict: Verdict, change: float, volume: float | None, missing: dict[str, NotAssessed]
) -> str:
    if "interval" in missing:
        return missing["interval"].detail
    if verdict == "not assessed":
        return missing["volume"].detail
    if volume is not None:
        return (
            f"volume {volume:+.0f} %, error {limit('growth_volume_error'):g} %; "
            f"mean diameter {change:+.1f} mm"
        )
    why = missing["volume"].detail if "volume" in missing else ""
    return (
        f"mean diameter {change:+.1f} mm, error {limit('growth_diameter_error'):g} mm; volumes not "
        f"compared: {why}"
    )


def _cited() -> tuple[Citation, ...]:
    table = ct_measurements()
    rows = {row.source: row.review for row in table.limits.values()}
    return tuple(table.cite("ct_measurements", key, rows[key]) for key in _SOURCES)
