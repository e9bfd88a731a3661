"""The laboratory's part of an assessment, as a person reads it: one view for every form of report.

The words are those of the page's language; what a table holds only in English is marked as such.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

from agent.episode import TROPONIN
from agent.laboratory.model import Earlier, LaboratoryReport, LaboratoryResult, NotUsed
from agent.laboratory.results import FROM_DDU
from agent.untrusted import quotation
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.evidence import Evidence
from knowledge.finding import NotAssessed, Why
from knowledge.index import Index
from knowledge.laboratory_patterns import laboratory_patterns
from knowledge.laboratory_tests import laboratory_tests
from knowledge.laboratory_words import laboratory_told, saying
from knowledge.passages import Language
from knowledge.quantity import Interval, Measured
from knowledge.reference import Citation
from knowledge.shown import number_shown, unit_shown
from tools.labs.change import Change
from tools.labs.markers.report import MarkerReport
from tools.labs.patterns.verdict import EvidenceLine, PatternVerdict, Support

_MINUTES_IN_WORDS = 60
_HOURS_IN_WORDS = 48
MARK = "*"
"""After a line that holds only under the note of its part."""
_NOT_URGENT = "No result is known to reach a critical limit."
_NOT_URGENT_OF_READ = (
    "No result that was read is known to reach a critical limit; not everything was read, see "
    "above."
)
_NOT_URGENT_OF_USED = (
    "No result that is used is known to reach a critical limit; results of documents are not used, "
    "see above."
)
_NOT_CHANGED = "No change beyond noise is known."


FLAG: Mapping[str, str] = {
    "critical-low": "critically low",
    "low": "low",
    "normal": "within the interval",
    "high": "high",
    "critical-high": "critically high",
    "abnormal": "abnormal",
    "critical-abnormal": "abnormal, to be known at once",
}
_ARROW = {
    "critical-low": "⇊",
    "low": "↓",
    "high": "↑",
    "critical-high": "⇈",
    "abnormal": "!",
    "critical-abnormal": "!!",
}
ORIGIN: Mapping[str, str] = {
    "printed": "printed by the laboratory",
    "site": "of this site",
    "fallback": "of a table",
}
CHANGE: Mapping[str, str] = {
    "beyond 99 %": "more than noise (99 %)",
    "beyond 95 %": "more than noise (95 %)",
    "within noise": "within noise",
    "not determined": "not determined",
    "not assessed": "not assessed",
}
SUPPORT: Mapping[str, str] = {
    "supported": "supported",
    "argued against": "argued against",
    "not assessed": "not assessed",
}
QUALITY: Mapping[str, str] = {
    "haemolysed": "haemolysed",
    "lipaemic": "lipaemic",
    "icteric": "icteric",
    "preliminary": "preliminary",
    "corrected": "corrected",
    "amended": "amended",
    "superseded": "replaced by a later version",
    "status-unknown": "status not known",
    "status-not-stated": "status not stated",
    "has-note": "with a note of the laboratory",
    "converted-ddu-to-feu": "reported in DDU, converted to FEU (x 2)",
    "unit-assumed": "unit not printed, taken from the code",
    "result-awaited": "result awaited",
    "hand-entered": "entered by hand",
    "no-collection-time": "collection time not stated",
    "specimen-contradicts-code": "the stated specimen is not that of the code: not used as it",
    "susceptibility-contradicts": "the answer and the interpretation contradict each other",
    "susceptible": "susceptible",
    "intermediate": "susceptible, increased exposure (I)",
    "resistant": "resistant",
    "susceptible-dose-dependent": "susceptible, dose dependent",
    "non-susceptible": "not susceptible",
    "reported-positive": "reported positive",
    "reported-negative": "reported negative",
    "reported-detected": "reported detected",
    "reported-not-detected": "reported not detected",
    "reported-indeterminate": "reported indeterminate",
    "reported-equivocal": "reported equivocal",
    "reported-reactive": "reported reactive",
    "reported-weakly-reactive": "reported weakly reactive",
    "reported-non-reactive": "reported non-reactive",
}
WHY: Mapping[Why, str] = {
    Why.MISSING: "missing",
    Why.UNCONFIRMED: "unconfirmed",
    Why.UNIT_NOT_RECOGNISED: "unit not recognised",
    Why.VALUE_IMPOSSIBLE: "impossible value",
    Why.TIME_NOT_GIVEN: "time not given",
    Why.TIME_ZONE_UNKNOWN: "time zone unknown",
    Why.FUTURE_TIME: "time in the future",
    Why.OUTSIDE_WINDOW: "outside the window",
    Why.STALE: "too old",
    Why.ASSAY_NOT_NAMED: "assay not named",
    Why.NOT_AVAILABLE_FOR_ASSAY: "not available for this assay",
    Why.CENSORED: "only a bound is known",
    Why.CONFLICTING: "sources disagree",
    Why.OUTSIDE_CONTRACT: "does not apply",
    Why.QUALITY: "quality",
    Why.UNREADABLE: "unreadable",
    Why.SWITCHED_OFF: "switched off",
    Why.RETRACTED: "retracted",
    Why.DEPENDS: "depends on what is missing",
    Why.FAILED: "failed",
}
AS_GIVEN = frozenset(key for key in QUALITY if "suscept" in key or "reported" in key) | {
    "intermediate",
    "resistant",
}
"""What the laboratory says of a result beside numbers: shown as given, never judged again."""
_OF_THE_SPECIMEN = ("edta_contamination", "drip_arm")
"""Interferences that are told once for a specimen, not of each of its results."""
_PROVIDED = "if both were measured by the same method in the same kind of specimen (not stated)"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One sentence.

    Args:
        text: In the language of the report.
        english: What is only held in English; empty where nothing is.
        evidence: What it rests on.
        citations: Where its numbers come from.
        details: What stands below it, a line each.
    """

    text: str
    english: str = ""
    evidence: tuple[Evidence, ...] = ()
    citations: tuple[Citation, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One result of the table.

    Args:
        name: Of the test, in the language of the report where we have it.
        english: The English name, where `name` is another one.
        value: As the laboratory reported it.
        converted: In the unit of the interval, where that is another one.
        time: When the specimen was collected; says so where that is not stated.
        flag: In words; why there is none otherwise.
        tone: ``critical``, ``out``, ``in`` or ``none``.
        past: Whether a newer result of the test is there.
        sign: A sign beside the word.
        interval: What it was compared with, and whose interval that is.
        before: The result before, and the change.
        notes: What must be read with it.
        evidence: Where it comes from.
    """

    name: str
    english: str
    value: str
    converted: str
    time: str
    flag: str
    tone: str
    past: bool
    sign: str
    interval: str
    before: str
    notes: tuple[Line, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Results of one panel."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the report.

    Args:
        key: Of the part, for facts and links.
        title: Heading.
        lines: What it says.
        none: What it means that there is no line; empty where the part is then left out.
        note: What holds of the lines that are marked.
        citations: Where the numbers of all lines come from.
    """

    key: str
    title: str
    lines: tuple[Line, ...]
    none: str = ""
    note: str = ""
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LaboratoryView:
    """The whole part.

    Args:
        title: Heading.
        intro: Of which results it is.
        parts: What is urgent, what changed, what may be an artefact, what to add, in this order.
        columns: Headings of the table.
        panels: Every result of now.
        after: Indices, blood group, older tests.
    """

    title: str
    intro: str
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    panels: tuple[Panel, ...]
    after: tuple[Part, ...]


def laboratory_view(
    report: LaboratoryReport, language: Language, *, time_zone: str | None
) -> LaboratoryView:
    """Return the laboratory's part for a reader.

    Args:
        report: The part of the assessment.
        language: Of the report; what is held only in English stays so.
        time_zone: IANA zone of the case.
    """
    return _Writer(report, language, time_zone=time_zone).view()


def result_rows(
    report: LaboratoryReport, language: Language, *, time_zone: str | None
) -> Iterator[tuple[str | None, Row]]:
    """Yield the key of the test and the row of every result, in the order of the report."""
    writer = _Writer(report, language, time_zone=time_zone)
    for result in report.results:
        yield result.test, writer.row(result)


class _Writer:
    def __init__(
        self, report: LaboratoryReport, language: Language, *, time_zone: str | None
    ) -> None:
        self._report = report
        self._language = language
        self._say = saying(language)
        self._chinese = language == "zh"
        self._zone = time_zone

    def view(self) -> LaboratoryView:
        """Return every part."""
        say = self._say
        intro = say("Results of the last %d h, and those of unknown time: %d.")
        return LaboratoryView(
            title=say("Laboratory"),
            intro=intro % (self._report.hours, len(self._report.results)),
            parts=(
                *self._beside(),
                self._part("urgent", "Urgent", self._urgent(), none=self._not_urgent()),
                self._part("changed", "Changed", self._changed(), none=_NOT_CHANGED),
                self._part("pattern", "Patterns supported", self._patterns("supported")),
                self._part("marker", "Serial markers", self._markers()),
                self._part("reflex", "To add", self._suggestions(), cite_once=False),
                self._part("artefact", "May be an artefact", self._artefacts()),
                self._part("replaced", "Replaced by a later version", self._replaced()),
                self._part("conflict", "Sources disagree", self._conflicts()),
                self._part("later", "Later than the moment of assessment", self._later()),
            ),
            columns=tuple(
                say(text)
                for text in (
                    "test",
                    "result",
                    "collected",
                    "flag",
                    "compared with",
                    "before",
                )
            ),
            panels=tuple(self._panels()),
            after=(
                self._part(
                    "pattern-against", "Patterns argued against", self._patterns("argued against")
                ),
                self._part("pattern-open", "Patterns not assessed", self._patterns_open()),
                self._part("pattern-none", "Patterns not looked at", self._not_looked_at()),
                self._part("index", "Derived indices", self._indices(), cite_once=False),
                self._part("blood-group", "Blood group", self._blood_group()),
                self._part("older", "Only older results", self._older()),
                self._part("not-known", "Not known of these samples", self._not_known()),
                self._part("interval", "Intervals by", self._sources()),
            ),
        )

    def _part(
        self,
        key: str,
        title: str,
        lines: Iterable[Line],
        *,
        none: str = "",
        cite_once: bool = True,
    ) -> Part:
        """Return a part; sources that its lines share are named once."""
        found = tuple(self._told(line) for line in lines)
        cited = {(c.label, c.review): c for line in found for c in line.citations}
        marked = any(line.text.endswith(MARK) for line in found)
        return Part(
            key=key,
            title=self._say(title),
            lines=tuple(replace(line, citations=()) for line in found) if cite_once else found,
            none=self._say(none) if none else "",
            note=f"{MARK} {self._say(_PROVIDED)}" if marked else "",
            citations=tuple(cited.values()) if cite_once else (),
        )

    def _told(self, line: Line) -> Line:
        """Return a line with what is held in English told in the language, where words are."""
        if not self._chinese:
            return line
        cited = tuple(
            one.model_copy(update={"review": self._say(one.review)}) for one in line.citations
        )
        told, english = laboratory_told().by_sentence(line.english) if line.english else ("", "")
        colon = bool(told) and line.text.endswith(":")
        said = f"{line.text[:-1]}：{told}" if colon else f"{line.text} {told}".strip()  # noqa: RUF001
        return replace(line, text=said, english=english, citations=cited)

    def _not_urgent(self) -> str:
        if self._report.not_read:
            return _NOT_URGENT_OF_READ
        return _NOT_URGENT_OF_USED if self._report.documented else _NOT_URGENT

    def _beside(self) -> Iterator[Part]:
        """Yield what must be known before the results: what was not read, what is not used."""
        if self._report.not_read:
            yield self._part("not-read", "Not read", self._not_read())
        if self._report.documented:
            title = "Read from documents, not used until confirmed"
            yield self._part("documented", title, self._documented())
        if self._report.cancelled:
            yield self._part("cancelled", "Cancelled or taken back: no result", self._cancelled())

    def _not_read(self) -> Iterator[Line]:
        for item in self._report.not_read:
            said = self._say("not all of it was understood")
            said = said if item.in_part else self._say("not read, and it may hold a result")
            yield Line(text=f"{item.file} ({item.kind}): {said}:", english=item.reason)

    def _documented(self) -> Iterator[Line]:
        for one in self._report.documented:
            name = one.chinese if self._chinese and one.chinese else one.name
            yield Line(
                text=f"{name} {one.value} ({self._time(one.time)})".strip(), evidence=one.evidence
            )

    def _cancelled(self) -> Iterator[Line]:
        for one in self._report.cancelled:
            name = one.chinese if self._chinese and one.chinese else one.name
            said = "entered in error, a value seen before does not hold"
            said = said if one.in_error else "cancelled, there is no result"
            note = f" (\u201c{one.note}\u201d)" if one.note else ""
            yield Line(
                text=f"{name} ({self._time(one.time)}): {self._say(said)}{note}",
                evidence=one.evidence,
            )

    def _replaced(self) -> Iterator[Line]:
        for result in self._report.results:
            if result.superseded:
                critical = f"; {self._say('was critical')}" if result.critical else ""
                yield Line(
                    text=f"{self._name(result)} {self._value(result)} ({self._time(result.time)})"
                    f"{critical}: {self._say('replaced by')} {result.superseded}",
                    evidence=result.evidence,
                )

    def _urgent(self) -> Iterator[Line]:
        group = self._report.blood_group
        for conflict in () if group is None else group.conflicts:
            said = "; ".join(f"{side.who}: {side.says}" for side in conflict.sides)
            yield Line(
                text=f"{self._say('Blood groups differ')}:",
                english=f"{conflict.what}: {said}. {conflict.consequence}",
                evidence=tuple(e for side in conflict.sides for e in side.evidence),
            )
        for result in self._report.urgent:
            converted = f" = {self._converted(result)}" if self._converted(result) else ""
            value = f"{self._value(result)}{converted}"
            said = f"{self._name(result)} {value} ({self._time(result.time)})"
            if result.may_be_critical:
                yield Line(
                    text=f"{said}: {self._say('not understood as normal, may be urgent')}",
                    evidence=result.evidence,
                )
            elif not result.flag.critical:
                yield Line(
                    text=f"{said}: {self._say(FLAG['critical-abnormal'])}",
                    evidence=result.evidence,
                )
            for limit in result.flag.critical:
                sentence = self._limit_words(low=limit.side == "low", certain=limit.certain)
                bound = f"{number_shown(limit.limit)} {unit_shown(limit.unit)}"
                more = f"; {self._say('not known')}: {', '.join(map(self._say, limit.missing))}"
                yield Line(
                    text=f"{said}: {sentence % bound}"
                    + (more if limit.missing else "")
                    + self._falsified(result),
                    evidence=result.evidence,
                    citations=(limit.citation,),
                )

    def _falsified(self, result: LaboratoryResult) -> str:
        labels = dict.fromkeys(self._say(label) for label in _told_once(result))
        return f"; {self._say('may be falsified by')}: {', '.join(labels)}" if labels else ""

    def _lacking(self, missing: Iterable[str]) -> str:
        """Return what would have to be known of the person or sample, in words."""
        held = laboratory_tests().circumstances
        rows = {key: held[key] for key in missing if key in held}
        words = (
            (rows[key].chinese if self._chinese else rows[key].label)
            if key in rows
            else self._say(key)
            for key in missing
        )
        return ", ".join(words)

    def _limit_words(self, *, low: bool, certain: bool) -> str:
        if low:
            text = (
                "at or below the critical limit of %s"
                if certain
                else "may be at or below the critical limit of %s"
            )
        else:
            text = (
                "at or above the critical limit of %s"
                if certain
                else "may be at or above the critical limit of %s"
            )
        return self._say(text)

    def _changed(self) -> Iterator[Line]:
        for result in self._report.changed:
            if result.earlier is None:
                continue
            earlier = result.earlier
            yield Line(
                text=f"{self._name(result)}: {self._before(result, earlier)}",
                evidence=earlier.change.evidence,
                citations=earlier.change.source,
            )

    def _patterns(self, verdict: Support) -> Iterator[Line]:
        for pattern in self._report.patterns:
            if pattern.verdict == verdict:
                yield self._pattern(pattern)

    def _pattern(self, pattern: PatternVerdict) -> Line:
        return Line(
            text=pattern.statement.read(self._language),
            evidence=pattern.evidence,
            citations=pattern.source,
            details=tuple(self._of_pattern(pattern)),
        )

    def _patterns_open(self) -> Iterator[Line]:
        """Yield the patterns not assessed that something points to, and the others by name."""
        abnormal = {r.test for r in self._report.results if r.outside or r.critical}
        rest: list[PatternVerdict] = []
        for pattern in self._report.patterns:
            if pattern.verdict != "not assessed":
                continue
            if _is_pointed_to(pattern, abnormal):
                yield self._pattern(pattern)
            else:
                rest.append(pattern)
        if rest:
            said = self._say(
                "%d more not assessed, nothing points to them (in full: --format json):"
            )
            names = "; ".join(pattern.name.read(self._language) for pattern in rest)
            yield Line(
                text=f"{said % len(rest)} {names}",
                citations=tuple(dict.fromkeys(c for pattern in rest for c in pattern.source)),
            )

    def _of_pattern(self, pattern: PatternVerdict) -> Iterator[str]:
        for heading, lines in (("for", pattern.supporting), ("against", pattern.against)):
            if lines:
                told = "; ".join(dict.fromkeys(self._criterion(line) for line in lines))
                yield f"{self._say(heading)}: {told}"
        if pattern.missing:
            told = "; ".join(item.label.read(self._language) for item in pattern.missing)
            yield f"{self._say('missing for it')}: {told}"
        if pattern.settle and pattern.verdict != "argued against":
            told = "; ".join(item.words.read(self._language) for item in pattern.settle)
            yield f"{self._say('would settle it')}: {told}"
        for caveat in pattern.caveats:
            yield caveat.read(self._language)

    def _criterion(self, line: EvidenceLine) -> str:
        values = ", ".join(value.words.read(self._language) for value in line.values)
        said = line.words.read(self._language)
        return f"{said} ({values})" if values else said

    def _markers(self) -> Iterator[Line]:
        for report in self._report.markers:
            value = "" if report.value is None else f" {_measured(report.value)}"
            held = [one.words.read(self._language) for one in report.statements if one.holds]
            said = " ".join(held) or self._say("no statement holds")
            if report.not_assessed is not None:
                said = f"{self._say('not assessed')}: {report.not_assessed.detail}"
            yield Line(
                text=f"{report.name.read(self._language)}{value}: {said}",
                evidence=report.evidence,
                citations=report.source,
                details=tuple(self._of_marker(report)),
            )

    def _of_marker(self, report: MarkerReport) -> Iterator[str]:
        open_ = [one for one in report.statements if one.holds is None]
        if open_:
            told = "; ".join(one.words.read(self._language) for one in open_)
            yield f"{self._say('not known whether')}: {told}"
        for caveat in report.caveats:
            yield caveat.read(self._language)

    def _suggestions(self) -> Iterator[Line]:
        for suggestion in self._report.suggestions:
            yield Line(
                text=suggestion.words.read(self._language),
                evidence=suggestion.evidence,
                citations=(suggestion.source,),
            )

    def _not_looked_at(self) -> Iterator[Line]:
        names = [pattern.name.read(self._language) for pattern in self._report.not_looked_at]
        if names:
            said = self._say("No result of what these need:")
            yield Line(text=f"{said} {'; '.join(names)}")

    def _artefacts(self) -> Iterator[Line]:
        for result in self._report.doubtful:
            for found in result.may_be_false:
                if result.contaminated and found.interference in _OF_THE_SPECIMEN:
                    continue
                yield Line(
                    text=f"{self._name(result)} {self._value(result)}:",
                    english=found.statement,
                    evidence=found.evidence,
                    citations=found.source,
                )
        for pattern in self._report.contamination:
            if pattern.support == "supported" or pattern.suspected:
                yield Line(
                    text=f"{self._say('suspected' if pattern.suspected else pattern.support)}:",
                    english=_with_what_settles(pattern.statement, pattern.settles),
                    evidence=pattern.evidence,
                    citations=pattern.source,
                )
        for result in self._report.results:
            if result.not_assessed is not None:
                yield self._unusable(result)

    def _unusable(self, result: LaboratoryResult) -> Line:
        printed = f" ({result.reported})" if result.reported else ""
        reason = result.not_assessed
        return Line(
            text=f"{self._name(result)}{printed}: {self._say('cannot be used')}: "
            f"{self._why(reason)}:",
            english=reason.detail if reason is not None else "",
            evidence=result.evidence,
        )

    def _conflicts(self) -> Iterator[Line]:
        for conflict in self._report.conflicts:
            sides = "; ".join(f"{side.who}: {side.says}" for side in conflict.sides)
            yield Line(
                text="",
                english=f"{conflict.what}: {sides}. {conflict.consequence}",
                evidence=tuple(e for side in conflict.sides for e in side.evidence),
            )

    def _panels(self) -> Iterator[Panel]:
        table = laboratory_tests().panels
        by_panel: dict[str, list[Row]] = {}
        for result in self._report.results:
            by_panel.setdefault(result.panel, []).append(self.row(result))
        for key, rows in by_panel.items():
            if not key:
                name = self._say("Other tests, as reported")
            else:
                name = table[key].chinese if self._chinese else table[key].label
            yield Panel(name=name, rows=tuple(rows))

    def row(self, result: LaboratoryResult) -> Row:
        """Return one result of the table."""
        flag, tone, sign = self._flag(result)
        return Row(
            name=self._name(result),
            english=result.name if self._chinese and result.chinese else "",
            value=self._value(result),
            converted=self._converted(result),
            time=self._time(result.time),
            flag=flag,
            tone=tone,
            past=not result.latest,
            sign=sign,
            interval="; ".join(dict.fromkeys(self._intervals(result))),
            before="" if result.earlier is None else self._before(result, result.earlier),
            notes=tuple(self._told(note) for note in self._notes(result)),
            evidence=result.evidence,
        )

    def _intervals(self, result: LaboratoryResult) -> Iterator[str]:
        for used in result.flag.intervals:
            shown = f"{self._say(used.bounds.words())} {unit_shown(used.unit)}".strip()
            yield f"{shown} ({self._say(ORIGIN[used.origin])})"

    def _flag(self, result: LaboratoryResult) -> tuple[str, str, str]:
        flag = result.flag.flag
        if flag is None and _is_troponin(result):
            return self._say("see the troponin rules"), "none", ""
        if result.may_be_critical:
            return self._say("not understood as normal, may be urgent"), "critical", "?"
        given = [QUALITY[one] for one in result.quality if one in AS_GIVEN]
        if flag is None and given:
            return ", ".join(self._say(text) for text in given), "none", ""
        if flag is None and result.value and result.quantity is None:
            return self._say("as reported"), "none", ""
        if flag is None:
            return self._why_no_flag(result), "none", "?"
        tone = "critical" if flag.value.startswith("critical") else "out"
        tone = "in" if flag.value == "normal" else tone
        return self._say(FLAG[flag.value]), tone, _ARROW.get(flag.value, "")

    def _why_no_flag(self, result: LaboratoryResult) -> str:
        possible = [self._say(FLAG[flag.value]) for flag in result.flag.possible]
        if len(possible) > 1:
            missing = ", ".join(map(self._say, result.flag.missing))
            said = self._say("%s, not known which") % f" {self._say('or')} ".join(possible)
            return f"{said} ({missing})" if missing else said
        return f"{self._say('not assessed')}: {self._why(result.flag.not_assessed)}"

    def _notes(self, result: LaboratoryResult) -> Iterator[Line]:
        quality = [one for one in result.quality if one not in AS_GIVEN]
        if quality:
            yield Line(text=", ".join(self._say(QUALITY.get(one, one)) for one in quality))
        if result.note:
            yield Line(text=f"{self._say('note of the laboratory')}: \u201c{result.note}\u201d")
        if result.falsified_by:
            told = ", ".join(dict.fromkeys(self._say(label) for label in _told_once(result)))
            yield Line(text=f"{self._say('may be falsified by')}: {told}")
        if result.part_of:
            yield Line(text=f"{self._say('belongs to')} {result.part_of}")
        for note in result.flag.notes:
            yield Line(text="", english=note)
        reason = result.flag.not_assessed
        given = any(one in AS_GIVEN for one in result.quality)
        in_words = bool(result.value) and result.quantity is None
        silent = _is_troponin(result) or given or in_words
        if reason is not None and len(result.flag.possible) < 2 and not silent:
            yield Line(text="", english=reason.detail)

    def _before(self, result: LaboratoryResult, earlier: Earlier) -> str:
        change = earlier.change
        then = self._when(earlier.time, result.time)
        before, after = (
            _as_printed(earlier.reported) or _measured(change.earlier),
            self._value(result),
        )
        if _unit_of(before) != _unit_of(after) and result.value:
            before, after = _measured(change.earlier), _shown(result.value)
        said = f"{before} → {after}{then}"
        if change.percent is not None:
            said += f", {_percent(change.percent.interval)}"
        if change.supposed is not None:
            verdict = self._say(CHANGE[change.supposed])
            return f"{said}: {verdict}{self._delta(earlier)}{MARK}"
        if change.not_assessed is not None and _is_troponin(result):
            return f"{said}: {self._say('see the troponin rules')}"
        if change.not_assessed is not None:
            return f"{said}: {self._say('change not assessed')}: {self._not_compared(change)}"
        return f"{said}: {self._say(CHANGE[change.verdict])}{self._delta(earlier)}"

    def _not_compared(self, change: Change) -> str:
        """Return why two results are not compared: in full where that is held in English."""
        reason = change.not_assessed
        if reason is None or self._chinese:
            return self._why(reason)
        return reason.detail

    def _delta(self, earlier: Earlier) -> str:
        if earlier.delta.state.value != "present" and earlier.delta.supposed is not True:
            return ""
        return (
            f"; {self._say('reaches the delta check: exclude a mix-up or a contaminated sample')}"
        )

    def _indices(self) -> Iterator[Line]:
        for index in self._report.indices:
            yield Line(
                text="",
                english=" ".join((index.statement, *index.caveats)),
                evidence=index.evidence,
                citations=index.source,
            )
        for index in self._report.indices_open:
            yield Line(
                text=f"{self._say(index.name)}: {self._say('not assessed')}:",
                english=_detail(index),
            )

    def _blood_group(self) -> Iterator[Line]:
        group = self._report.blood_group
        if group is None:
            return
        unknown = self._say("not stated")
        yield Line(
            text=f"ABO {group.abo or unknown}; RhD {self._say(group.rh or unknown)}",
            english=f"ABO {group.abo_consistency}, RhD {group.rh_consistency}. {group.notice}",
            evidence=tuple(e for result in group.results for e in result.evidence),
        )

    def _older(self) -> Iterator[Line]:
        for test in self._report.older:
            name = test.chinese if self._chinese and test.chinese else test.name
            yield Line(text=f"{name} {test.value} ({self._time(test.time)})")

    def _later(self) -> Iterator[Line]:
        held = self._report.later
        if held:
            said = self._say("%d results not used: later than the moment of assessment:")
            told = "; ".join(self._late(one) for one in held)
            yield Line(
                text=f"{said % len(held)} {told}",
                evidence=tuple(e for one in held for e in one.evidence),
            )

    def _late(self, one: NotUsed) -> str:
        name = one.chinese if self._chinese and one.chinese else one.name
        return f"{name} ({self._time(one.time)})"

    def _not_known(self) -> Iterator[Line]:
        names = dict.fromkeys(name for r in self._report.results for name in r.not_known)
        if names:
            said = self._say("Nothing in the record says whether there was:")
            yield Line(text=f"{said} {'; '.join(self._say(name) for name in names)}")

    def _sources(self) -> Iterator[Line]:
        cited = {
            (used.citation.label, used.citation.review): used.citation
            for result in self._report.results
            for used in result.flag.intervals
            if used.citation is not None
        }
        for label, review in sorted(cited):
            if self._chinese:
                yield Line(text=f"{label}; {self._say(review)}")
            else:
                yield Line(text="", english=f"{label}; {review}")

    def _name(self, result: LaboratoryResult) -> str:
        return result.chinese if self._chinese and result.chinese else result.name

    def _value(self, result: LaboratoryResult) -> str:
        """Return the value as the laboratory reported it; else in the unit we read it in."""
        if not result.value:
            said = result.reported
            return quotation(said) if said else self._say("no usable value")
        return _as_printed(result.reported) or _shown(result.value)

    def _converted(self, result: LaboratoryResult) -> str:
        value = _shown(result.value)
        return f"{value}{_form(result)}" if result.value and value != self._value(result) else ""

    def _time(self, time: ClinicalTime | None) -> str:
        return self._say("time not stated") if time is None else time.show(self._zone)

    def _when(self, earlier: ClinicalTime | None, later: ClinicalTime | None) -> str:
        minutes = elapsed(earlier, later).minutes
        if minutes is None or minutes.low is None:
            return ""
        hours = minutes.low / 60.0
        if minutes.low < _MINUTES_IN_WORDS:
            return self._say(" in %s min") % number_shown(round(minutes.low, 0))
        if hours < _HOURS_IN_WORDS:
            return self._say(" in %s h") % number_shown(round(hours, 1))
        return self._say(" in %s days") % number_shown(round(hours / 24.0, 0))

    def _why(self, reason: NotAssessed | None) -> str:
        return self._say("no reason given") if reason is None else self._say(WHY[reason.why])


def _as_printed(reported: str) -> str:
    """Return the value as the laboratory printed it, without its interval."""
    return reported.partition(" (laboratory's range")[0]


def _is_pointed_to(pattern: PatternVerdict, abnormal: Set[str | None]) -> bool:
    """Return whether a pattern has evidence for it, an abnormal result, or does not apply."""
    if pattern.supporting or pattern.not_assessed is None:
        return True
    if pattern.not_assessed.why is Why.OUTSIDE_CONTRACT:
        return True
    relevant = laboratory_patterns()[pattern.id].relevant
    return any(key in abnormal for key in relevant)


def _told_once(result: LaboratoryResult) -> tuple[str, ...]:
    """Return what may have falsified a result, a contamination by the name of its pattern alone."""
    of_one = result.contaminated
    labels = (
        one.label
        for one in result.may_be_false
        if not of_one or one.interference not in _OF_THE_SPECIMEN
    )
    return (*labels, *of_one)


def _form(result: LaboratoryResult) -> str:
    """Return what a converted D-dimer counts, where its name says what was reported."""
    return " FEU" if FROM_DDU in result.quality else ""


def _with_what_settles(statement: str, settles: str) -> str:
    return statement if settles in statement else f"{statement} {settles}"


def _is_troponin(result: LaboratoryResult) -> bool:
    """Return whether rules of their own judge a result: intervals and change values do not."""
    return result.test in TROPONIN


def _detail(index: Index) -> str:
    return "" if index.not_assessed is None else index.not_assessed.detail


def _shown(value: str) -> str:
    """Return a value with its unit, a converted number without more digits than it has."""
    number, space, unit = value.partition(" ")
    try:
        short = number_shown(float(number))
    except ValueError:
        return value
    return f"{short} {unit_shown(unit)}".rstrip() if space else short


def _unit_of(value: str) -> str:
    return value.partition(" ")[2]


def _measured(value: Measured) -> str:
    return _shown(str(value))


def _percent(change: Interval) -> str:
    if change.low is not None and change.low == change.high:
        # adding zero makes of a fall that rounds to nothing no "-0"
        whole = round(change.low) + 0
        return f"{whole:+d} %" if whole else "±0 %"
    return f"{change} %"
