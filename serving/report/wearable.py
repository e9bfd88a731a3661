"""What the patient's own devices show, as a person reads it, apart from everything else."""

from collections.abc import Iterator

from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding, State
from serving.report.section import Item, Section
from serving.web.words import WHY, Say, word
from tools.intake.wearable.report import (
    NO_TWELVE_LEAD,
    NO_TWELVE_LEAD_ZH,
    NOTICE_ZH,
    Pressures,
    PressureTrend,
    RateTrend,
    StripResult,
    WearableReport,
)


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


_RHYTHM = {
    "regular": _("regular"),
    "irregular": _("irregular: a suspicion, which a 12-lead ECG settles"),
}


def wearable_section(a: Assessment, say: Say, *, chinese: bool) -> Section | None:
    """Return the wearable part of an assessment for a reader; None where there is none.

    Args:
        a: The assessment.
        say: From English to the language of the report.
        chinese: Whether that is Chinese.
    """
    report = a.wearable
    if report is None:
        return None
    writer = _Writer(say, chinese=chinese, time_zone=a.time_zone)
    return Section(
        id="wearable",
        title=say("The patient's own devices"),
        note=NOTICE_ZH if chinese else report.notice,
        items=tuple(writer.items(report)),
        small=(
            *report.left_out,
            *(f"{c.label}; {c.review}." for c in report.source),
        ),
    )


class _Writer:
    def __init__(self, say: Say, *, chinese: bool, time_zone: str | None) -> None:
        self._say = say
        self._chinese = chinese
        self._zone = time_zone

    def items(self, report: WearableReport) -> Iterator[Item]:
        """Yield pressures, heart rates and strips."""
        yield from (self._pressure(trend) for trend in report.pressures)
        yield from (self._rate(trend) for trend in report.rates)
        yield from (self._strip(strip) for strip in report.strips)

    def _pressure(self, trend: PressureTrend) -> Item:
        say = self._say
        lines = [
            say("%d readings on %d days, %s") % (
                trend.pairs.systolic.count, trend.days, self._span(trend.first, trend.last)
            ),
            f"{say('all')}: {self._numbers(trend.pairs)}",
        ]  # fmt: skip
        if trend.pulse is not None:
            pulse = trend.pulse
            lines.append(f"{say('pulse')}: {pulse.mean:.0f} ({pulse.low:g}-{pulse.high:g}) /min")
        parts = ((say("day"), trend.day), (say("night"), trend.night))
        lines += [f"{name}: {self._numbers(part)}" for name, part in parts if part is not None]
        if trend.recent is not None:
            lines.append(f"{say('the last seven days')}: {self._numbers(trend.recent)}")
        lines += self._verdict(trend.high)
        return Item(
            heading=f"{say('Blood pressure at home')}: {trend.device}",
            lines=tuple(lines),
            open=self._open(trend.high),
            evidence=trend.evidence,
        )

    def _rate(self, trend: RateTrend) -> Item:
        say, rates = self._say, trend.rates
        span = self._span(trend.first, trend.last)
        return Item(
            heading=f"{say('Heart rate of a wearable')}: {trend.device}",
            lines=(
                say("%d readings on %d days, %s") % (rates.count, trend.days, span),
                f"{rates.mean:.0f} ({rates.low:g}-{rates.high:g}) /min",
            ),
            evidence=trend.evidence,
        )

    def _strip(self, strip: StripResult) -> Item:
        say = self._say
        when = say("time not given") if strip.time is None else strip.time.show(self._zone)
        lines = [f"{when}; {strip.lead}; {strip.duration_s:.0f} s"]
        if strip.device_said:
            lines.append(f"{say('the device says')}: {strip.device_said}")
        if strip.regularity is not None:
            basis = say("%d beats, %.0f /min, RR irregularity %.2f") % (
                strip.beats, strip.heart_rate_per_min or 0.0, strip.irregularity or 0.0
            )  # fmt: skip
            lines.append(f"{say('rhythm')}: {say(_RHYTHM[strip.regularity])} ({basis})")
            lines.append(f"{say('measured')}: {strip.measured[1 if self._chinese else 0]}")
        lines.append(NO_TWELVE_LEAD_ZH if self._chinese else NO_TWELVE_LEAD)
        return Item(
            heading=f"{say('Single-lead ECG of a wearable')}: {strip.device or strip.file}",
            lines=tuple(lines),
            open=self._open(strip.irregular),
            evidence=strip.irregular.evidence,
        )

    def _verdict(self, finding: Finding) -> list[str]:
        if finding.state is State.NOT_ASSESSED:
            return []
        holds = finding.state is State.PRESENT
        words = (
            self._say("high for readings at home (135/85 mmHg or above)")
            if holds
            else self._say("not high for readings at home (below 135/85 mmHg)")
        )
        return [words]

    def _open(self, finding: Finding) -> str:
        why = finding.not_assessed
        if why is None:
            return ""
        return f"{self._say('not assessed')}: {word(WHY, why.why, self._say)} ({why.detail})"

    def _span(self, first: ClinicalTime | None, last: ClinicalTime | None) -> str:
        if first is None or last is None:
            return self._say("time not given")
        return f"{first.show(self._zone)} - {last.show(self._zone)}"

    def _numbers(self, part: Pressures) -> str:
        high, low = part.systolic, part.diastolic
        return (
            f"{high.mean:.0f}/{low.mean:.0f} mmHg ({high.low:g}-{high.high:g} / "
            f"{low.low:g}-{low.high:g}; n {high.count})"
        )
