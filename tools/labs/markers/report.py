"""From what is known of a marker to what is said of it: statements that are true, false or open."""

from collections.abc import Iterator, Mapping

from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import Finding, NotAssessed
from knowledge.model import Frozen
from knowledge.quantity import Interval, Measured
from knowledge.reference import Citation
from knowledge.rules import Answer, Condition, holds
from knowledge.serial_markers import FILE, Marker, serial_markers
from knowledge.words import Words
from tools.labs.age_contract import not_for_age
from tools.labs.markers.series import MarkerChange, MarkerSeries, SetAsideSample


class MarkerStatement(Frozen):
    """One sentence of the marker's data.

    Args:
        id: Key of the row.
        words: The sentence.
        holds: True, false, or None where it is not known.
        missing: What is not known and could decide it.
        source: Where it comes from.
    """

    id: str
    words: Words
    holds: bool | None = None
    missing: tuple[str, ...] = ()
    source: Citation


class MarkerReport(Frozen):
    """What is said of one marker.

    Args:
        marker: Key of the row in ``serial_markers.yaml``.
        name: Name to show.
        value: The newest value; None where there is none that can be used.
        statements: Every statement of the marker; empty where nothing can be said.
        changes: From each earlier sample to the newest.
        set_aside: Samples that could not be used, and why.
        not_assessed: Why nothing can be said.
        caveats: What must be read with it.
        evidence: What it rests on.
        source: What it cites.
    """

    marker: str
    name: Words
    value: Measured | None = None
    statements: tuple[MarkerStatement, ...] = ()
    changes: tuple[MarkerChange, ...] = ()
    set_aside: tuple[SetAsideSample, ...] = ()
    not_assessed: NotAssessed | None = None
    caveats: tuple[Words, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    source: tuple[Citation, ...] = ()

    @property
    def true(self) -> tuple[str, ...]:
        """Ids of the statements that hold."""
        return tuple(one.id for one in self.statements if one.holds)

    def holds(self, statement: str) -> bool | None:
        """Return whether a statement holds; None where it is not known or not made."""
        return next((one.holds for one in self.statements if one.id == statement), None)


def marker_report(
    key: str,
    series: MarkerSeries,
    answers: Mapping[str, Answer],
    *,
    given: tuple[Finding, ...] = (),
    refused: NotAssessed | None = None,
) -> MarkerReport:
    """Return what the rows of a marker say.

    Args:
        key: Of the marker.
        series: Its samples.
        answers: Its readings and clinical inputs; what is not among them is not known.
        given: Findings of clinical inputs it was given.
        refused: Why nothing may be said although there are samples.
    """
    marker = serial_markers().markers[key]
    newest = series.newest
    reason = series.not_assessed or refused
    statements = () if reason is not None else tuple(_statements(marker, answers))
    findings = (*series.samples, *given)
    return MarkerReport(
        marker=key,
        name=marker.name,
        value=None if newest is None or reason is not None else newest.quantity,
        statements=statements,
        changes=series.changes,
        set_aside=series.set_aside,
        not_assessed=reason,
        caveats=tuple(_caveats(marker, answers)),
        evidence=(
            *dict.fromkeys(e for f in findings for e in f.evidence),
            ReferenceEvidence(table=FILE, row=f"markers.{key}"),
        ),
        source=tuple(dict.fromkeys(_cite(row.source, row.review) for row in marker.sourced())),
    )


def for_age(report: MarkerReport, age: Answer) -> MarkerReport:
    """Return a report that says nothing where its statements are of people of another age.

    Args:
        report: The report.
        age: Of the person, years; None where not known.
    """
    ages = serial_markers().markers[report.marker].ages
    refused = None if ages is None else not_for_age(ages.from_years, age)
    if refused is None or report.not_assessed is not None:
        return report
    return report.model_copy(
        update={"statements": (), "caveats": (), "value": None, "not_assessed": refused[0]}
    )


def _statements(marker: Marker, answers: Mapping[str, Answer]) -> Iterator[MarkerStatement]:
    for row in marker.statements:
        truth = holds(row.when, answers)
        lacking = () if truth is not None else tuple(dict.fromkeys(_open(row.when, answers)))
        yield MarkerStatement(
            id=row.id,
            words=row.words,
            holds=truth,
            missing=lacking,
            source=_cite(row.source, row.review),
        )


def _open(condition: Condition, answers: Mapping[str, Answer]) -> Iterator[str]:
    """Yield the inputs that keep a condition from being decided."""
    if holds(condition, answers) is not None:
        return
    parts = [*(condition.all or ()), *(condition.any or ()), *(condition.count or ())]
    parts += [part for part in (condition.not_, condition.sure) if part is not None]
    for part in parts:
        yield from _open(part, answers)
    read = [condition.input, condition.below.input if condition.below else None]
    for name in read:
        answer = answers.get(name or "")
        exact = answer is not None and (not isinstance(answer, Interval) or answer.is_exact)
        if name is not None and not exact:
            yield name


def _caveats(marker: Marker, answers: Mapping[str, Answer]) -> Iterator[Words]:
    for row in marker.caveats:
        if row.when is None or holds(row.when, answers) is not False:
            yield Words(en=row.en, zh=row.zh)


def _cite(source: str, review: str) -> Citation:
    return serial_markers().cite(FILE, source, review)
