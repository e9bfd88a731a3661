"""Which result of an analyte counts for a pattern: newest, in time, and as far as it may be read.

A result of another time is not put together with the rest, an old one does not speak for today, and
a result that a known interference reaches is no longer a number but a bound: haemolysed potassium
of 6.8 is "at most 6.8", which raises nothing and may still be low.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from knowledge.analytes import convert
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.interference import interferences
from knowledge.laboratory_patterns import Times, pattern_words
from knowledge.laboratory_words import laboratory_told
from knowledge.quantity import Interval, format_number, measured
from knowledge.rules import holds
from knowledge.words import Words
from tools.labs.interference import InterferenceFinding, interference_on
from tools.labs.interval_model import Flag
from tools.labs.laboratory_chart import ChartResult, LaboratoryChart
from tools.labs.patterns.fact import phrase, test_label

_MINUTES_PER_HOUR = 60
_ASSAY = "troponin_assay"
_PRELIMINARY = "preliminary"
"""Flag of a result that its laboratory may still change."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """One result as it may be read.

    Args:
        result: As the chart holds it.
        value: All it may be, in the analyte's unit; widened by what interferes.
        caveats: What interferes.
    """

    result: ChartResult
    value: Interval
    caveats: tuple[Words, ...] = ()

    @property
    def finding(self) -> Finding:
        """The finding with the value as it may be read."""
        found = self.result.finding
        if found.quantity is None or found.interval == self.value:
            return found
        return found.model_copy(update={"value": measured(self.value, found.quantity.unit)})

    @property
    def unit(self) -> str:
        """UCUM unit."""
        quantity = self.result.finding.quantity
        return "1" if quantity is None else quantity.unit

    @property
    def no_interval(self) -> NotAssessed | None:
        """Why no interval is known to hold for this person; None where one is."""
        flag = self.result.flag
        if flag.not_assessed is not None and not flag.possible:
            return flag.not_assessed
        if not flag.intervals:
            detail = f"no interval is held for {self.result.finding.concept.text}"
            return NotAssessed(why=Why.MISSING, detail=detail)
        return None

    def upper_limit(self) -> Interval | NotAssessed:
        """Return the upper limit of the interval actually used; all there may be."""
        if self.no_interval is not None:
            return self.no_interval
        limits: list[float] = []
        for used in self.result.flag.intervals:
            if used.bounds.high is None:
                continue
            limit = Interval.exact(used.bounds.high)
            if used.unit != self.unit:
                converted = convert(str(self.result.analyte), limit, used.unit)
                if isinstance(converted, NotAssessed):
                    return converted
                limit = converted.value.interval
            limits.append(limit.low or 0.0)
        if not limits:
            detail = f"no upper limit of normal is known for {self.result.finding.concept.text}"
            return NotAssessed(why=Why.MISSING, detail=detail)
        return Interval(low=min(limits), high=max(limits))

    @property
    def limit_caveats(self) -> tuple[Words, ...]:
        """Return the warning where the interval is not the reporting laboratory's own."""
        if any(used.origin == "fallback" for used in self.result.flag.intervals):
            return (phrase("fallback_limit", of=test_label(str(self.result.analyte))),)
        return ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """The results that count for one pattern.

    Args:
        chart: The chart.
        times: The pattern's hours.
        anchor: When the newest result that matters was collected; None where no time is known.
        shared: Interferences already looked up, by analyte and time, over all patterns.
    """

    chart: LaboratoryChart
    times: Times
    anchor: ClinicalTime | None
    shared: dict[tuple[str, str], tuple[InterferenceFinding, ...]]

    @cached_property
    def stale(self) -> NotAssessed | None:
        """Why the results do not speak for the moment of assessment; None where they do."""
        if self.anchor is None:
            return NotAssessed(why=Why.TIME_NOT_GIVEN, detail="collection: time not given")
        return _within(
            self.anchor, self.chart.at, self.times.not_older_than_hours, "the assessment", Why.STALE
        )

    def newest(self, analyte: str, hours: float | None = None) -> Reading | NotAssessed:
        """Return the newest result of an analyte, or why it does not count.

        Args:
            analyte: Key of the analyte.
            hours: How far from the newest it may have been collected; None for the pattern's own.
        """
        name = test_label(analyte).en
        result = self.chart.latest(analyte)
        if result is None:
            return NotAssessed(why=Why.MISSING, detail=f"no result of {name}")
        finding = result.finding
        if finding.not_assessed is not None:
            return finding.not_assessed
        if finding.interval is None:
            return NotAssessed(why=Why.MISSING, detail=f"{name} is no number")
        outside = self.stale or _within(
            finding.time,
            self.anchor,
            hours or self.times.together_hours,
            f"the newest result ({name})",
            Why.OUTSIDE_WINDOW,
        )
        return outside if outside is not None else self.reading(result, analyte)

    def worded(self, test: str) -> tuple[bool, Finding] | NotAssessed:
        """Return whether the newest answer of a worded test is abnormal, or why that is not known.

        Args:
            test: Key of a test that is answered in words.
        """
        result = self.chart.latest(test)
        if result is None:
            return NotAssessed(why=Why.MISSING, detail=f"no result of {test_label(test).en}")
        finding, flag = result.finding, result.flag
        if flag.not_assessed is not None:
            return flag.not_assessed
        outside = self.stale or _within(
            finding.time,
            self.anchor,
            self.times.together_hours,
            "the newest result",
            Why.OUTSIDE_WINDOW,
        )
        return outside if outside is not None else (flag.flag is not Flag.NORMAL, finding)

    def reading(self, result: ChartResult, analyte: str) -> Reading:
        """Return a result as far as it may be read."""
        value = result.finding.interval or Interval()
        every = self.interferences(result, analyte)
        found = [i for i in every if i.state is State.PRESENT or i.suspected]
        widened = _widened(value, {i.direction for i in found})
        caveats = [_caveat(analyte, i) for i in found]
        if _PRELIMINARY in result.finding.flags:
            caveats.append(phrase("preliminary", of=test_label(analyte)))
        return Reading(result=result, value=widened, caveats=tuple(caveats))

    def interferences(self, result: ChartResult, analyte: str) -> tuple[InterferenceFinding, ...]:
        """Return every interference on a result, from what its specimen shows."""
        key = analyte, result.finding.id
        if key not in self.shared:
            assay = self.chart.answer(_ASSAY)
            self.shared[key] = interference_on(
                analyte,
                self.chart.signals(result.finding),
                troponin_assay=None if assay.value is None else str(assay.value),
            )
        return self.shared[key]

    def as_computed(
        self, value: Interval, analytes: tuple[str, ...]
    ) -> tuple[Interval, list[Words]]:
        """Return a value that was computed from results, as far as they may be read.

        Args:
            value: What was computed.
            analytes: Of which; every result of the window is looked at.
        """
        caveats: list[Words] = []
        for analyte in analytes:
            for result in self.chart.usable(analyte):
                if isinstance(self.in_time(result.finding), NotAssessed):
                    continue
                for found in self.interferences(result, analyte):
                    if not self._reaches(found, result):
                        continue
                    value = _widened(value, {found.direction})
                    caveats.append(_caveat(analyte, found))
        return value, list(dict.fromkeys(caveats))

    def in_time(self, finding: Finding) -> NotAssessed | None:
        """Return why a result is not known to be of the window; None where it is."""
        hours = self.times.not_older_than_hours
        return _within(finding.time, self.chart.at, hours, "the assessment", Why.STALE)

    def _reaches(self, found: InterferenceFinding, result: ChartResult) -> bool:
        """Return whether an interference is there, its effect on this assay known or not."""
        if found.state is not State.NOT_ASSESSED:
            return found.state is State.PRESENT
        row = interferences().interferences[found.interference]
        return holds(row.present_when, self.chart.signals(result.finding)) is True


