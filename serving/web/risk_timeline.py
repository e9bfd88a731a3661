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
from knowledge.shown import unit_shown
from serving.web.due import Due, next_due
from serving.web.values import assay_of, choice_of, clock, input_of, span
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
        due: The next sample, as the pathway dates it: the one time there is on every page.
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
    waiting = next_due(assessment, moment=moment, live=live, say=say)
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
    waiting = next_due(assessment, moment=moment, live=live, say=say)
    if waiting is not None:
        yield Moment(
            kind="overdue" if waiting.overdue else "due",
            label=say("sample was due") if waiting.overdue else say("next sample due"),
            time=clock(datetime.fromisoformat(waiting.moment), zone, beside=moment),
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


def _limit(assessment: Assessment, say: Say) -> tuple[float | None, str]:
    row = assay_of(assessment)
    if row is None:
        return None, say("no assay is named: no limit is drawn")
    percentile = row.percentile_99
    sex = choice_of(assessment, "sex") or ""
    cells = {"female": percentile.female, "male": percentile.male} if percentile else {}
    own = cells.get(sex)
    cell = own or (percentile.overall if percentile else None)
    if cell is None:
        return None, say("no 99th percentile is on file for %s") % row.label
    words = {"female": say("of women"), "male": say("of men")}
    return cell.value, say("99th percentile %(whose)s %(limit)s ng/L, %(assay)s") % {
        "whose": words[sex] if own else say("of both sexes together"),
        "limit": format_number(cell.value),
        "assay": row.label,
    }
