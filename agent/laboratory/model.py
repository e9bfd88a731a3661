"""The laboratory's part of an assessment.

Every result is there, usable or not. What could not be looked at is named with the reason; nothing
is left out because it is normal, and nothing is normal because it was left out.
"""

from typing import Literal

from pydantic import Field

from knowledge.clinical_time import ClinicalTime
from knowledge.conflict import Conflict
from knowledge.evidence import Evidence
from knowledge.finding import NotAssessed
from knowledge.index import Index
from knowledge.model import Frozen
from knowledge.quantity import Measured
from tools.labs.blood_group import BloodGroup
from tools.labs.change import Change
from tools.labs.contamination import PatternResult
from tools.labs.delta_check import DeltaCheck
from tools.labs.interference import InterferenceFinding
from tools.labs.interval_model import Flag, ResultFlag
from tools.labs.markers.report import MarkerReport
from tools.labs.patterns.verdict import NotLookedAt, PatternVerdict, ReflexSuggestion

SCHEMA: Literal["epicrisis/laboratory/1"] = "epicrisis/laboratory/1"


class Earlier(Frozen):
    """The result before, of the same analyte.

    Args:
        value: With its unit, as we read it.
        reported: As the source printed it, where it was converted.
        time: When it was collected.
        change: Against the reference change value, or why that is not assessed.
        delta: The delta check, or why it is not assessed.
    """

    value: str
    reported: str = ""
    time: ClinicalTime | None = None
    change: Change
    delta: DeltaCheck


class LaboratoryResult(Frozen):
    """One result of now.

    Args:
        finding: Id of the finding.
        test: Key of the analyte or worded test; None for a test that we do not hold.
        name, chinese: Names to show; `chinese` is empty where we have none.
        panel: Key of the panel; empty for a test that we do not hold.
        value: As it is read, with its unit; empty where it cannot be used.
        quantity: The same as a number or an interval; None for an answer in words.
        reported: As the source printed it, where it was converted or cannot be used.
        time: When the specimen was collected; None where not stated.
        not_assessed: Why the value cannot be used.
        latest: Whether it is the newest of its test.
        may_be_critical: Whether its answer is not understood and any but the normal one is to be
            known at once.
        flag: Where it lies, or why that is not known.
        earlier: What it is compared with; None where there is none.
        interferences: Those that are present.
        suspected: Those whose cause is there, while it is not known whether they reach this result.
        contaminated: Contaminations of the specimen that its change shows, known or suspected.
        superseded: What holds instead of it, where a later version replaced it; else empty.
        not_known: Names of interferences about which nothing is known.
        quality: Quality flags, for example ``haemolysed``.
        part_of: The result it belongs to with its value, for example the organism of a culture.
        note: What the laboratory says beside it, clipped; text from outside.
        evidence: Where it comes from.
    """

    finding: str
    test: str | None = None
    name: str
    chinese: str = ""
    panel: str = ""
    value: str = ""
    quantity: Measured | None = None
    reported: str = ""
    time: ClinicalTime | None = None
    not_assessed: NotAssessed | None = None
    latest: bool
    may_be_critical: bool = Field(default=False, exclude_if=lambda found: not found)
    flag: ResultFlag
    earlier: Earlier | None = None
    interferences: tuple[InterferenceFinding, ...] = ()
    suspected: tuple[InterferenceFinding, ...] = Field(
        default=(), exclude_if=lambda found: not found
    )
    contaminated: tuple[str, ...] = Field(default=(), exclude_if=lambda found: not found)
    superseded: str = Field(default="", exclude_if=lambda found: not found)
    not_known: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    part_of: str = Field(default="", exclude_if=lambda found: not found)
    note: str = Field(default="", exclude_if=lambda found: not found)
    evidence: tuple[Evidence, ...] = ()

    @property
    def critical(self) -> bool:
        """Whether it is, or may be, at or beyond a critical limit."""
        worded = self.flag.flag is Flag.CRITICAL_ABNORMAL
        ours = worded or self.may_be_critical or bool(self.flag.critical)
        return ours or self.marked_critical

    @property
    def marked_critical(self) -> bool:
        """Whether the laboratory itself marks it as critical (HH, LL, AA), whatever ours says."""
        return any(flag.startswith("lab-critical") for flag in self.flag.laboratory)

    @property
    def may_be_false(self) -> tuple[InterferenceFinding, ...]:
        """The interferences that are present or suspected."""
        return (*self.interferences, *self.suspected)

    @property
    def falsified_by(self) -> tuple[str, ...]:
        """Names of what may have falsified it, each once."""
        return tuple(dict.fromkeys((*(one.label for one in self.may_be_false), *self.contaminated)))

    @property
    def outside(self) -> bool:
        """Whether it certainly lies outside its interval."""
        return self.flag.flag is not None and self.flag.flag is not Flag.NORMAL

    @property
    def moved(self) -> bool:
        """Whether it changed by more than noise, or would have if both were measured alike."""
        if self.earlier is None:
            return False
        change = self.earlier.change
        said = change.verdict if change.supposed is None else change.supposed
        delta = self.earlier.delta
        return said.startswith("beyond") or delta.state.value == "present" or bool(delta.supposed)


