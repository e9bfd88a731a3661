"""What belongs to this presentation: its recordings and its troponin samples, nothing older."""

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE
from knowledge.finding import Finding
from knowledge.pathways import Pathway
from knowledge.timeline import Category, Timeline
from tools.ecg.model import EcgRecording

TROPONIN = ("hs_ctnt", "hs_ctni", "ctnt", "ctni")
_HOUR = 60.0


@dataclass(frozen=True, kw_only=True)
class Episode:
    """The data of this presentation.

    Args:
        recordings: ECGs, oldest first; those whose time is not known come first.
        samples: Troponin results, oldest first.
        left_out: What was not used, each with the reason.
    """

    recordings: tuple[EcgRecording, ...]
    samples: tuple[Finding, ...]
    left_out: tuple[str, ...]


def episode(
    timeline: Timeline,
    recordings: Iterable[EcgRecording],
    *,
    at: ClinicalTime,
    pathway: Pathway,
) -> Episode:
    """Return what was recorded or collected within the pathway's time before `at`.

    What has no comparable time is kept: leaving out an ECG because its clock has no zone would be
    worse than using it, and every rule that needs the time says that it is unknown.
    """
    left_out: list[str] = []
    kept: list[EcgRecording] = []
    for recording in sorted(recordings, key=lambda r: (_when(r.start), r.id)):
        reason = _outside(recording.start, at, pathway.episode.max_age_hours)
        if reason is None:
            kept.append(recording)
        else:
            left_out.append(f"ECG {recording.file}: {reason}")
    samples: list[Finding] = []
    for fact in timeline.with_code(ANALYTE, *TROPONIN):
        if fact.category is Category.STATED:
            continue
        reason = _outside(fact.finding.time, at, pathway.episode.max_age_hours)
        if reason is None:
            samples.append(fact.finding)
        else:
            left_out.append(f"{fact.finding.concept.text} of {fact.finding.time}: {reason}")
    return Episode(recordings=tuple(kept), samples=tuple(samples), left_out=tuple(left_out))


def _outside(time: ClinicalTime | None, at: ClinicalTime, max_age_hours: float) -> str | None:
    minutes = elapsed(time, at).minutes
    if minutes is None:
        return None
    if minutes.high is not None and minutes.high < 0:
        return "later than the moment of assessment"
    if minutes.low is not None and minutes.low > max_age_hours * _HOUR:
        return f"more than {max_age_hours:g} h before the assessment"
    return None


def _when(time: ClinicalTime | None) -> str:
    return "" if time is None else str(time.sort_key)
