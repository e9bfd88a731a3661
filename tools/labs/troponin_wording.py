"""What was compared, in words."""

from collections.abc import Iterable

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding, Why
from knowledge.quantity import Quantity, format_number
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_episode import bad_value, place
from tools.labs.troponin_samples import SeriesSample


def basis(case: TroponinCase, second: SeriesSample | None) -> str:
    """Return every sample of the series in order, with the change that an algorithm looked at.

    Args:
        case: The case.
        second: The sample of its window; None where the first stands alone.
    """
    first, later = case.series.first, case.series.later
    parts = [first.shown if second is not None else f"first sample {first.shown}"]
    parts += [_then(sample) + (_change(sample) if sample is second else "") for sample in later]
    outside = " (outside the window)" if later and second is None else ""
    return ", ".join(parts) + outside


def values_in_words(samples: Iterable[Finding], at: ClinicalTime) -> str:
    """Return the values of the present episode, one after the other; empty where there is none.

    Args:
        samples: Troponin findings; one whose value is no concentration is left out.
        at: Time of assessment.
    """
    placed = place(samples, at)
    shown = [str(finding.quantity) for finding in placed.episode]
    for finding, reason in placed.aside:
        if finding.quantity is not None and bad_value(finding) is None:
            untimed = reason.why is Why.TIME_NOT_GIVEN
            shown.append(str(finding.quantity) + (" (no collection time)" if untimed else ""))
    if not shown:
        return ""
    return ("sample " if len(shown) == 1 else "samples ") + ", ".join(shown)


def _then(sample: SeriesSample) -> str:
    return f"then {sample.shown} after {format_number(round(sample.minutes, 1))} min"


def _change(sample: SeriesSample) -> str:
    if not isinstance(sample.change, Quantity):
        return " (change unknown within bounds)"
    sign = "+" if sample.change.value > 0 else ""
    return f" (change {sign}{format_number(sample.change.value)} ng/L)"