class OlderTest(Frozen):
    """A test whose newest result is of the past."""

    test: str
    name: str
    chinese: str = ""
    value: str = ""
    time: ClinicalTime


class NotUsed(Frozen):
    """A result that was collected after the moment of assessment."""

    finding: str
    name: str
    chinese: str = ""
    time: ClinicalTime | None = None
    evidence: tuple[Evidence, ...] = ()


class CancelledResult(Frozen):
    """A result that its source took back: no result, and told so.

    Args:
        finding: Id of the finding that stands for it, without a value.
        test: Key of the analyte or worded test; None for a test that we do not hold.
        name, chinese: To show; `chinese` is empty where we have none.
        time: When the specimen was collected.
        in_error: Whether it was entered in error; else it was cancelled.
        note: What the laboratory says beside it, clipped; text from outside.
        evidence: Where it stands.
    """

    finding: str
    test: str | None = None
    name: str
    chinese: str = ""
    time: ClinicalTime | None = None
    in_error: bool = False
    note: str = ""
    evidence: tuple[Evidence, ...] = ()


class NotRead(Frozen):
    """A file that may hold a laboratory result and was not read, or not all of it.

    Args:
        file: Its name.
        kind: What it is.
        reason: Why; for a file that was read in part, what of it was not.
        in_part: Whether the rest of it was read.
    """

    file: str
    kind: str
    reason: str
    in_part: bool = False


class DocumentedResult(Frozen):
    """A result read from a text or PDF: it answers nothing until a person confirms it.

    Args:
        test: Key of the analyte, or None.
        name, chinese: To show.
        value: As read.
        time: When the specimen was collected.
        evidence: Where it stands.
    """

    test: str | None = None
    name: str
    chinese: str = ""
    value: str
    time: ClinicalTime | None = None
    evidence: tuple[Evidence, ...] = ()


class LaboratoryReport(Frozen):
    """The laboratory's part of an assessment.

    Args:
        hours: How old a result may be to be of now.
        results: Of now or of unknown time, by panel and name, the newest of a test first.
        older: Tests of which there are only older results.
        later: Results that were collected after the moment: not used, only named.
        cancelled: Results that their source took back: not used, only named.
        contamination: Patterns of change that suggest a contaminated specimen.
        indices: Derived indices, those that have a value or bounds.
        indices_open: Those for which something was measured and something is missing.
        patterns: Every pattern of which a relevant result is there, with its verdict.
        not_looked_at: Patterns of which none is there.
        markers: Serial markers beside troponin, each with what its rows say.
        suggestions: Tests to add; none that is there already.
        blood_group: The blood group over time; None where none was ever reported.
        conflicts: Laboratory flags that differ from ours, blood groups that differ.
        not_read: Files that may hold a result and were not read, or not all of them.
        documented: Results read from documents, not used until confirmed.
    """

    schema_: Literal["epicrisis/laboratory/1"] = Field(default=SCHEMA, alias="schema")
    hours: float
    results: tuple[LaboratoryResult, ...] = ()
    older: tuple[OlderTest, ...] = ()
    later: tuple[NotUsed, ...] = Field(default=(), exclude_if=lambda found: not found)
    cancelled: tuple[CancelledResult, ...] = Field(default=(), exclude_if=lambda found: not found)
    contamination: tuple[PatternResult, ...] = ()
    indices: tuple[Index, ...] = ()
    indices_open: tuple[Index, ...] = ()
    patterns: tuple[PatternVerdict, ...] = ()
    not_looked_at: tuple[NotLookedAt, ...] = ()
    markers: tuple[MarkerReport, ...] = ()
    suggestions: tuple[ReflexSuggestion, ...] = ()
    blood_group: BloodGroup | None = None
    conflicts: tuple[Conflict, ...] = ()
    not_read: tuple[NotRead, ...] = Field(default=(), exclude_if=lambda found: not found)
    documented: tuple[DocumentedResult, ...] = Field(default=(), exclude_if=lambda found: not found)

    @property
    def urgent(self) -> tuple[LaboratoryResult, ...]:
        """Results at or beyond a critical limit, certain ones first."""
        found = [r for r in self.results if r.critical and not r.superseded]
        return tuple(sorted(found, key=lambda r: (not _certain(r), not r.latest)))

    def newer(self, result: LaboratoryResult) -> LaboratoryResult | None:
        """Return the newest result of the same test; None where a result may itself be that."""
        if result.latest or result.test is None:
            return None
        found = (r for r in self.results if r.test == result.test and r.latest)
        return next(found, None)

    @property
    def changed(self) -> tuple[LaboratoryResult, ...]:
        """Newest results that changed by more than noise."""
        return tuple(result for result in self.results if result.latest and result.moved)

    @property
    def doubtful(self) -> tuple[LaboratoryResult, ...]:
        """Results that an interference is known, or suspected, to reach."""
        return tuple(r for r in self.results if r.may_be_false and not r.superseded)

    @property
    def not_usable(self) -> tuple[LaboratoryResult, ...]:
        """Results whose value cannot be used."""
        return tuple(result for result in self.results if result.not_assessed is not None)


def _certain(result: LaboratoryResult) -> bool:
    if not result.flag.critical or result.marked_critical:
        return not result.may_be_critical
    return any(limit.certain for limit in result.flag.critical)
