"""What changed between the tracings of a case, in words with the error of each difference."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.ecg_step import EcgRun
from knowledge.errors import EpicrisisError
from tools.ecg.model import EcgMeasurements
from tools.ecg.serial.compare import compare
from tools.ecg.serial.model import StChange
from tools.ecg.serial.tracing import Tracing
from tools.ecg.serial.trend import MIN_TRACINGS, trend

Measured = tuple[EcgRun, EcgMeasurements]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is said of the last two tracings, and of the whole series where it is one.

    Args:
        headline: The comparison in one sentence, or why there is none.
        series: The course over three or more tracings; empty with fewer.
        leads: The leads whose ST moved beyond the error of a difference.
        cautions: What must be read with it.
    """

    headline: str
    series: str = ""
    leads: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


def changes(measured: Sequence[Measured]) -> Changes | None:
    """Return what changed, oldest first; None with fewer than two tracings.

    The identities of a case were compared when it was read: its tracings are of one patient.
    """
    tracings = [Tracing(recording=r.recording, m=m, report=r.report) for r, m in measured]
    if len(tracings) < 2:
        return None
    try:
        found = compare(tracings[-2], tracings[-1], same_patient=True)
        course = ""
        if len(tracings) >= MIN_TRACINGS:
            course = trend(tracings, same_patient=True).headline
    except EpicrisisError as error:
        return Changes(headline=f"Not compared: {error.reason}.")
    return Changes(
        headline=found.headline,
        series=course,
        leads=tuple(_words(change) for change in found.st if change.beyond_error),
        cautions=found.cautions,
    )


def _words(change: StChange) -> str:
    return (
        f"{change.lead} {change.before_mm:+.1f} to {change.after_mm:+.1f} mm "
        f"({change.change_mm:+.1f}, error {change.error_mm:.2f})"
    )
