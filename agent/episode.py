"""What belongs to this presentation: its recordings and its troponin samples, nothing older."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE
from knowledge.finding import Finding, State, Why
from knowledge.pathways import Pathway
from knowledge.timeline import Category, Timeline
from tools.chart.not_understood import NotUnderstood, name, not_understood
from tools.chart.review import review
from tools.ecg.model import EcgRecording

TROPONIN = ("hs_ctnt", "hs_ctni", "ctnt", "ctni")
_HOUR = 60.0
_LATER = "later than the moment of assessment"


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What was not used, and why.

    Args:
        what: What it is, with its value where it has one.
        time: When it was recorded or collected.
        reason: Why it was not used.
        unexplained: Whether it is so recent (or later than the assessment) that somebody has to
            explain it before a case is called low; a review of the record after its time does.
    """

    what: str
    time: ClinicalTime | None
    reason: str
    unexplained: bool

    def in_words(self, time_zone: str | None) -> str:
        """Return what was left out, in the wall time of a zone."""
        when = f" of {self.time.show(time_zone)}" if self.time is not None else ""
        return f"{self.what}{when} ({self.reason})"


@dataclass(frozen=True, kw_only=True)
class Episode:
    """The data of this presentation.

    Args:
        recordings: ECGs, oldest first; those whose time is not known come first.
        samples: Troponin results, oldest first.
        left_out: What was not used, each with the reason.
        not_understood: Chart items that no table matches.
    """

    recordings: tuple[EcgRecording, ...]
    samples: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...] = ()
    not_understood: NotUnderstood = field(default_factory=NotUnderstood)


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
    left_out: list[LeftOut] = []
    window = pathway.episode
    kept: list[EcgRecording] = []
    for recording in sorted(recordings, key=lambda r: (_when(r.start), r.id)):
        reason = _outside(recording.start, at, window.max_age_hours)
        if reason is None:
            kept.append(recording)
        else:
            left_out.append(
                LeftOut(
                    what=f"ECG {recording.file}",
                    time=recording.start,
                    reason=reason,
                    unexplained=_outside(recording.start, at, window.explained_hours) is None
                    or reason == _LATER,
                )
            )
    samples: list[Finding] = []
    for fact in timeline.with_code(ANALYTE, *TROPONIN):
        if fact.category is Category.STATED:
            continue
        reason = _outside(fact.finding.time, at, window.max_age_hours)
        if reason is None:
            samples.append(fact.finding)
        else:
            left_out.append(_sample_left_out(fact.finding, at, reason, window.explained_hours))
    read = review(timeline, at=at)
    return Episode(
        recordings=tuple(kept),
        samples=tuple(samples),
        left_out=tuple(
            replace(item, unexplained=item.unexplained and not read.covers(item.time))
            for item in left_out
        ),
        not_understood=not_understood(timeline, at=at),
    )


def _sample_left_out(
    sample: Finding, at: ClinicalTime, reason: str, explained_hours: float
) -> LeftOut:
    value = f" {sample.value}" if sample.value is not None else ""
    return LeftOut(
        what=f"{name(sample)}{value}",
        time=sample.time,
        reason=reason,
        unexplained=_may_count(sample)
        and (reason == _LATER or _outside(sample.time, at, explained_hours) is None),
    )


def _may_count(sample: Finding) -> bool:
    """Return whether a sample has a value, or had one but lies in the future."""
    reason = sample.not_assessed
    return sample.state is State.PRESENT or (reason is not None and reason.why is Why.FUTURE_TIME)


def _outside(time: ClinicalTime | None, at: ClinicalTime, max_age_hours: float) -> str | None:
    minutes = elapsed(time, at).minutes
    if minutes is None:
        return None
    if minutes.high is not None and minutes.high < 0:
        return _LATER
    if minutes.low is not None and minutes.low > max_age_hours * _HOUR:
        return f"more than {max_age_hours:g} h before the assessment"
    return None


def _when(time: ClinicalTime | None) -> str:
    return "" if time is None else str(time.sort_key)
