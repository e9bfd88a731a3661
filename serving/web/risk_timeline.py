"""The risk timeline of one assessment: onset, ECGs, troponin with its limit, what is due.

Time runs to scale. Where one event lies far from the rest (an onset days ago), the axis is broken
there, and drawn so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from agent.assessment import Assessment
from agent.episode import TROPONIN
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import ANALYTE, EPICRISIS
from knowledge.finding import Finding, State
from knowledge.quantity import format_number
from knowledge.troponin import assays
from serving.web.due import Due, due
from serving.web.values import clock, input_of, span, unit_shown
from serving.web.words import Say

Kind = Literal["onset", "ecg", "sample", "now", "due", "overdue"]
_ECG = "urn:epicrisis:ecg"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One event.

    Args:
        kind: What it is.
        label: In words.
        time: As shown.
        at: For the axis; None where the time is not known well enough to be placed.
        value: Troponin in ng/L, the upper end where only a bound is known.
        shown_value: As shown, with unit.
        gap: Time since the event before, as shown.
        detail: More of it, for the text alternative.
    """

    kind: Kind
    label: str
    time: str
    at: datetime | None
    value: float | None = None
    shown_value: str = ""
    gap: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class RiskTimeline:
    """The events in order, and the limit the samples are read against.

    Args:
        moments: With a time that can be placed, oldest first.
        unplaced: Whose time is not known well enough.
        limit: 99th percentile of the named assay, ng/L; None where no assay is named.
        limit_words: The limit with its source; or why there is none.
        due: The next sample.
    """

    moments: tuple[Moment, ...]
    unplaced: tuple[Moment, ...]
    limit: float | None
    limit_words: str
    due: Due | None


def risk_timeline(
    assessment: Assessment, *, moment: datetime, live: bool, say: Say
) -> RiskTimeline:
    """Return the timeline of an assessment.

    Args:
        assessment: What is shown.
        moment: The moment the page is about, as `serving.web.due.page_moment`.
        live: Whether a clock runs.
        say: Of the page's language.
    """
    found = list(_events(assessment, moment=moment, live=live, say=say))
    placed = sorted((m for m in found if m.at is not None), key=_at)
    limit, words = _limit(assessment, say)
    waiting = _next_sample(assessment, moment=moment, live=live, say=say)
    return RiskTimeline(
        moments=_with_gaps(placed, say),
        unplaced=tuple(m for m in found if m.at is None),
        limit=limit,
        limit_words=words,
        due=waiting,
    )


def _at(moment: Moment) -> datetime:
    if moment.at is None:
        raise ValueError("a moment without a place has no order")
    return moment.at


def _with_gaps(placed: Sequence[Moment], say: Say) -> tuple[Moment, ...]:
    shown: list[Moment] = []
    for index, event in enumerate(placed):
        gap = ""
        if index:
            apart = _at(event) - _at(placed[index - 1])
            gap = span(apart / timedelta(minutes=1), say) if apart else ""
        shown.append(replace(event, gap=gap))
    return tuple(shown)


def _events(assessment: Assessment, *, moment: datetime, live: bool, say: Say) -> Iterator[Moment]:
    zone = assessment.time_zone
    seen: set[tuple[str, str]] = set()
    for finding in assessment.findings:
        event = _of_finding(finding, zone, moment, say)
        if event is not None and (event.kind, f"{event.time}{event.shown_value}") not in seen:
            seen.add((event.kind, f"{event.time}{event.shown_value}"))
            yield event
    label = say("now") if live else say("moment of assessment")
    yield Moment(kind="now", label=label, time=clock(moment, zone, beside=moment), at=moment)
    waiting = _next_sample(assessment, moment=moment, live=live, say=say)
    if waiting is not None:
        yield Moment(
            kind="overdue" if waiting.overdue else "due",
            label=say("sample was due") if waiting.overdue else say("next sample due"),
            time=waiting.shown,
            at=datetime.fromisoformat(waiting.moment),
            detail=waiting.relation,
        )


def _of_finding(finding: Finding, zone: str | None, moment: datetime, say: Say) -> Moment | None:
    if finding.concept.has(EPICRISIS, "onset") and finding.state is State.PRESENT:
        return _placed("onset", say("onset of pain"), finding.time, zone, moment, say)
    if any(coding.system == _ECG for coding in finding.concept.codings):
        return _placed("ecg", say("ECG"), finding.time, zone, moment, say)
    if any(finding.concept.has(ANALYTE, key) for key in TROPONIN) and input_of(finding) is None:
        return _sample(finding, zone, moment, say)
    return None


def _sample(finding: Finding, zone: str | None, moment: datetime, say: Say) -> Moment:
    event = _placed("sample", say("troponin"), finding.time, zone, moment, say)
    interval, quantity = finding.interval, finding.quantity
    if interval is None or quantity is None:
        reason = finding.not_assessed
        return replace(event, detail="" if reason is None else reason.detail)
    top = interval.high if interval.high is not None else interval.low
    shown = (
        format_number(interval.low)
        if interval.is_exact and interval.low is not None
        else str(interval)
    )
    return replace(event, value=top, shown_value=f"{shown} {unit_shown(quantity.unit)}")


def _placed(
    kind: Kind, label: str, time: ClinicalTime | None, zone: str | None, moment: datetime, say: Say
) -> Moment:
    if time is None:
        return Moment(kind=kind, label=label, time=say("time not given"), at=None)
    shown = clock(time, zone, beside=moment)
    known = time.at.tzinfo is not None and time.precision in ("minute", "second")
    return Moment(kind=kind, label=label, time=shown, at=time.at if known else None)


def _next_sample(assessment: Assessment, *, moment: datetime, live: bool, say: Say) -> Due | None:
    """Return when the first rule that asks for a sample wants it."""
    times = [risk.next_due for risk in assessment.risks if risk.next_due is not None]
    zoned = [time for time in times if time.at.tzinfo is not None]
    if not zoned:
        return None
    return due(
        say("next troponin sample"),
        min(zoned, key=lambda t: t.at),
        moment=moment,
        live=live,
        time_zone=assessment.time_zone,
        say=say,
    )


def _limit(assessment: Assessment, say: Say) -> tuple[float | None, str]:
    named = _choice(assessment, "troponin_assay")
    if named is None or named not in assays().assays:
        return None, say("no assay is named: no limit is drawn")
    row = assays().assays[named]
    percentile = row.percentile_99
    sex = _choice(assessment, "sex")
    cells = {"female": percentile.female, "male": percentile.male} if percentile else {}
    cell = cells.get(sex or "") or (percentile.overall if percentile else None)
    if cell is None:
        return None, say("no 99th percentile is on file for %s") % row.label
    return cell.value, say("99th percentile %(limit)s ng/L, %(assay)s") % {
        "limit": format_number(cell.value),
        "assay": row.label,
    }


def _choice(assessment: Assessment, input_id: str) -> str | None:
    found = (f for f in assessment.findings if f.concept.has(EPICRISIS, input_id))
    return next((f.choice for f in found if f.choice is not None), None)
