"""Tracings whose chest electrodes were moved: V7-V9 or right-sided leads in place of standard ones.

Beats and wave bounds are found on eight independent leads. Where a standard chest lead is missing
and an extra one was recorded in its place, the extra lead takes its part in finding them, and every
number keeps its own name: nothing is ever said of the lead that was not recorded.
"""

import re
from dataclasses import dataclass, replace

from tools.ecg.leads import INDEPENDENT
from tools.ecg.model import EcgMeasurements, EcgRecording, Problem

EXTRA = ("V7", "V8", "V9", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "V8R", "V9R")
CODE = "electrodes-moved"
"""Code of the problem that tells it; it forbids no statement about the leads that are there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Moved:
    """A recording with its extra leads under the names of the standard ones they stand for.

    Args:
        recording: To be measured.
        own: The name a lead is measured under, to its own.
    """

    recording: EcgRecording
    own: dict[str, str]

    def named_back(self, m: EcgMeasurements) -> EcgMeasurements:
        """Return the measurements under the leads' own names."""
        told = ", ".join(f"{extra} for {name}" for name, extra in self.own.items())
        detail = f"chest electrodes moved: recorded {told}"
        problems = (*map(self._problem, m.problems), Problem(code=CODE, detail=detail))
        lead = tuple(x.model_copy(update={"lead": self._name(x.lead)}) for x in m.lead)
        leads = tuple(self._name(name) for name in m.leads)
        return replace(m, leads=leads, lead=lead, problems=problems)

    def _name(self, name: str) -> str:
        return self.own.get(name, name)

    def _problem(self, problem: Problem) -> Problem:
        pattern = r"\b(" + "|".join(map(re.escape, self.own)) + r")\b"
        detail = re.sub(pattern, lambda found: self.own[found[1]], problem.detail)
        leads = tuple(self._name(name) for name in problem.leads)
        return problem.model_copy(update={"detail": detail, "leads": leads})


def moved_electrodes(recording: EcgRecording) -> Moved | None:
    """Return the recording as it is measured, or None where no chest electrode was moved.

    Every missing standard chest lead needs an extra lead in its place; with fewer the recording is
    refused as any that is not a 12-lead ECG.
    """
    missing = [name for name in INDEPENDENT[2:] if name not in recording.leads]
    extra = [name for name in recording.leads if name in EXTRA]
    if not missing or len(extra) < len(missing) or len(missing) == len(INDEPENDENT[2:]):
        return None
    own = dict(zip(missing, extra, strict=False))
    stands_for = {extra_name: name for name, extra_name in own.items()}
    leads = tuple(stands_for.get(name, name) for name in recording.leads)
    return Moved(recording=replace(recording, leads=leads), own=own)