def anchor_of(chart: LaboratoryChart, analytes: Mapping[str, bool]) -> ClinicalTime | None:
    """Return the time of the newest usable result, of the analytes that matter if there is one.

    Args:
        chart: The chart.
        analytes: Every analyte the pattern reads, with whether it is one that matters.
    """
    for matters in (True, False):
        times = [
            result.finding.time
            for analyte, relevant in analytes.items()
            if relevant is matters
            for result in chart.usable(analyte)
            if result.finding.time is not None
        ]
        if times:
            return max(times, key=lambda time: time.sort_key)
    return None


def _within(
    time: ClinicalTime | None, other: ClinicalTime | None, hours: float, what: str, why: Why
) -> NotAssessed | None:
    """Return why a time is not known to lie within some hours of another; None where it does."""
    between = elapsed(time, other)
    if between.minutes is None:
        given = time is not None and other is not None
        reason = Why.TIME_ZONE_UNKNOWN if given else Why.TIME_NOT_GIVEN
        return NotAssessed(why=reason, detail=f"collection: {between.not_assessed}")
    apart = between.minutes.absolute_difference(Interval.exact(0))
    if apart.compare("le", hours * _MINUTES_PER_HOUR):
        return None
    detail = f"not known to be collected within {format_number(hours)} h of {what}"
    return NotAssessed(why=why, detail=detail)


def _widened(value: Interval, directions: Set[str]) -> Interval:
    """Return all that a value may be that reads too high, too low, or false."""
    up, down = directions & {"raises", "either"}, directions & {"lowers", "either"}
    return Interval(
        low=_lowest(value.low) if up else value.low,
        low_closed=bool(up) or value.low_closed,
        high=None if down else value.high,
        high_closed=bool(down) or value.high_closed,
    )


def _lowest(bound: float | None) -> float | None:
    """Return the lower end of a value that reads too high: zero of an amount, else none."""
    return 0.0 if bound is not None and bound >= 0 else None


def _caveat(analyte: str, found: InterferenceFinding) -> Words:
    what = Words(en=found.label, zh=pattern_words().interferences[found.interference])
    sentence = phrase("interfered", of=test_label(analyte), what=what)
    consequence = laboratory_told().known(found.consequence) if found.consequence else ""
    zh = f"{sentence.zh}{consequence or ''}"
    return Words(en=f"{sentence.en} {found.consequence}".strip(), zh=zh)
